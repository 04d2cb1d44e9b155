//! Second attempts may not add more than a tenth to the calls of an instance that fails.
//!
//! Each first attempt earns a part of a retry. Where there are no first attempts a trickle is
//! allowed, so that jobs get on all the same; and an instance that answers nine calls in ten
//! needs no protection, so that a backlog drains at full speed.

use std::time::Duration;

use tokio::time::Instant;

/// What a first attempt earns. The rest of the tenth is for the retries that go out before
/// an instance shows that it fails.
const SHARE: f64 = 0.09;
/// Most retries saved up.
const MOST: f64 = 10.0;
/// How long the last first attempt must be ago for the trickle: one retry in each such time.
const TRICKLE: Duration = Duration::from_secs(2);

/// The budget of one connection.
#[derive(Debug)]
pub(super) struct RetryBudget {
    saved: f64,
    /// The last first attempt, or the last retry of the trickle.
    quiet_since: Instant,
}

impl RetryBudget {
    /// A budget with nothing saved.
    pub(super) fn new(now: Instant) -> Self {
        Self { saved: 0.0, quiet_since: now }
    }

    /// A first attempt goes out.
    pub(super) fn first_attempt(&mut self, now: Instant) {
        self.saved = (self.saved + SHARE).min(MOST);
        self.quiet_since = now;
    }

    /// Whether a retry could go out now. On a healthy instance it costs nothing.
    pub(super) fn allows(&self, now: Instant, is_healthy: bool) -> bool {
        is_healthy || self.saved >= 1.0 || self.is_quiet(now)
    }

    /// A retry goes out, if it may.
    pub(super) fn take(&mut self, now: Instant, is_healthy: bool) -> bool {
        let may = self.allows(now, is_healthy);
        if may && !is_healthy {
            if self.saved >= 1.0 {
                self.saved -= 1.0;
            } else {
                self.quiet_since = now;
            }
        }
        may
    }

    fn is_quiet(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.quiet_since) >= TRICKLE
    }

    /// Retries saved up.
    pub(super) fn saved(&self) -> f64 {
        self.saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> (RetryBudget, Instant) {
        let now = Instant::now();
        let mut budget = RetryBudget::new(now);
        while budget.take(now, false) {}
        (budget, now)
    }

    #[test]
    fn on_a_failing_instance_eleven_first_attempts_earn_one_retry() {
        let (mut budget, now) = empty();
        let mut retries = 0;
        for _ in 0..1_100 {
            budget.first_attempt(now);
            retries += usize::from(budget.take(now, false));
        }
        assert!((98..=100).contains(&retries), "{retries}");
    }

    #[test]
    fn without_first_attempts_there_is_a_trickle() {
        let (mut budget, now) = empty();
        let seconds = (1..=120).map(|second| now + Duration::from_secs(second));
        let taken = seconds.filter(|&at| budget.take(at, false)).count();
        assert_eq!(taken, 60);
    }

    #[test]
    fn beside_first_attempts_there_is_none() {
        let (mut budget, now) = empty();
        let taken = (1..=10).filter(|&second| {
            let at = now + Duration::from_secs(second);
            budget.first_attempt(at);
            budget.take(at, false)
        });
        assert_eq!(taken.count(), 0);
    }

    #[test]
    fn a_healthy_instance_takes_all_retries() {
        let (mut budget, now) = empty();
        assert!(!budget.take(now, false));
        assert!((0..1_000).all(|_| budget.take(now, true)));
    }
}
