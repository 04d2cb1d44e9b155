//! When a job's lock began, by our own clock.
//!
//! The engine locks a job as it hands it out; then the network, and for a pushed job the
//! transport's window, take their time while the lock runs. The job's `deadline` tells how
//! long, but in the wall time of the broker that leads its partition. The job that came
//! quickest of late tells how that clock stands to ours: nothing comes sooner than at once.
//! While nothing is known, a job that we waited for counts as locked when it was surely not
//! there yet, since this process itself may have stood still (stopped, or its machine paused;
//! see [`watched`]), and one that was there already as locked when nothing was there.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::job::Job;

/// How long the quickest job is remembered, at least: the broker's clock may be set, or its
/// partition move to another broker.
const MEMORY: Duration = Duration::from_mins(1);
/// The bits of a key below the partition's number.
const KEY_BITS: u32 = 51;

/// How the brokers' clocks stand to ours, by partition.
#[derive(Debug)]
pub(super) struct BrokerClocks {
    origin: Instant,
    offsets: Mutex<BTreeMap<i64, Offset>>,
}

/// Smallest differences between a job's coming, by our clock, and its lock's begin by the
/// broker's, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Offset {
    since: Instant,
    now: i64,
    before: i64,
}

impl BrokerClocks {
    /// Nothing known yet.
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), offsets: Mutex::default() }
    }

    /// When the lock began of a job that has come now, and was not there before `earliest`;
    /// `absent`, when it was surely not there, while the clock of its partition is unknown.
    pub(super) fn began(
        &self,
        job: &Job,
        timeout: Duration,
        earliest: Instant,
        absent: Instant,
    ) -> Instant {
        let now = Instant::now();
        let length = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        let at_the_broker = job.deadline_ms.saturating_sub(length);
        let came = self.millis(now);
        // What may have been there for long tells nothing of a clock that is not known yet.
        let is_prompt = now.saturating_duration_since(absent) < 2 * tick(timeout);
        let difference = came.saturating_sub(at_the_broker);
        let Some(offset) = self.offset(job, now, difference, is_prompt) else { return absent };
        let began = at_the_broker.saturating_add(offset).clamp(0, came);
        let began = Duration::from_millis(u64::try_from(began).unwrap_or(0));
        (self.origin + began).clamp(earliest.min(now), now)
    }

    /// Takes one more difference in, and returns the smallest when others were known.
    fn offset(&self, job: &Job, now: Instant, new: i64, is_prompt: bool) -> Option<i64> {
        let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = offsets.get_mut(&(job.id.key.0 >> KEY_BITS)) else {
            let first = Offset { since: now, now: new, before: i64::MAX };
            if is_prompt {
                offsets.insert(job.id.key.0 >> KEY_BITS, first);
            }
            return None;
        };
        if now - known.since >= MEMORY {
            *known = Offset { since: now, now: new, before: known.now };
        }
        known.now = known.now.min(new);
        Some(known.now.min(known.before))
    }

    fn millis(&self, now: Instant) -> i64 {
        i64::try_from(now.duration_since(self.origin).as_millis()).unwrap_or(i64::MAX)
    }
}

/// What is known of one stream's arrivals.
#[derive(Debug)]
pub(super) struct Arrivals<'a> {
    clocks: &'a BrokerClocks,
    timeout: Duration,
    asked: Instant,
    /// The last moment at which nothing was waiting to be read.
    seen_empty: Instant,
}

impl<'a> Arrivals<'a> {
    /// For a stream that was asked for at that moment, with locks of this length, and of which
    /// nothing had come at `absent`. Jobs are pushed from when the engine has been asked, and
    /// the first of them may be the first that we hear of the stream.
    pub(super) fn new(
        clocks: &'a BrokerClocks,
        asked: Instant,
        absent: Instant,
        timeout: Duration,
    ) -> Self {
        Self { clocks, timeout, asked, seen_empty: absent }
    }

    /// We waited, and the job came; at `absent` it had not come yet.
    pub(super) fn fresh(&mut self, job: &Job, absent: Instant) -> Instant {
        self.seen_empty = absent;
        self.clocks.began(job, self.timeout, self.asked, self.seen_empty)
    }

    /// How long the locks are.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The job was there already.
    pub(super) fn waiting(&self, job: &Job) -> Instant {
        self.clocks.began(job, self.timeout, self.asked, self.seen_empty)
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
    use crate::job::{JobKey, JobRef, tests::job};

    const TIMEOUT: Duration = Duration::from_mins(1);

    /// A job locked `after_ms` milliseconds after the broker's own beginning of time.
    fn locked_at(after_ms: i64) -> Job {
        Job { deadline_ms: 1_700_000_000_000 + after_ms + 60_000, ..job() }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_waited_is_as_old_as_its_deadline_says() {
        let clocks = BrokerClocks::new();
        let mut arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        let fresh = arrivals.fresh(&locked_at(0), Instant::now());
        tokio::time::advance(seconds(50)).await;
        assert_eq!(arrivals.waiting(&locked_at(10_000)), fresh + seconds(10));
        assert_eq!(arrivals.waiting(&locked_at(50_000)), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_the_network_held_up_is_as_old_as_its_deadline_says() {
        let clocks = BrokerClocks::new();
        let mut arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        let first = arrivals.fresh(&locked_at(0), Instant::now());
        tokio::time::advance(seconds(40)).await;
        assert_eq!(arrivals.fresh(&locked_at(28_000), Instant::now()), first + seconds(28));
        assert_eq!(arrivals.waiting(&locked_at(28_000)), first + seconds(28));
        let polled = clocks.began(&locked_at(29_000), TIMEOUT, first, Instant::now());
        assert_eq!(polled, first + seconds(29));
        let asked = first + seconds(35);
        assert_eq!(clocks.began(&locked_at(29_000), TIMEOUT, asked, Instant::now()), asked);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_makes_no_job_younger_than_now_or_older_than_its_stream() {
        let clocks = BrokerClocks::new();
        tokio::time::advance(seconds(5)).await;
        let mut arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        let opened = Instant::now();
        arrivals.fresh(&locked_at(0), Instant::now());
        tokio::time::advance(seconds(1)).await;
        assert_eq!(arrivals.waiting(&locked_at(-3_600_000)), opened);
        assert_eq!(arrivals.waiting(&locked_at(3_600_000)), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_back_is_believed_after_a_while() {
        let clocks = BrokerClocks::new();
        let mut arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        arrivals.fresh(&locked_at(0), Instant::now());
        for minute in 1..=2 {
            tokio::time::advance(TIMEOUT).await;
            let old = arrivals.fresh(&locked_at(minute * 60_000 - 30_000), Instant::now());
            assert_eq!(old, Instant::now() - seconds(if minute == 1 { 30 } else { 0 }));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_partition_has_its_own_clock() {
        let clocks = BrokerClocks::new();
        let mut arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        arrivals.fresh(&locked_at(3_600_000), Instant::now());
        let id = JobRef { key: JobKey(2 << KEY_BITS), lease: None };
        let other = |after_ms| Job { id: id.clone(), ..locked_at(after_ms) };
        assert_eq!(arrivals.fresh(&other(0), Instant::now()), Instant::now());
        tokio::time::advance(seconds(10)).await;
        assert_eq!(arrivals.fresh(&other(9_000), Instant::now()), Instant::now() - seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn before_any_job_the_empty_stream_counts() {
        let clocks = BrokerClocks::new();
        let arrivals = Arrivals::new(&clocks, Instant::now(), Instant::now(), TIMEOUT);
        let opened = Instant::now();
        tokio::time::advance(seconds(9)).await;
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
        let clocks = BrokerClocks::new();
        let mut arrivals = Arrivals::new(&clocks, began, began, TIMEOUT);
        assert_eq!(arrivals.fresh(&locked_at(0), absent), absent);
    }
}
