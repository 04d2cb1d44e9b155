//! Counts that outlive the log: calls by verb, and what became of inserts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// What was asked and done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Calls by the verb as sent, answered or not; those to `/sandbox/…` are not among them.
    pub calls: BTreeMap<String, u64>,
    /// Records inserted through the Table API, by table; later deletions change nothing.
    pub inserted: BTreeMap<String, u64>,
    /// Inserts of a `sys_id` that was there already.
    pub repeated_inserts: u64,
}

/// The running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call came in.
    pub(crate) fn called(&self, method: &str) {
        *self.lock().calls.entry(method.to_owned()).or_default() += 1;
    }

    /// A record was inserted.
    pub(crate) fn inserted(&self, table: &str) {
        *self.lock().inserted.entry(table.to_owned()).or_default() += 1;
    }

    /// A record was to be inserted once more.
    pub(crate) fn repeated(&self) {
        self.lock().repeated_inserts += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Counts::default();
    }
}
