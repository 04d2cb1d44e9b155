//! Faults at work: what each does, what must be undone and when.

use std::time::Duration;

use servicenow_worker::crash_point::Next;

use super::{State, World};
use crate::{
    fault::{self, Class},
    net::{ENGINE, SERVICENOW},
};

/// What only whoever directs the play can do, and when.
#[derive(Clone, Debug)]
pub(crate) struct Direction {
    pub(crate) at: Duration,
    pub(crate) what: Healing,
}

/// The end of a process, or of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Healing {
    /// Kills a worker.
    Kill(usize),
    /// Starts it anew.
    Start(usize),
    /// Lets messages through again between a worker and the other host.
    Repair(usize, &'static str),
    /// Delivers what was held back between them.
    Release(usize, &'static str),
}

/// A fault that waits for a call there, and what it was meant for.
pub(super) struct Laid {
    point: &'static str,
    class: Class,
    for_whom: Victim,
}

enum Victim {
    /// The call that meets the rule of this number.
    ServiceNow(usize),
    /// The call that meets the fault of this number.
    Engine(usize),
}

/// Most calls at once whose answer or commit comes late: each holds a call's room for long.
const MOST_LATE: usize = 3;

/// Calls in flight at which both workers have more to do than they may at once.
const BUSY: usize = 5;
/// Shortest time between two roll-outs.
const ROLL_OUT: Duration = Duration::from_secs(40);

/// The name of a worker's host.
pub(crate) fn name(host: usize) -> String {
    format!("worker-{host}")
}

impl State {
    pub(super) fn choose(
        &mut self,
        point: &'static str,
        host: usize,
        now: Duration,
    ) -> Option<Class> {
        self.late.retain(|end| *end > now);
        let (late, it) = (self.late.len(), &self.hosts[host]);
        let (is_stopping, links) = (it.is_stopping, it.links);
        let may = |class| match class {
            Class::EngineCut | Class::EngineHold => !links[0],
            Class::ServiceNowCut | Class::ServiceNowHold => !links[1],
            Class::LateAnswer | Class::LateCommit => late < MOST_LATE || is_stopping,
            _ => true,
        };
        self.choice.at(point, now, &mut self.rng, may)
    }

    fn direct(&mut self, at: Duration, what: Healing) {
        self.directions.push(Direction { at, what });
    }

    /// A short while, a while, or a long one.
    fn some_time(&mut self) -> Duration {
        let (from, to) = [(100, 2_000), (2_000, 12_000), (12_000, 35_000)][self.rng.usize(..3)];
        Duration::from_millis(self.rng.u64(from..to))
    }
}

impl World {
    pub(super) fn strike(
        &self,
        point: &'static str,
        class: Class,
        host: usize,
        now: Duration,
    ) -> Next {
        self.note(&format!("worker-{host} is struck by {class:?}"));
        match class {
            Class::Crash => {
                self.kill(host, now);
                return Next::Freeze;
            }
            Class::Stop => return self.stop(host, now),
            Class::EngineCut | Class::ServiceNowCut | Class::EngineHold | Class::ServiceNowHold => {
                self.disturb_link(class, host, now);
            }
            Class::CommandLost | Class::EngineBusy => self.disturb_engine(point, class),
            Class::ClockStep => {
                let mut state = self.state();
                let step = state.clock_step_ms;
                let others = match state.hosts[host].off_by {
                    0 => [-step, step],
                    off_by => [0, -off_by],
                };
                state.hosts[host].off_by = others[state.rng.usize(..2)];
            }
            _ => self.disturb_servicenow(point, class, now),
        }
        Next::GoOn
    }

    /// Asks a worker to stop. Asked twice, it ends at once, as the program does.
    fn stop(&self, host: usize, now: Duration) -> Next {
        let mut state = self.state();
        if std::mem::replace(&mut state.hosts[host].is_stopping, true) {
            drop(state);
            self.kill(host, now);
            return Next::Freeze;
        }
        state.hosts[host].stop.cancel();
        Next::GoOn
    }

    /// Now and then, in the middle of work, a worker is asked to stop: as in a roll-out.
    pub(crate) fn roll_out(&self) {
        let is_busy = self.books().in_flight >= BUSY;
        let mut state = self.state();
        let now = state.time;
        if !is_busy || now < state.next_roll_out || !state.choice.wants_more() {
            return;
        }
        state.next_roll_out = now + ROLL_OUT;
        let workers = state.hosts.len();
        let host = state.rng.usize(..workers);
        let is_up = !state.hosts[host].is_dead && !state.hosts[host].is_stopping;
        drop(state);
        if is_up {
            self.note(&format!("worker-{host} is asked to stop"));
            let _goes_on = self.stop(host, now);
        }
    }

    /// Kills a worker before the next moment, and starts it anew after a while.
    pub(crate) fn kill(&self, host: usize, now: Duration) {
        let mut state = self.state();
        state.hosts[host].is_dead = true;
        let back = now + state.some_time();
        state.direct(Duration::ZERO, Healing::Kill(host));
        state.direct(back, Healing::Start(host));
    }

    fn disturb_link(&self, class: Class, host: usize, now: Duration) {
        let to_engine = matches!(class, Class::EngineCut | Class::EngineHold);
        let other = if to_engine { ENGINE } else { SERVICENOW };
        let is_cut = matches!(class, Class::EngineCut | Class::ServiceNowCut);
        let mut state = self.state();
        state.hosts[host].links[usize::from(!to_engine)] = true;
        let end = now + state.some_time();
        if is_cut {
            state.direct(end, Healing::Repair(host, other));
            turmoil::partition(name(host), other);
        } else {
            state.direct(end, Healing::Release(host, other));
            turmoil::hold(name(host), other);
        }
    }

    fn disturb_engine(&self, point: &'static str, class: Class) {
        let Some(engine) = self.engine() else { return };
        let mut state = self.state();
        let faults = engine.gateway().faults();
        let number = match class {
            Class::EngineBusy => fault::be_busy(faults, &mut state.rng),
            _ => fault::lose_command(faults, &mut state.rng),
        };
        state.laid.push(Laid { point, class, for_whom: Victim::Engine(number) });
    }

    fn disturb_servicenow(&self, point: &'static str, class: Class, now: Duration) {
        let mut state = self.state();
        if matches!(class, Class::LateAnswer | Class::LateCommit) {
            state.late.push(now + Duration::from_secs(75));
        }
        let faults = self.sandbox.faults();
        let for_whom = Victim::ServiceNow(faults.rules().len());
        state.laid.push(Laid { point, class, for_whom });
        match class.of_servicenow() {
            Some(what) => fault::befall(faults, what, &mut state.rng),
            None => fault::commit_late(faults, &mut state.rng),
        }
    }

    /// Faults that have met no call, by what they were meant for.
    pub(crate) fn unmet(&self) -> Vec<(&'static str, Class)> {
        let rules = self.sandbox.faults().rules();
        let is_met = |laid: &&Laid| match laid.for_whom {
            Victim::ServiceNow(number) => rules.get(number).is_some_and(|(_, met)| met.hits > 0),
            Victim::Engine(number) => {
                self.engine().is_some_and(|engine| engine.gateway().faults().struck(number) > 0)
            }
        };
        let state = self.state();
        let unmet = state.laid.iter().filter(|laid| !is_met(laid));
        unmet.map(|laid| (laid.point, laid.class)).collect()
    }

    /// What is to be done now.
    pub(crate) fn due(&self) -> Vec<Healing> {
        let mut state = self.state();
        let now = state.time;
        let (due, rest) = state.directions.drain(..).partition(|direction| direction.at <= now);
        state.directions = rest;
        let due: Vec<Direction> = due;
        for direction in &due {
            let (Healing::Repair(host, other) | Healing::Release(host, other)) = direction.what
            else {
                continue;
            };
            state.hosts[host].links[usize::from(other == SERVICENOW)] = false;
        }
        due.into_iter().map(|direction| direction.what).collect()
    }

    /// A worker does not run. If that is since it was asked to stop, it is started anew.
    pub(crate) fn has_left(&self, host: usize) -> bool {
        let mut state = self.state();
        let has_left = !std::mem::replace(&mut state.hosts[host].is_dead, true);
        if has_left {
            let back = state.time + state.some_time() / 8;
            state.direct(back, Healing::Start(host));
        }
        has_left
    }
}
