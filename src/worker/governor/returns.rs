//! When jobs that were sent away come again: one behind the other, no faster than they can be
//! dealt with.

use std::time::Duration;

use tokio::time::Instant;

/// Nobody is sent away for longer than this for want of room.
const LONGEST: Duration = Duration::from_mins(1);
/// Those who may not call at all come again so far apart, and stay away for no longer than this
/// beyond the time itself.
const APART: Duration = Duration::from_millis(20);
const LONGEST_APART: Duration = Duration::from_mins(5);
/// Part of the old mean that a new interval leaves.
const KEPT: f64 = 0.9;
/// Between the ends of two calls, before anything is known.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);

/// The queue of those outside, of which only the end is remembered.
#[derive(Debug)]
pub(super) struct Returns {
    last: Instant,
    ended: Instant,
    /// Mean time between the ends of two calls.
    interval: Duration,
}

impl Returns {
    /// Nobody is away.
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, ended: now, interval: FIRST_INTERVAL }
    }

    /// The first call after a while begins: nobody has waited for an end until now.
    pub(super) fn begins(&mut self, now: Instant) {
        self.ended = now;
    }

    /// A call ended.
    pub(super) fn call_ended(&mut self, now: Instant) {
        let interval = now.saturating_duration_since(self.ended).min(LONGEST);
        self.interval = self.interval.mul_f64(KEPT) + interval.mul_f64(1.0 - KEPT);
        self.ended = now;
    }

    /// How long a job stays away that found no room: they come again twice as fast as calls
    /// end, so that there is always one waiting.
    pub(super) fn for_want_of_room(&mut self, now: Instant) -> Duration {
        self.stay(now, self.interval(now) / 2, LONGEST)
    }

    /// The time from the end of one call to that of the next: the mean, or longer when the next
    /// has been awaited for longer already.
    pub(super) fn interval(&self, now: Instant) -> Duration {
        self.interval.max(now.saturating_duration_since(self.ended))
    }

    /// How long a job stays away that may not call before `moment`.
    pub(super) fn behind(&mut self, moment: Instant, now: Instant) -> Duration {
        self.stay(moment, APART, LONGEST_APART).saturating_add(moment - now)
    }

    /// Takes the last place in the queue, which begins at `first`.
    fn stay(&mut self, first: Instant, apart: Duration, longest: Duration) -> Duration {
        self.last = (self.last.max(first) + apart).min(first + longest);
        self.last - first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn jobs_come_again_twice_as_fast_as_calls_end() {
        let began = Instant::now();
        let mut returns = Returns::new(began);
        let now = began + millis(10_000);
        (1..=1_000).for_each(|call| returns.call_ended(began + millis(10) * call));
        let stays: Vec<_> = (0..100).map(|_| returns.for_want_of_room(now).as_millis()).collect();
        assert!((4..=6).contains(&stays[0]), "{stays:?}");
        assert!((450..=550).contains(&stays[99]), "{stays:?}");
    }

    #[test]
    fn where_no_call_ends_they_stay_away_for_a_minute() {
        let began = Instant::now();
        let mut returns = Returns::new(began);
        let now = began + Duration::from_secs(10);
        let stays: Vec<_> = (0..100).map(|_| returns.for_want_of_room(now).as_secs()).collect();
        assert_eq!((stays[0], stays[99]), (5, 60));
    }

    #[test]
    fn those_who_wait_for_the_end_of_a_window_come_behind_it() {
        let now = Instant::now();
        let mut returns = Returns::new(now);
        let window = now + millis(30_000);
        assert_eq!(returns.behind(window, now), millis(30_020));
        assert_eq!(returns.behind(window, now), millis(30_040));
        let later = now + millis(120_000);
        assert_eq!(returns.behind(later, later), millis(20));
    }
}
