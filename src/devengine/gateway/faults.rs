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
    waiting: Mutex<HashMap<Rpc, VecDeque<(Fault, usize)>>>,
}

impl Faults {
    /// What happens to the next `times` calls of a kind, after what is scripted for it already.
    pub fn add(&self, rpc: Rpc, times: usize, fault: Fault) {
        self.lock().entry(rpc).or_default().push_back((fault, times));
    }

    /// Forgets the faults that are still to come.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The fault of the call that has just come, if it has one.
    pub(super) fn next(&self, rpc: Rpc) -> Option<Fault> {
        let mut waiting = self.lock();
        let queue = waiting.get_mut(&rpc)?;
        let (fault, times) = queue.front_mut()?;
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Rpc, VecDeque<(Fault, usize)>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
