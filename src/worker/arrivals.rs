//! When a pushed job's lock began, by our own clock.
//!
//! A job that we waited for has just arrived, unless this process itself stood still
//! meanwhile (stopped, or its machine paused): then it may have come at any time since. See
//! [`watched`]. One that was already there when we came for
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
    /// For a stream that was not open yet at `opening`, with locks of this length.
    pub(super) fn new(timeout: Duration, opening: Instant) -> Self {
        Self { timeout, origin: opening, seen_empty: opening, offset: None }
    }

    /// We waited, and the job came; at `absent` it had not come yet.
    pub(super) fn fresh(&mut self, job: &Job, absent: Instant) -> Instant {
        let now = Instant::now();
        self.seen_empty = absent;
        if now.duration_since(absent) < 2 * tick(self.timeout) {
            self.offset = Some(self.millis(now).saturating_sub(self.began_at_the_broker(job)));
        }
        absent
    }

    /// The job was there already.
    pub(super) fn waiting(&self, job: &Job) -> Instant {
        let now = Instant::now();
        let Some(offset) = self.offset else { return self.seen_empty };
        let began = self.began_at_the_broker(job).saturating_add(offset);
        let began = u64::try_from(began.clamp(0, self.millis(now))).unwrap_or(0);
        (self.origin + Duration::from_millis(began)).max(self.seen_empty)
    }

    /// How long the locks are.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    fn began_at_the_broker(&self, job: &Job) -> i64 {
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        job.deadline_ms.saturating_sub(timeout)
    }

    fn millis(&self, now: Instant) -> i64 {
        i64::try_from(now.duration_since(self.origin).as_millis()).unwrap_or(i64::MAX)
    }
}

/// Waits for `work`, and tells the last moment at which it was surely not there yet.
///
/// That is the beginning of the wait, or of its last part: whatever comes while the process
/// lives is noticed within a part. What is found in or right after a part that took longer
/// than it should may have come at any time in it.
pub(super) async fn watched<T>(timeout: Duration, work: impl Future<Output = T>) -> (T, Instant) {
    let mut work = std::pin::pin!(work);
    let tick = tick(timeout);
    let (mut absent, mut was_alive) = (Instant::now(), true);
    loop {
        let began = Instant::now();
        let done = tokio::time::timeout(tick, &mut work).await;
        let is_alive = began.elapsed() < 2 * tick;
        if was_alive && is_alive {
            absent = began;
        }
        match done {
            Ok(output) => return (output, absent),
            Err(_) => was_alive = is_alive,
        }
    }
}

/// A small part of a lock.
fn tick(timeout: Duration) -> Duration {
    (timeout / 20).clamp(Duration::from_millis(100), Duration::from_secs(2))
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
        let mut arrivals = Arrivals::new(TIMEOUT, Instant::now());
        let fresh = arrivals.fresh(&locked_at(0), Instant::now());
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(arrivals.waiting(&locked_at(10_000)), fresh + Duration::from_secs(10));
        assert_eq!(arrivals.waiting(&locked_at(50_000)), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_makes_no_job_younger_than_now_or_older_than_the_empty_stream() {
        let mut arrivals = Arrivals::new(TIMEOUT, Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        let fresh = arrivals.fresh(&locked_at(0), Instant::now());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(arrivals.waiting(&locked_at(3_600_000)), Instant::now());
        assert_eq!(arrivals.waiting(&locked_at(-3_600_000)), fresh);
    }

    #[tokio::test(start_paused = true)]
    async fn before_any_fresh_job_the_opening_of_the_stream_counts() {
        let arrivals = Arrivals::new(TIMEOUT, Instant::now());
        let opened = Instant::now();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(arrivals.waiting(&locked_at(0)), opened);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_while_the_process_lives_is_as_old_as_the_last_look() {
        let began = Instant::now();
        let work = tokio::time::sleep(Duration::from_secs(31));

        let ((), absent) = watched(TIMEOUT, work).await;

        assert_eq!(absent, began + Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_found_after_a_standstill_may_have_come_at_its_beginning() {
        let began = Instant::now();
        let stopped = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            // Stands still: time goes on, and nobody is asked meanwhile.
            tokio::time::advance(Duration::from_secs(40)).await;
            let mut asked_again = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut asked_again, true) {
                    return std::task::Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
        };

        let ((), absent) = watched(TIMEOUT, stopped).await;

        assert!(absent <= began + Duration::from_secs(5), "{:?}", absent - began);
        let mut arrivals = Arrivals::new(TIMEOUT, began);
        assert_eq!(arrivals.fresh(&locked_at(0), absent), absent);
        assert_eq!(arrivals.waiting(&locked_at(0)), absent);
    }
}
