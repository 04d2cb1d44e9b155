//! When a pushed job's lock began, by our own clock.
//!
//! A job that we waited for has just arrived. One that was already there when we came for
//! it may have waited in the transport's window while its lock ran. Its `deadline` tells how
//! long, but in the broker's wall time; the jobs that we did wait for tell how that clock
//! stands to ours. In doubt the earliest possible moment is taken.

use std::time::Duration;

use tokio::time::Instant;

use crate::job::Job;

/// What is known of one stream's arrivals.
#[derive(Debug)]
pub(super) struct Arrivals {
    timeout: Duration,
    origin: Instant,
    /// The last moment at which nothing was waiting to be read.
    seen_empty: Instant,
    /// Our milliseconds since `origin` minus the broker's, at the latest fresh job.
    offset: Option<i64>,
}

impl Arrivals {
    /// For a stream that is opened now, with locks of this length.
    pub(super) fn new(timeout: Duration) -> Self {
        let now = Instant::now();
        Self { timeout, origin: now, seen_empty: now, offset: None }
    }

    /// We waited, and the job came.
    pub(super) fn fresh(&mut self, job: &Job) -> Instant {
        let now = Instant::now();
        self.seen_empty = now;
        self.offset = Some(self.millis(now).saturating_sub(self.began_at_the_broker(job)));
        now
    }

    /// The job was there already.
    pub(super) fn waiting(&self, job: &Job) -> Instant {
        let now = Instant::now();
        let Some(offset) = self.offset else { return self.seen_empty };
        let began = self.began_at_the_broker(job).saturating_add(offset);
        let began = u64::try_from(began.clamp(0, self.millis(now))).unwrap_or(0);
        (self.origin + Duration::from_millis(began)).max(self.seen_empty)
    }

    fn began_at_the_broker(&self, job: &Job) -> i64 {
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        job.deadline_ms.saturating_sub(timeout)
    }

    fn millis(&self, now: Instant) -> i64 {
        i64::try_from(now.duration_since(self.origin).as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::job;

    const TIMEOUT: Duration = Duration::from_mins(1);

    /// A job locked `after_ms` milliseconds after the broker's own beginning of time.
    fn locked_at(after_ms: i64) -> Job {
        Job { deadline_ms: 1_700_000_000_000 + after_ms + 60_000, ..job() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_waited_is_as_old_as_its_deadline_says() {
        let mut arrivals = Arrivals::new(TIMEOUT);
        let fresh = arrivals.fresh(&locked_at(0));
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(arrivals.waiting(&locked_at(10_000)), fresh + Duration::from_secs(10));
        assert_eq!(arrivals.waiting(&locked_at(50_000)), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_makes_no_job_younger_than_now_or_older_than_the_empty_stream() {
        let mut arrivals = Arrivals::new(TIMEOUT);
        tokio::time::advance(Duration::from_secs(5)).await;
        let fresh = arrivals.fresh(&locked_at(0));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(arrivals.waiting(&locked_at(3_600_000)), Instant::now());
        assert_eq!(arrivals.waiting(&locked_at(-3_600_000)), fresh);
    }

    #[tokio::test(start_paused = true)]
    async fn before_any_fresh_job_the_opening_of_the_stream_counts() {
        let arrivals = Arrivals::new(TIMEOUT);
        let opened = Instant::now();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(arrivals.waiting(&locked_at(0)), opened);
    }
}
