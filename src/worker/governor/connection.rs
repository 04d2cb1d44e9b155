//! What is known of one connection, and the way in and out of a call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    budget::RetryBudget,
    circuit::{Admission, Blocked, Circuit, Failed},
    health::Health,
    limit::Limit,
    refusal,
    returns::Returns,
    room::{Held, Room},
};
use crate::{
    connector::Trouble,
    metrics::ConnectionGauges,
    servicenow::{NoAnswer, Reason},
};

/// The longer an outage, the longer its jobs stay away, but never so long that they would
/// miss its end by much.
const LONGEST_STAY: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub(in crate::worker) struct Connection {
    name: String,
    address: String,
    /// Room for calls; its permits follow the limit.
    room: Arc<Semaphore>,
    /// Told when the circuit changes.
    changed: Notify,
    state: Mutex<State>,
    gauges: ConnectionGauges,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    /// The limit that `room` was last made for.
    sized: usize,
    /// Permits still to be taken out of `room`, since calls hold them.
    owed: usize,
    circuit: Circuit,
    health: Health,
    budget: RetryBudget,
    held: usize,
    returns: Returns,
    used: Instant,
}

/// What a call is for the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum Attempt {
    /// The first call of a job that nothing is known of.
    First,
    /// The first call of a job that failed before.
    Again,
    /// A further call of a job.
    Further,
}

impl Connection {
    /// A connection that nothing is known of.
    pub(super) fn new(
        name: &str,
        address: &str,
        max_concurrency: usize,
        gauges: ConnectionGauges,
    ) -> Self {
        let limit = Limit::new(max_concurrency);
        let now = Instant::now();
        gauges.limit.set(gauge(limit.get()));
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            room: Arc::new(Semaphore::new(limit.get())),
            changed: Notify::new(),
            state: Mutex::new(State {
                sized: limit.get(),
                limit,
                owed: 0,
                circuit: Circuit::default(),
                health: Health::default(),
                budget: RetryBudget::new(now),
                held: 0,
                returns: Returns::new(now),
                used: now,
            }),
            gauges,
        }
    }

    /// Jobs that call or wait to.
    pub(in crate::worker) fn held(&self) -> usize {
        self.state().held
    }

    /// Jobs with which its calls never stop: one that waits behind each call.
    pub(super) fn enough(&self) -> usize {
        2 * self.state().limit.get()
    }

    /// A job calls or waits from now on.
    pub(super) fn joined(&self) {
        let mut state = self.state();
        let now = Instant::now();
        if state.held == 0 {
            state.returns.begins(now);
        }
        state.held += 1;
        state.used = now;
    }

    /// It does so no longer.
    pub(super) fn left(&self) {
        let mut state = self.state();
        state.held -= 1;
        state.used = Instant::now();
    }

    /// How long the jobs that it holds will take, by the pace of its latest calls, or by the
    /// one that it is on its way to while all goes well.
    pub(super) fn time_for_those_held(&self) -> Duration {
        let state = self.state();
        let held = u32::try_from(state.held).unwrap_or(u32::MAX);
        let time = state.returns.interval(Instant::now()).saturating_mul(held);
        if state.health.is_good() { state.limit.at_its_best(time, state.held) } else { time }
    }

    /// A job is sent away for want of room; for how long.
    pub(in crate::worker) fn turn_away(&self) -> Duration {
        self.state().returns.for_want_of_room(Instant::now())
    }

    /// Whether a job came by lately.
    pub(super) fn is_in_use(&self, now: Instant, lately: Duration) -> bool {
        let state = self.state();
        state.held > 0 || now.saturating_duration_since(state.used) < lately
    }

    /// Whether calls are held back.
    pub(super) fn is_blocked(&self) -> bool {
        self.state().circuit.blocked().is_some()
    }

    /// Waits for room for a call; the error says why there will be none for a while.
    pub(in crate::worker) async fn enter(
        self: &Arc<Self>,
        attempt: Attempt,
    ) -> Result<Room, NoAnswer> {
        let held = Held::new(self);
        loop {
            let changed = self.changed.notified();
            match self.admit(attempt)? {
                Admission::Probe => return Ok(Room::new(held, None)),
                Admission::Wait => changed.await,
                _ => tokio::select! {
                    biased;
                    () = changed => {}
                    permit = Arc::clone(&self.room).acquire_owned() => {
                        if self.state().circuit.is_closed() {
                            self.goes_out(attempt)?;
                            return Ok(Room::new(held, permit.ok()));
                        }
                    }
                },
            }
        }
    }

    fn admit(&self, attempt: Attempt) -> Result<Admission, NoAnswer> {
        let now = Instant::now();
        let mut state = self.state();
        let admission = state.circuit.admit(now);
        self.show(&state);
        match admission {
            Admission::Blocked(blocked) => {
                let stay = state.returns.behind(Self::earliest(blocked, now), now);
                Err(refusal::blocked(&self.place(), blocked, now, stay))
            }
            Admission::Open if attempt == Attempt::Again => {
                let may = state.budget.allows(now, state.health.is_good());
                if may { Ok(Admission::Open) } else { Err(refusal::no_budget(&self.place())) }
            }
            admission => Ok(admission),
        }
    }

    /// Books a call, which others may have left no budget for since it began to wait.
    fn goes_out(&self, attempt: Attempt) -> Result<(), NoAnswer> {
        let now = Instant::now();
        let mut state = self.state();
        let is_healthy = state.health.is_good();
        let may = match attempt {
            Attempt::First => {
                state.budget.first_attempt(now);
                true
            }
            Attempt::Again => state.budget.take(now, is_healthy),
            Attempt::Further => true,
        };
        if may { Ok(()) } else { Err(refusal::no_budget(&self.place())) }
    }

    /// When a job that is held back may come again: after the time that ServiceNow named, or
    /// later the longer the outage has lasted.
    fn earliest(blocked: Blocked, now: Instant) -> Instant {
        let outage = now.saturating_duration_since(blocked.since).min(LONGEST_STAY);
        let until = blocked.until.max(now);
        if blocked.is_named { until } else { until.max(now + outage) }
    }

    /// What it is called in texts.
    fn place(&self) -> String {
        format!("connection '{}' to {}", self.name, self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call ended, well or with this trouble.
    pub(super) fn ended(&self, began: Instant, was_probe: bool, trouble: Option<Trouble>) {
        let now = Instant::now();
        let mut state = self.state();
        let before = state.circuit.blocked();
        let trouble = trouble.filter(|trouble| trouble.reason.is_transient());
        state.health.ended(trouble.is_some());
        state.returns.call_ended(now);
        match trouble {
            None => {
                let was_full = self.room.available_permits() == 0;
                state.limit.answered(was_full);
                state.circuit.answered(was_probe);
                if was_probe {
                    state.health = Health::default();
                }
            }
            Some(Trouble { reason, retry_after }) => {
                if reason != Reason::Unreachable {
                    state.limit.strained(began, now);
                }
                // What may have been done belongs to that call alone, not to those held back.
                let reason = match reason {
                    Reason::OutcomeUnknown => Reason::Unreachable,
                    reason => reason,
                };
                let is_failing = state.health.is_bad();
                let window = retry_after;
                state.circuit.failed(Failed { now, reason, window, was_probe, is_failing });
            }
        }
        let after = state.circuit.blocked();
        let is_changed = before != after;
        self.resize(&mut state);
        self.show(&state);
        drop(state);
        if is_changed {
            self.tell(before, after, now);
            self.changed.notify_waiters();
        }
    }

    /// Nobody saw how a call ended.
    pub(super) fn abandoned(&self, was_probe: bool) {
        if was_probe {
            let mut state = self.state();
            state.circuit.probe_lost();
            self.show(&state);
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// Brings the room in line with the limit.
    fn resize(&self, state: &mut State) {
        let (before, limit) = (state.sized, state.limit.get());
        state.sized = limit;
        if limit > before {
            let paid = (limit - before).min(state.owed);
            state.owed -= paid;
            self.room.add_permits(limit - before - paid);
        } else {
            let cut = before - limit;
            state.owed += cut - self.room.forget_permits(cut);
        }
    }

    fn show(&self, state: &State) {
        self.gauges.limit.set(gauge(state.limit.get()));
        self.gauges.circuit.set(state.circuit.figure());
        self.gauges.retries_left.set(state.budget.saved());
    }

    /// A call needs its permit no longer.
    pub(super) fn give_back(&self, permit: OwnedSemaphorePermit) {
        let mut state = self.state();
        if state.owed > 0 {
            state.owed -= 1;
            permit.forget();
        }
    }

    fn tell(&self, before: Option<Blocked>, after: Option<Blocked>, now: Instant) {
        let (connection, address) = (&self.name, &self.address);
        match (before, after) {
            (None, Some(blocked)) => tracing::warn!(
                connection,
                address,
                reason = blocked.reason.as_str(),
                seconds = (blocked.until - now).as_secs(),
                "calls are held back; their jobs go back to the engine, retries unchanged"
            ),
            (Some(blocked), None) => tracing::info!(
                connection,
                address,
                seconds = (now - blocked.since).as_secs(),
                "calls go out again"
            ),
            _ => {}
        }
    }
}

fn gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection whose calls fail, with room for one at a time and nine retries saved.
    fn failing() -> Arc<Connection> {
        let connection = Connection::new("default", "https://dev1", 1, ConnectionGauges::default());
        {
            let mut state = connection.state();
            (0..20).for_each(|_| state.health.ended(true));
            (0..100).for_each(|_| state.budget.first_attempt(Instant::now()));
        }
        Arc::new(connection)
    }

    fn saved(connection: &Connection) -> f64 {
        connection.state().budget.saved()
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_leaves_before_its_call_neither_earns_nor_spends_retries() {
        let connection = failing();
        let room = connection.enter(Attempt::Further).await.unwrap();
        let before = saved(&connection);
        for attempt in [Attempt::First, Attempt::Again] {
            let patience = Duration::from_secs(1);
            let left = tokio::time::timeout(patience, connection.enter(attempt)).await;
            assert!(left.is_err());
        }
        assert!((saved(&connection) - before).abs() < f64::EPSILON);
        drop(room);
        let _room = connection.enter(Attempt::Again).await.unwrap();
        assert!((saved(&connection) - (before - 1.0)).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn the_figure_tells_of_a_probe_while_it_is_out() {
        let connection = failing();
        let room = connection.enter(Attempt::Further).await.unwrap();
        room.ended(Some(Trouble { reason: Reason::Busy, retry_after: None }));
        assert_eq!(connection.gauges.circuit.get(), 2);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let probe = connection.enter(Attempt::Further).await.unwrap();
        assert_eq!(connection.gauges.circuit.get(), 1);
        drop(probe);
        assert_eq!(connection.gauges.circuit.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_finds_the_budget_gone_that_it_waited_for() {
        let connection = failing();
        let room = connection.enter(Attempt::Further).await.unwrap();
        let waiting = tokio::spawn({
            let connection = Arc::clone(&connection);
            async move { connection.enter(Attempt::Again).await.map(drop) }
        });
        tokio::task::yield_now().await;
        connection.state().budget = RetryBudget::new(Instant::now());
        drop(room);
        let refused = waiting.await.unwrap().unwrap_err();
        assert!(refused.message.contains("fail too often"), "{}", refused.message);
    }
}
