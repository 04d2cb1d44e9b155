//! Our hold on a job: when the lock ends by our own clock, and keeping it from ending.
//!
//! The broker's deadline is wall time on another machine; ours is monotonic, counted from
//! the earliest moment at which the lock can have begun.

use std::time::Duration;

use tokio::time::Instant;

use super::holdings::Copy;
use crate::{
    job::JobRef,
    ports::{GatewayErrorKind, JobGateway},
};

/// Our hold on one job.
#[derive(Debug)]
pub(super) struct Lease {
    copy: Copy,
    job: JobRef,
    timeout: Duration,
    until: Instant,
    next_beat: Instant,
    lost: bool,
    gone: bool,
}

/// After a heartbeat that got no answer.
const BEAT_AGAIN: Duration = Duration::from_secs(1);

impl Lease {
    /// The hold on a copy of a job, whose lock began at `arrival` at the earliest.
    pub(super) fn new(copy: Copy, job: JobRef, arrival: Instant, timeout: Duration) -> Self {
        let (lost, gone) = (false, false);
        let mut lease = Self { copy, job, timeout, until: arrival, next_beat: arrival, lost, gone };
        lease.runs_from(arrival);
        lease
    }

    /// Whether the calls for the job are ours to make, which they stay from then on: not when
    /// this process has another copy of it that is to be worked on.
    pub(super) async fn begin(&mut self) -> bool {
        self.copy.begin().await
    }

    /// Whether they can still be.
    pub(super) fn may_begin(&self) -> bool {
        self.copy.may_begin()
    }

    /// The job's end is about to be told.
    pub(super) fn ending(&mut self) {
        self.copy.ending();
    }

    /// It was told; `has_failed` says that the engine took it for a failure.
    pub(super) fn ended(&mut self, has_failed: bool) {
        // Else it may have failed the job of another holder.
        let is_ours = self.is_held();
        self.copy.ended(has_failed && is_ours);
    }

    /// Whether the job is still ours.
    pub(super) fn is_held(&self) -> bool {
        !self.lost && Instant::now() < self.until
    }

    /// Whether the engine no longer knew the job while it was ours.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// The end of the lock, or an earlier moment when it is known to be gone.
    pub(super) fn until(&self) -> Instant {
        if self.lost { self.until.min(Instant::now()) } else { self.until }
    }

    /// The lock's length.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes sure that a call may start: the job is ours for a good while yet. Extends the
    /// lock when a third of it or more is gone.
    pub(super) async fn secure<G: JobGateway>(&mut self, gateway: &G) -> bool {
        if self.is_held() && Instant::now() >= self.next_beat {
            self.extend(gateway).await;
        }
        self.is_held()
    }

    /// Sets another length of the lock, as the `jobTimeout` header asks.
    pub(super) async fn resize<G: JobGateway>(&mut self, gateway: &G, timeout: Duration) -> bool {
        let known = (self.timeout, self.until);
        let asked = Instant::now();
        self.timeout = timeout;
        crash_point!("before_lock_resized");
        if !self.extend(gateway).await {
            // Unknown whether it took effect: the earlier end is the safe one.
            self.until = known.1.min(asked + timeout);
            self.timeout = known.0.min(timeout);
        }
        crash_point!("lock_resized");
        self.is_held()
    }

    /// Runs `work`, extending the lock for as long as it takes.
    pub(super) async fn keep_while<G: JobGateway, W: Future>(
        &mut self,
        gateway: &G,
        work: W,
    ) -> W::Output {
        let heartbeat = async {
            while !self.lost {
                tokio::time::sleep_until(self.next_beat).await;
                crash_point!("heartbeat_due");
                self.extend(gateway).await;
                crash_point!("heartbeat_answered");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            output = work => output,
            () = heartbeat => unreachable!("a heartbeat never ends"),
        }
    }

    /// Extends the lock; tells whether the engine confirmed it.
    async fn extend<G: JobGateway>(&mut self, gateway: &G) -> bool {
        let sent = Instant::now();
        self.next_beat = sent + BEAT_AGAIN;
        if sent >= self.until {
            // The engine would take it, but the job may be somebody else's by now.
            self.lost = true;
            return false;
        }
        match gateway.extend(&self.job, self.timeout).await {
            // It may have come through after the lock's end. The engine then took it for the
            // next holder's, whom it cannot tell from us unless there is a lease.
            Ok(()) if Instant::now() >= self.until && self.job.lease.is_none() => {
                self.lost = true;
                false
            }
            Ok(()) => {
                self.runs_from(sent);
                true
            }
            Err(error) => {
                tracing::debug!(job_key = %self.job.key, %error, "lock not extended");
                self.gone = error.kind == GatewayErrorKind::NotFound;
                self.lost = self.gone || error.kind == GatewayErrorKind::Superseded;
                false
            }
        }
    }

    fn runs_from(&mut self, start: Instant) {
        self.until = start + self.timeout;
        self.next_beat = start + self.timeout / 3;
    }
}
