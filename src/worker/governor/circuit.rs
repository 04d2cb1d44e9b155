//! Whether calls may go out at all: a breaker, and the windows that an instance asks for.
//!
//! Closed, calls go out. It opens when ServiceNow names a time (`Retry-After`,
//! `X-RateLimit-Reset`), or after failures in a row. When the time is over one call goes out
//! as a probe; the others wait for what it says.

use std::time::Duration;

use tokio::time::Instant;

use crate::servicenow::Reason;

/// Failures in a row that open it.
const IN_A_ROW: u32 = 5;
/// The first pause after failures; it doubles with each probe that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The least that a named time counts.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);

/// Whether a call may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes.
    Open,
    /// Yes, as the one that finds out.
    Probe,
    /// Not before the probe is back.
    Wait,
    /// No.
    Blocked(Blocked),
}

/// Why nothing goes out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    /// What the last failure was.
    pub(super) reason: Reason,
    /// When it began.
    pub(super) since: Instant,
    /// Until when.
    pub(super) until: Instant,
    /// Whether ServiceNow named that time itself.
    pub(super) is_named: bool,
}

/// The circuit of one connection.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    state: State,
    in_a_row: u32,
    probes_failed: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Blocked(Blocked),
    Probing(Blocked),
}

impl Circuit {
    /// Whether a call may go out; a [`Probe`](Admission::Probe) is taken by asking.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Open,
            State::Probing(_) => Admission::Wait,
            State::Blocked(blocked) if now < blocked.until => Admission::Blocked(blocked),
            State::Blocked(blocked) => {
                self.state = State::Probing(blocked);
                Admission::Probe
            }
        }
    }

    /// Whether calls go out without asking.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// What blocks it now, with or without a probe under way.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        match self.state {
            State::Closed => None,
            State::Blocked(blocked) | State::Probing(blocked) => Some(blocked),
        }
    }

    /// For figures: 0 closed, 1 probing, 2 open.
    pub(super) fn figure(&self) -> i64 {
        match self.state {
            State::Closed => 0,
            State::Probing(_) => 1,
            State::Blocked(_) => 2,
        }
    }

    /// A call came back well. Only a probe closes an open circuit: the others began before
    /// it opened.
    pub(super) fn answered(&mut self, was_probe: bool) {
        self.in_a_row = 0;
        if was_probe {
            *self = Self::default();
        }
    }

    /// A call failed. `window` is the time that ServiceNow named, `is_failing` whether its
    /// calls fail more often than not.
    pub(super) fn failed(&mut self, failed: Failed) {
        self.in_a_row += 1;
        match failed.window {
            Some(window) => self.block(failed, window.max(SHORTEST_WINDOW)),
            None if failed.was_probe => {
                self.probes_failed += 1;
                self.block(failed, self.pause());
            }
            None if self.is_closed() && (self.in_a_row >= IN_A_ROW || failed.is_failing) => {
                self.block(failed, self.pause());
            }
            None => {}
        }
    }

    /// A probe never went out, or nobody saw its end: another one may.
    pub(super) fn probe_lost(&mut self) {
        if let State::Probing(blocked) = self.state {
            self.state = State::Blocked(blocked);
        }
    }

    fn pause(&self) -> Duration {
        FIRST_PAUSE.saturating_mul(1 << self.probes_failed.min(8)).min(LONGEST_PAUSE)
    }

    fn block(&mut self, failed: Failed, pause: Duration) {
        let known = self.blocked();
        let until = failed.now + pause;
        let blocked = Blocked {
            reason: failed.reason,
            since: known.map_or(failed.now, |known| known.since),
            until: known.map_or(until, |known| known.until.max(until)),
            is_named: failed.window.is_some(),
        };
        self.state = match self.state {
            // A call from before the window: the probe's word still counts.
            State::Probing(_) if !failed.was_probe => State::Probing(blocked),
            _ => State::Blocked(blocked),
        };
    }
}

/// A call that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) now: Instant,
    pub(super) reason: Reason,
    pub(super) window: Option<Duration>,
    pub(super) was_probe: bool,
    pub(super) is_failing: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(now: Instant) -> Failed {
        Failed { now, reason: Reason::Busy, window: None, was_probe: false, is_failing: false }
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    fn open(now: Instant) -> Circuit {
        let mut circuit = Circuit::default();
        (0..IN_A_ROW).for_each(|_| circuit.failed(failed(now)));
        circuit
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_a_success_between_does_not() {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            (0..4).for_each(|_| circuit.failed(failed(now)));
            circuit.answered(false);
        }
        assert_eq!(circuit.admit(now), Admission::Open);
        assert!(matches!(open(now).admit(now), Admission::Blocked(_)));
    }

    #[test]
    fn one_call_probes_and_the_others_wait_for_it() {
        let now = Instant::now();
        let mut circuit = open(now);
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Probe);
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Wait);
        circuit.answered(true);
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Open);
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_half_a_minute() {
        let mut now = Instant::now();
        let mut circuit = open(now);
        let pauses: Vec<_> = (0..8)
            .map(|_| {
                let Some(blocked) = circuit.blocked() else { panic!("it is open") };
                let pause = blocked.until - now;
                now = blocked.until;
                assert_eq!(circuit.admit(now), Admission::Probe);
                circuit.failed(Failed { was_probe: true, ..failed(now) });
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn a_named_time_blocks_at_once_and_the_longest_counts() {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        circuit.failed(Failed { window: Some(seconds(60)), ..failed(now) });
        circuit.failed(Failed { window: Some(seconds(30)), ..failed(now) });
        circuit.answered(false);
        let Admission::Blocked(blocked) = circuit.admit(now + seconds(59)) else {
            panic!("it is blocked")
        };
        assert_eq!((blocked.until - now, blocked.since), (seconds(60), now));
        assert_eq!(circuit.admit(now + seconds(60)), Admission::Probe);
    }

    #[test]
    fn a_lost_probe_makes_room_for_another() {
        let now = Instant::now();
        let mut circuit = open(now);
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Probe);
        circuit.probe_lost();
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Probe);
    }

    #[test]
    fn late_failures_of_earlier_calls_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut circuit = open(now);
        circuit.failed(failed(now + seconds(1)));
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Probe);
        circuit.failed(failed(now + seconds(1)));
        assert_eq!(circuit.admit(now + seconds(1)), Admission::Wait);
    }
}
