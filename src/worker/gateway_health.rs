//! Whether the gateway answers: readiness, and one clear line a minute when it does not.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{Worker, backoff::Backoff};
use crate::ports::{
    Clock, GatewayError, GatewayErrorKind, JobGateway, Readiness, SecretProvider, Transport,
};

/// How often a lasting failure is logged.
const REMIND: Duration = Duration::from_mins(1);

/// What is known of the gateway.
#[derive(Debug, Default)]
pub struct GatewayHealth {
    answered_once: AtomicBool,
    outage: Mutex<Option<Outage>>,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    logged: Instant,
}

impl GatewayHealth {
    /// The gateway answered.
    pub(super) fn answered(&self) {
        self.answered_once.store(true, Ordering::Relaxed);
        let ended = self.outage.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outage) = ended {
            let seconds = outage.since.elapsed().as_secs();
            tracing::info!(seconds, "the gateway answers again");
        }
    }

    /// A call failed. Back-pressure is normal and stays quiet.
    pub(super) fn failed(&self, call: &'static str, error: &GatewayError) {
        if error.kind == GatewayErrorKind::Busy {
            tracing::debug!(call, %error, "the gateway is busy");
        } else if let Some(since) = self.outage_to_log() {
            let seconds = since.elapsed().as_secs();
            tracing::warn!(call, %error, seconds, "the gateway does not serve us; trying on");
        }
    }

    /// The start of the outage, when a line about it is due.
    fn outage_to_log(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        match outage.as_mut() {
            None => {
                *outage = Some(Outage { since: now, logged: now });
                Some(now)
            }
            Some(known) if now - known.logged >= REMIND => {
                known.logged = now;
                Some(known.since)
            }
            Some(_) => None,
        }
    }
}

impl Readiness for GatewayHealth {
    fn is_ready(&self) -> bool {
        self.answered_once.load(Ordering::Relaxed)
    }
}

/// Asks for the topology until the gateway answers, and says what it found.
pub(super) async fn greet<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: Arc<Worker<G, T, S, C>>,
) {
    let asking = async {
        let mut backoff = Backoff::gateway();
        loop {
            match worker.parts.gateway.topology().await {
                Ok(topology) => {
                    worker.health.answered();
                    tracing::info!(
                        version = topology.gateway_version,
                        brokers = topology.brokers,
                        partitions = topology.partitions,
                        "connected to the gateway"
                    );
                    return;
                }
                Err(error) => worker.health.failed("topology", &error),
            }
            tokio::time::sleep(backoff.next()).await;
        }
    };
    let _stopped = worker.stop.run_until_cancelled(asking).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lasting_outage_is_due_for_a_line_once_a_minute() {
        let health = GatewayHealth::default();
        let mut lines = 0;
        for _ in 0..240 {
            lines += usize::from(health.outage_to_log().is_some());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(lines, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn ready_after_the_first_answer_and_from_then_on() {
        let health = GatewayHealth::default();
        assert!(!health.is_ready());
        health.answered();
        health.outage_to_log();
        assert!(health.is_ready());
    }
}
