//! What is made to go wrong, call by call.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tonic::{Code, Status};

/// The calls of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rpc {
    /// `ActivateJobs`.
    Poll,
    /// `StreamActivatedJobs`.
    Stream,
    /// `CompleteJob`.
    Complete,
    /// `FailJob`.
    Fail,
    /// `ThrowError`.
    Throw,
    /// `UpdateJobTimeout`.
    Extend,
    /// `UpdateJobRetries`.
    Retries,
    /// `ResolveIncident`.
    Resolve,
    /// `DeployResource`.
    Deploy,
    /// `CreateProcessInstance`.
    Create,
    /// `CreateProcessInstanceWithResult`.
    CreateWithResult,
    /// `CancelProcessInstance`.
    Cancel,
    /// `PublishMessage`.
    Publish,
    /// `BroadcastSignal`.
    Broadcast,
    /// `SetVariables`.
    SetVariables,
    /// `Topology`.
    Topology,
}

/// What happens to one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is done; the call gets this status.
    Refuse(Status),
    /// The call is done, but its answer is this status. A poll's jobs are sent before it; a
    /// stream ends with it before its first job.
    LoseAnswer(Code),
    /// The call is done; no answer ever comes. A poll's jobs are sent, but not its end.
    Silence,
    /// The call is done, and its connection is closed in place of an answer.
    Close,
    /// The call is done and answered, but only after this long.
    Delay(Duration),
    /// The call is done at once, but answered only after this long.
    AnswerLate(Duration),
    /// A stream brings one job in so much time; other calls are answered as ever.
    Slow(Duration),
}

/// Faults that wait for their calls.
#[derive(Debug, Default)]
pub struct Faults {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    waiting: HashMap<Rpc, VecDeque<Waiting>>,
    /// How many calls each fault has befallen, in the order in which they were added.
    struck: Vec<usize>,
}

#[derive(Debug)]
struct Waiting {
    fault: Fault,
    times: usize,
    number: usize,
}

impl Faults {
    /// What happens to the next `times` calls of a kind, after what is scripted for it already.
    /// Gives the number under which [`struck`](Self::struck) knows it.
    pub fn add(&self, rpc: Rpc, times: usize, fault: Fault) -> usize {
        let mut book = self.lock();
        let number = book.struck.len();
        book.struck.push(0);
        book.waiting.entry(rpc).or_default().push_back(Waiting { fault, times, number });
        number
    }

    /// How many calls a fault has befallen.
    pub fn struck(&self, number: usize) -> usize {
        self.lock().struck.get(number).copied().unwrap_or_default()
    }

    /// Forgets the faults that are still to come.
    pub fn clear(&self) {
        self.lock().waiting.clear();
    }

    /// The fault of the call that has just come, if it has one.
    pub(super) fn next(&self, rpc: Rpc) -> Option<Fault> {
        let mut book = self.lock();
        let queue = book.waiting.get_mut(&rpc)?;
        let first = queue.front_mut()?;
        let (fault, number) = (first.fault.clone(), first.number);
        first.times = first.times.saturating_sub(1);
        if first.times == 0 {
            queue.pop_front();
        }
        if let Some(times) = book.struck.get_mut(number) {
            *times += 1;
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
