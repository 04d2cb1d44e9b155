//! What a test makes go wrong, call by call.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tonic::{Code, Status};

/// The calls of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rpc {
    Poll,
    Stream,
    Complete,
    Fail,
    Throw,
    Extend,
    Topology,
    Deploy,
    Create,
    CreateWithResult,
    Cancel,
    Publish,
    Signal,
}

/// What happens to one call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing is done; the call gets this status.
    Refuse(Status),
    /// The call is done, but its answer is this status. A poll's jobs are sent before it.
    LoseAnswer(Code),
    /// The call is done; no answer ever comes. A poll's jobs are sent, but not its end.
    Silence,
    /// The call is done and answered, but only after this long.
    Delay(Duration),
}

/// Faults that wait for their calls.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Mutex<HashMap<Rpc, VecDeque<(Fault, usize)>>>,
}

impl Faults {
    pub(super) fn add(&self, rpc: Rpc, times: usize, fault: Fault) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(rpc).or_default().push_back((fault, times));
    }

    pub(super) fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault of the call that has just come, if it has one.
    pub(super) fn next(&self, rpc: Rpc) -> Option<Fault> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = waiting.get_mut(&rpc)?;
        let (fault, times) = queue.front_mut()?;
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }
}
