//! How long a job waits after a transient failure.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use crate::job::JobKey;

const MIN: Duration = Duration::from_secs(2);
const MAX: Duration = Duration::from_mins(5);
/// No header makes a job wait longer.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// What the wait depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// What ServiceNow asked for.
    pub(super) retry_after: Option<Duration>,
    /// What the author asked for. It never shortens our own: with unchanged retries, the
    /// usual `PT0S` would be a loop without end.
    pub(super) header: Option<Duration>,
    /// How long the job has to stay away for other reasons.
    pub(super) at_least: Duration,
    /// How long it has been going on.
    pub(super) age: Duration,
    pub(super) job_key: JobKey,
    pub(super) now: jiff::Timestamp,
}

/// The time to wait: what ServiceNow asked for, else about as long as the outage has lasted
/// (which doubles from one attempt to the next) or the header says; spread so that a thousand jobs
/// do not come back at once.
pub(super) fn wait(wait: Wait) -> Duration {
    let base = match wait.retry_after {
        Some(asked) => asked.max(Duration::from_secs(1)),
        None => wait.age.clamp(MIN, MAX).max(wait.header.unwrap_or_default().min(LONGEST)),
    };
    let base = base.max(wait.at_least);
    base + base.mul_f64(0.25 * spread(wait.job_key, wait.now))
}

/// A number from 0 to 1 that differs from job to job and from attempt to attempt.
#[expect(clippy::cast_precision_loss, reason = "any spread does")]
fn spread(job_key: JobKey, now: jiff::Timestamp) -> f64 {
    // SplitMix64's finalizer.
    let mut x = job_key.0.cast_unsigned() ^ now.as_microsecond().cast_unsigned().rotate_left(32);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Wait, wait};
    use crate::job::JobKey;

    fn seconds(retry_after: Option<u64>, header: Option<u64>, age: u64, key: i64) -> f64 {
        wait(Wait {
            retry_after: retry_after.map(Duration::from_secs),
            header: header.map(Duration::from_secs),
            at_least: Duration::ZERO,
            age: Duration::from_secs(age),
            job_key: JobKey(key),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        })
        .as_secs_f64()
    }

    fn within(value: f64, base: f64) -> bool {
        (base..=base * 1.25).contains(&value)
    }

    #[test]
    fn the_wait_grows_with_the_outage_up_to_a_limit() {
        for (age, base) in [(0, 2.0), (10, 10.0), (100, 100.0), (80_000, 300.0)] {
            assert!(within(seconds(None, None, age, 7), base), "{age}");
        }
    }

    #[test]
    fn what_servicenow_asks_for_comes_first() {
        assert!(within(seconds(Some(90), Some(600), 0, 7), 90.0));
        assert!(within(seconds(Some(0), None, 0, 7), 1.0));
    }

    #[test]
    fn the_header_lengthens_but_never_shortens() {
        assert!(within(seconds(None, Some(60), 0, 7), 60.0));
        assert!(within(seconds(None, Some(0), 30, 7), 30.0));
    }

    #[test]
    fn jobs_do_not_come_back_at_once() {
        let waits: Vec<_> = (0..100).map(|key| seconds(Some(100), None, 0, key)).collect();
        let early = waits.iter().filter(|wait| **wait < 112.5).count();
        assert!((25..=75).contains(&early), "{early}");
    }
}
