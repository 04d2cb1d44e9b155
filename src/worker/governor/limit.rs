//! How many calls at once: up by one while all of them are used and answered, down by a
//! third when the instance shows strain (AIMD).

use std::time::Duration;

use tokio::time::Instant;

/// Calls at once before anything is known of an instance.
const FIRST: usize = 4;

/// The adaptive limit of one connection.
#[derive(Debug)]
pub(super) struct Limit {
    now: usize,
    max: usize,
    /// Good answers since the last change, counted while the limit was reached.
    good: usize,
    /// Calls begun before this moment say nothing about the limit of today.
    changed: Option<Instant>,
}

impl Limit {
    /// A limit that never passes `max`, the operator's own.
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { now: FIRST.min(max), max, good: 0, changed: None }
    }

    /// Calls at once.
    pub(super) fn get(&self) -> usize {
        self.now
    }

    /// What takes so many jobs this long at the limit of now, at the highest that they can use.
    pub(super) fn at_its_best(&self, time: Duration, jobs: usize) -> Duration {
        let calls = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let best = self.max.min(jobs).max(self.now);
        time.saturating_mul(calls(self.now)) / calls(best)
    }

    /// A call came back well. `was_full` says whether no further call had room beside it: a
    /// limit that nobody reaches is not raised.
    pub(super) fn answered(&mut self, was_full: bool) {
        if !was_full || self.now == self.max {
            return;
        }
        self.good += 1;
        if self.good >= self.now {
            self.now += 1;
            self.good = 0;
        }
    }

    /// A call that began at `began` met strain. Calls of one round lower the limit once.
    pub(super) fn strained(&mut self, began: Instant, now: Instant) {
        if self.changed.is_some_and(|changed| began < changed) {
            return;
        }
        self.now = (self.now * 7 / 10).max(1);
        self.good = 0;
        self.changed = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_grows_by_one_a_round_while_it_is_used_up_to_the_maximum() {
        let mut limit = Limit::new(6);
        assert_eq!(limit.get(), 4);
        (0..100).for_each(|_| limit.answered(false));
        assert_eq!(limit.get(), 4);
        (0..4).for_each(|_| limit.answered(true));
        assert_eq!(limit.get(), 5);
        (0..100).for_each(|_| limit.answered(true));
        assert_eq!(limit.get(), 6);
    }

    #[test]
    fn a_round_of_strained_calls_lowers_it_once_and_never_below_one() {
        let begin = Instant::now();
        let later = |seconds| begin + Duration::from_secs(seconds);
        let mut limit = Limit::new(16);
        (0..100).for_each(|_| limit.answered(true));
        let before = limit.get();
        limit.strained(begin, later(1));
        limit.strained(begin, later(2));
        assert_eq!(limit.get(), before * 7 / 10);
        for second in 3..60 {
            limit.strained(later(second), later(second));
        }
        assert_eq!(limit.get(), 1);
    }

    #[test]
    fn a_small_maximum_is_kept_from_the_start() {
        assert_eq!(Limit::new(1).get(), 1);
        assert_eq!(Limit::new(0).get(), 1);
    }
    #[test]
    fn jobs_use_no_more_calls_than_there_are_of_them() {
        let limit = Limit::new(1_000);
        let best = |jobs| limit.at_its_best(Duration::from_secs(16), jobs).as_secs();
        assert_eq!((best(1), best(4), best(8), best(2_000)), (16, 16, 8, 0));
    }
}
