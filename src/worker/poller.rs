//! Long polling for one job type: a slot first, then the poll.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Source, Worker, arrivals::watched, backoff::Backoff};
use crate::{
    job::Job,
    ports::{Clock, JobGateway, SecretProvider, Subscription, Transport},
};

/// Pauses between polls that come back empty without having waited: such a gateway (the
/// in-memory test engine) must not be asked in a spin.
const EMPTY: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));

/// Polls until the worker stops.
pub(super) async fn run<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: Arc<Worker<G, T, S, C>>,
    subscription: Arc<Subscription>,
) {
    let polling = poll_for_ever(&worker, &subscription);
    let _stopped = worker.stop.run_until_cancelled(polling).await;
}

async fn poll_for_ever<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Arc<Worker<G, T, S, C>>,
    subscription: &Subscription,
) {
    let mut failures = Backoff::gateway();
    let mut empty = EMPTY;
    let mut backlog = false;
    loop {
        worker.governor.pace().await;
        let mut slots = worker.slots.for_poll(backlog).await;
        if worker.governor.is_all_blocked() {
            slots.truncate(1);
        }
        let asked = slots.len();
        // With a backlog in sight an empty answer should come at once: the slots are needed.
        let wait = (!backlog).then_some(worker.config.poll_wait);
        let began = Instant::now();
        crash_point!("poll_slots_taken");
        let polling = worker.parts.gateway.poll(subscription, asked, wait);
        let (answer, absent) = watched(subscription.timeout, polling).await;
        match answer {
            Ok(jobs) => {
                worker.health.answered();
                failures.reset();
                let waited = wait.is_some_and(|wait| began.elapsed() >= wait / 2);
                let pause = if jobs.is_empty() && !waited && !backlog {
                    Some(empty.next())
                } else {
                    empty.reset();
                    None
                };
                backlog = jobs.len() >= asked;
                crash_point!("poll_answered");
                hand_out(worker, jobs, slots, began, absent);
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
            Err(error) => {
                drop(slots);
                backlog = false;
                worker.health.failed("poll", &error);
                tokio::time::sleep(failures.next()).await;
            }
        }
    }
}

fn hand_out<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Arc<Worker<G, T, S, C>>,
    jobs: Vec<Job>,
    slots: Vec<super::Slot>,
    asked: Instant,
    absent: Instant,
) {
    let timeout = worker.config.job_timeout;
    if jobs.len() > slots.len() {
        tracing::warn!(asked = slots.len(), got = jobs.len(), "the gateway sent too many jobs");
    }
    // Jobs beyond the slots, which no real gateway sends, come back when their lock ends.
    for (job, slot) in jobs.into_iter().zip(slots) {
        let arrival = worker.clocks.began(&job, timeout, asked, absent);
        worker.dispatch(job, slot, arrival, Source::Poll);
    }
}
