//! The latest deliveries, for tests and for curious people.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{Operation, sender::Tried};
use crate::sandbox::time;

/// Longest body kept, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// Longest answer kept, in characters.
const MAX_ANSWER: usize = 2 * 1024;

/// What a business rule sent, or is about to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Counts from 0, and goes on after a reset.
    pub id: u64,
    /// When the record changed.
    #[serde(serialize_with = "time::serialize")]
    pub at: Timestamp,
    /// The rule's name.
    pub rule: String,
    /// The record's own table.
    pub table: String,
    /// The record.
    pub sys_id: String,
    /// What happened to it.
    pub operation: Operation,
    /// `${event.key}` of this delivery.
    pub key: String,
    /// The verb.
    pub method: String,
    /// Where to.
    pub url: String,
    /// The body's first 16 KiB.
    pub body: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// The status of the latest try; none when it got no answer.
    pub status: Option<u16>,
    /// The beginning of the latest answer.
    pub answer: String,
    /// Why the latest try got no answer, or why there was none.
    pub error: Option<String>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    /// It waits for its turn or for another try, or is being tried.
    Pending,
    /// It was answered with a 2xx.
    Delivered,
    /// It was not, and is not tried again.
    Failed,
    /// It was given up: the queue was full, or the sandbox stopped.
    Dropped,
}

/// The log.
#[derive(Debug)]
pub(super) struct DeliveryLog {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    latest: VecDeque<Delivery>,
}

impl DeliveryLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a delivery down and returns its id.
    pub(super) fn begin(&self, mut delivery: Delivery) -> u64 {
        let mut entries = self.lock();
        delivery.id = entries.next;
        entries.next += 1;
        if self.capacity > 0 {
            if entries.latest.len() == self.capacity {
                entries.latest.pop_front();
            }
            entries.latest.push_back(delivery);
        }
        entries.next - 1
    }

    /// Notes what came of a try.
    pub(super) fn tried(&self, id: u64, tried: &Tried) {
        self.change(id, |delivery| {
            delivery.tries += 1;
            delivery.status = tried.status;
            delivery.answer = tried.answer.chars().take(MAX_ANSWER).collect();
            delivery.error.clone_from(&tried.error);
        });
    }

    /// Notes the end; `error` stands for an end that no try explains.
    pub(super) fn ended(&self, id: u64, state: DeliveryState, error: Option<String>) {
        self.change(id, |delivery| {
            delivery.state = state;
            delivery.error = error.or(delivery.error.take());
        });
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Delivery)) {
        let mut entries = self.lock();
        let at = entries.latest.binary_search_by_key(&id, |delivery| delivery.id);
        if let Some(delivery) = at.ok().and_then(|at| entries.latest.get_mut(at)) {
            change(delivery);
        }
    }

    pub(super) fn all(&self) -> Vec<Delivery> {
        self.lock().latest.iter().cloned().collect()
    }

    /// Forgets all, but gives no id twice: a delivery may still be at its end.
    pub(super) fn clear(&self) {
        self.lock().latest.clear();
    }
}

/// A body as the log keeps it.
pub(super) fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]).into_owned()
}
