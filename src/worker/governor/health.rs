//! How the latest calls of a connection ended.

/// Calls whose ends are remembered.
const REMEMBERED: u32 = 20;
/// Failures among them that do not count as failing yet.
const HEALTHY: u32 = 2;

/// The latest ends.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// The newest in the lowest bit; 1 is a failure.
    ends: u32,
    known: u32,
}

impl Health {
    /// A call ended.
    pub(super) fn ended(&mut self, failed: bool) {
        self.ends = (self.ends << 1 | u32::from(failed)) & ((1 << REMEMBERED) - 1);
        self.known = (self.known + 1).min(REMEMBERED);
    }

    /// Whether nearly all went well.
    pub(super) fn is_good(&self) -> bool {
        self.ends.count_ones() <= HEALTHY
    }

    /// Whether more than half failed, once there are enough of them to say so.
    pub(super) fn is_bad(&self) -> bool {
        self.known == REMEMBERED && self.ends.count_ones() * 2 > REMEMBERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_needs_twenty_calls_and_more_than_half_of_them_failed() {
        let mut health = Health::default();
        (0..19).for_each(|_| health.ended(true));
        assert!(!health.is_bad() && !health.is_good());
        health.ended(true);
        assert!(health.is_bad());
        (0..10).for_each(|_| health.ended(false));
        assert!(!health.is_bad() && !health.is_good());
        (0..8).for_each(|_| health.ended(false));
        assert!(health.is_good());
    }
}
