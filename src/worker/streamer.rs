//! Pushed jobs of one job type: a slot first, then the next job from the stream.
//!
//! What the gateway pushed beyond our slots waits in the transport's small window, while its
//! lock runs: see [`arrivals`](super::arrivals).

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt};
use tokio::time::Instant;

use super::{
    Source, Worker,
    arrivals::{Arrivals, watched},
    backoff::Backoff,
    lease::Lease,
};
use crate::{
    job::Job,
    ports::{Clock, GatewayError, JobGateway, JobStream, SecretProvider, Subscription, Transport},
};

/// Most jobs taken from a stream at its end, in case the engine pushes on meanwhile.
const MAX_ARRIVED: usize = 1_000;
/// Silence after which nothing more is thought to be on its way.
const QUIET: Duration = Duration::from_millis(20);
/// Longest wait for that silence.
const MOST_QUIET: Duration = Duration::from_millis(200);

/// Keeps a stream open until the worker stops.
pub(super) async fn run<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: Arc<Worker<G, T, S, C>>,
    subscription: Arc<Subscription>,
) {
    let mut backoff = Backoff::gateway();
    loop {
        let asked = Instant::now();
        // The broker says nothing before it has a job to push.
        let opening =
            watched(worker.config.job_timeout, worker.parts.gateway.stream(&subscription));
        let opened = worker.stop.run_until_cancelled(opening).await;
        let Some((opened, absent)) = opened else { return };
        let ended = match opened {
            Ok(stream) => {
                crash_point!("stream_opened");
                read(&worker, stream, (asked, absent), &mut backoff).await
            }
            Err(error) => ControlFlow::Continue(Err(error)),
        };
        match ended {
            ControlFlow::Break(()) => return,
            ControlFlow::Continue(Ok(())) => {}
            ControlFlow::Continue(Err(error)) => worker.health.failed("stream", &error),
        }
        let pause = tokio::time::sleep(backoff.next());
        if worker.stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Why a stream is read no further; `Break` when the worker stops.
type Ended = ControlFlow<(), Result<(), GatewayError>>;

async fn read<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Arc<Worker<G, T, S, C>>,
    mut stream: JobStream,
    (asked, absent): (Instant, Instant),
    backoff: &mut Backoff,
) -> Ended {
    let end_of_life = Instant::now() + worker.config.stream_lifetime;
    let mut arrivals = Arrivals::new(&worker.clocks, asked, absent, worker.config.job_timeout);
    loop {
        let next = async {
            worker.governor.pace().await;
            let slot = worker.slots.for_push().await?;
            crash_point!("push_slot_taken");
            Some((next_job(&mut stream, &mut arrivals).await?, slot))
        };
        tokio::select! {
            biased;
            () = worker.stop.cancelled() => {
                for (job, arrival) in take_arrived(stream, &mut arrivals).await {
                    hand_back(worker, job, arrival);
                }
                return Ended::Break(());
            }
            () = tokio::time::sleep_until(end_of_life) => {
                run_rest(worker, take_arrived(stream, &mut arrivals).await).await;
                backoff.reset();
                return Ended::Continue(Ok(()));
            }
            next = next => match next {
                Some((Ok((job, arrival)), slot)) => {
                    worker.health.answered();
                    backoff.reset();
                    crash_point!("pushed_job_read");
                    worker.dispatch(job, slot, arrival, Source::Push);
                }
                Some((Err(error), _)) => return Ended::Continue(Err(error)),
                None => return Ended::Continue(Ok(())),
            }
        }
    }
}

/// The next pushed job, and when its lock began.
async fn next_job(
    stream: &mut JobStream,
    arrivals: &mut Arrivals<'_>,
) -> Option<Result<(Job, Instant), GatewayError>> {
    if let Some(item) = stream.next().now_or_never() {
        return Some(item?.map(|job| {
            let arrival = arrivals.waiting(&job);
            (job, arrival)
        }));
    }
    let (item, absent) = watched(arrivals.timeout(), stream.next()).await;
    Some(item?.map(|job| {
        let arrival = arrivals.fresh(&job, absent);
        (job, arrival)
    }))
}

/// Ends the stream and returns the jobs that have arrived, or were on their way. They would
/// stay locked until their time-out otherwise. It is closed before any of them goes back,
/// since the engine would push them to us again.
async fn take_arrived(mut stream: JobStream, arrivals: &mut Arrivals<'_>) -> Vec<(Job, Instant)> {
    let mut taken = Vec::new();
    let end = Instant::now() + MOST_QUIET;
    while taken.len() < MAX_ARRIVED && Instant::now() < end {
        let next = next_job(&mut stream, arrivals);
        match tokio::time::timeout(QUIET, next).await {
            Ok(Some(Ok(job))) => taken.push(job),
            _ => break,
        }
    }
    taken
}

/// Runs what an ended stream left, as slots become free.
async fn run_rest<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Arc<Worker<G, T, S, C>>,
    rest: Vec<(Job, Instant)>,
) {
    for (job, arrival) in rest {
        match worker.stop.run_until_cancelled(worker.slots.for_push()).await {
            Some(Some(slot)) => worker.dispatch(job, slot, arrival, Source::Push),
            _ => hand_back(worker, job, arrival),
        }
    }
}

fn hand_back<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Arc<Worker<G, T, S, C>>,
    job: Job,
    arrival: Instant,
) {
    worker.parts.metrics.activated(&job.job_type, Source::Push.as_str());
    let lease =
        Lease::new(worker.holdings.add(&job), job.id.clone(), arrival, worker.config.job_timeout);
    let worker = Arc::clone(worker);
    let tasks = worker.jobs.clone();
    tasks.spawn(async move { worker.hand_back_at_the_end(&job, &lease).await });
}
