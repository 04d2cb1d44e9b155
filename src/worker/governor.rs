//! Load on ServiceNow, connection by connection: how many calls at once, whether any, and
//! whose jobs may wait.
//!
//! An instance in trouble is asked less: the limit adapts (`limit`), a circuit opens on
//! failures and for the times that ServiceNow names (`circuit`), second attempts have a
//! budget (`budget`). A call that may not go out is answered at once with
//! [`NoAnswerCause::HeldBack`](crate::servicenow::NoAnswerCause::HeldBack), and the connector
//! hands its job back like after any other transient failure: retries unchanged, later.
//! Nothing here is remembered beyond the process; replicas find out by themselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    metrics::{ConnectionGauges, Metrics},
    servicenow::{Endpoint, endpoint::INLINE},
};

mod budget;
mod circuit;
mod connection;
mod health;
mod limit;
mod refusal;
mod returns;
mod room;

pub(super) use connection::{Attempt, Connection};
pub(super) use room::Room;

/// Connections kept before unused ones are dropped; inline instances could add any number.
const KEPT: usize = 256;
/// A connection without jobs for so long is out of use.
const LATELY: Duration = Duration::from_mins(1);
/// A connection that needs longer than this for the jobs it holds is slow.
const SLOW: Duration = Duration::from_secs(5);
/// While every connection in use is held back, a job is taken at this pace: they could only
/// be handed back, but one of them must probe, and others may go elsewhere.
const TRICKLE: Duration = Duration::from_millis(250);

/// The connections that were used.
#[derive(Debug)]
pub(super) struct Governor {
    connections: Mutex<HashMap<Key, Arc<Connection>>>,
    /// How many the operator configured.
    configured: usize,
    metrics: Arc<Metrics>,
}

/// Name and address; inline instances share the name.
type Key = (String, String);

impl Governor {
    pub(super) fn new(configured: usize, metrics: Arc<Metrics>) -> Self {
        Self { connections: Mutex::default(), configured, metrics }
    }

    /// The endpoint's connection.
    pub(super) fn connection(&self, endpoint: &Endpoint) -> Arc<Connection> {
        let key = (endpoint.connection.clone(), endpoint.instance.base_url().to_owned());
        let mut connections = self.lock();
        if connections.len() >= KEPT && !connections.contains_key(&key) {
            let now = Instant::now();
            connections.retain(|_, connection| connection.is_in_use(now, LATELY));
        }
        let new = || {
            // Inline instances have no names of their own, and any number of them may come.
            let gauges = match key.0.as_str() {
                INLINE => ConnectionGauges::default(),
                name => self.metrics.connection(name),
            };
            Arc::new(Connection::new(&key.0, &key.1, endpoint.max_concurrency, gauges))
        };
        Arc::clone(connections.entry(key.clone()).or_insert_with(new))
    }

    /// Whether a connection holds more than its share of the worker's room for jobs while
    /// that is scarce, and does not get on with them: one slow instance may not use it up. Its
    /// share is no more than what keeps its calls going. One that is busy may have more; its
    /// jobs soon make room. `others` are the jobs that it holds beside the one that asks.
    pub(super) fn is_over_its_share(
        &self,
        connection: &Connection,
        others: usize,
        room: Occupancy,
    ) -> bool {
        let is_scarce = room.free * 4 < room.total;
        if !is_scarce {
            return false;
        }
        let now = Instant::now();
        let used = self.lock().values().filter(|c| c.is_in_use(now, LATELY)).count();
        let sharers = used.max(self.configured);
        let share = (room.total / sharers).min(connection.enough()).max(1);
        sharers > 1 && others >= share && connection.time_for_those_held() > SLOW
    }

    /// Returns when another job may be taken: at once, unless all would be handed back.
    pub(super) async fn pace(&self) {
        if self.is_all_blocked() {
            tokio::time::sleep(TRICKLE).await;
        }
    }

    /// Whether every connection in use is held back.
    pub(super) fn is_all_blocked(&self) -> bool {
        let now = Instant::now();
        let connections = self.lock();
        let mut used = connections.values().filter(|c| c.is_in_use(now, LATELY)).peekable();
        used.peek().is_some() && used.all(|connection| connection.is_blocked())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How full the worker is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occupancy {
    /// Slots that nobody holds.
    pub(super) free: usize,
    /// All of them.
    pub(super) total: usize,
}
