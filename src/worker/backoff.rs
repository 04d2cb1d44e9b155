//! Growing pauses with jitter: pure arithmetic, and a counter around it.

use std::time::Duration;

/// How pauses grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    attempts: u32,
}

/// Each pause is this much longer than the one before (the Java client's factor).
const FACTOR: f64 = 1.6;

impl Backoff {
    pub(super) const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, attempts: 0 }
    }

    /// For calls to the gateway: 50 ms to 4 s, so that one that is back is found within 5 s.
    pub(super) const fn gateway() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(4))
    }

    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pause(fastrand::f64());
        self.attempts = self.attempts.saturating_add(1);
        pause
    }

    /// Starts over, after a success.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The pause after so many attempts, spread by ±20 % with `random` in 0..1.
    fn pause(&self, random: f64) -> Duration {
        let exponent = i32::try_from(self.attempts.min(64)).unwrap_or(64);
        let plain = (self.first.as_secs_f64() * FACTOR.powi(exponent)).min(self.max.as_secs_f64());
        Duration::from_secs_f64(plain * (0.8 + 0.4 * random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_maximum_and_start_over_after_a_success() {
        let mut backoff = Backoff::gateway();
        assert_eq!(backoff.pause(0.5), Duration::from_millis(50));
        backoff.attempts = 2;
        assert_eq!(backoff.pause(0.5), Duration::from_millis(128));
        backoff.attempts = u32::MAX;
        assert_eq!(backoff.pause(0.5), Duration::from_secs(4));
        assert_eq!(backoff.pause(0.0).as_millis(), 3_200);
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(60));
    }

    #[test]
    fn row_5_a_gateway_that_is_back_is_asked_within_5_s() {
        let backoff = Backoff { attempts: u32::MAX, ..Backoff::gateway() };
        assert!(backoff.pause(1.0) < Duration::from_secs(5), "{:?}", backoff.pause(1.0));
    }
}
