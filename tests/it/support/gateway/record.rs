//! What the gateway saw: counts of everything, and the commands word for word.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use servicenow_worker::zeebe::proto::{
    ActivateJobsRequest, BroadcastSignalRequest, CancelProcessInstanceRequest, CompleteJobRequest,
    CreateProcessInstanceRequest, CreateProcessInstanceWithResultRequest, DeployResourceRequest,
    FailJobRequest, PublishMessageRequest, StreamActivatedJobsRequest, ThrowErrorRequest,
    UpdateJobTimeoutRequest,
};
use tonic::Code;

/// A call as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Poll(ActivateJobsRequest),
    Stream(StreamActivatedJobsRequest),
    Complete(CompleteJobRequest),
    Fail(FailJobRequest),
    Throw(ThrowErrorRequest),
    Extend(UpdateJobTimeoutRequest),
    Deploy(DeployResourceRequest),
    Create(CreateProcessInstanceRequest),
    CreateWithResult(CreateProcessInstanceWithResultRequest),
    Cancel(CancelProcessInstanceRequest),
    Publish(PublishMessageRequest),
    Signal(BroadcastSignalRequest),
}

/// A call and what the engine made of it, whatever the client was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) call: Call,
    pub(crate) result: Code,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Figures since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections accepted.
    pub(crate) connections: Count,
    /// Polls begun.
    pub(crate) polls: Count,
    /// Jobs handed to polls.
    pub(crate) polled: Count,
    /// Streams opened.
    pub(crate) streams: Count,
    /// Jobs that the transport took from streams.
    pub(crate) pushed: Count,
    /// Commands by kind, accepted or not.
    pub(crate) completes: Count,
    pub(crate) fails: Count,
    pub(crate) throws: Count,
    pub(crate) extends: Count,
    /// Jobs that ended, by completion or error.
    pub(crate) ended: Count,
    /// Calls that something befell.
    pub(crate) faulty: Count,
    /// Questions for the topology.
    pub(crate) topologies: Count,
    /// Calls turned away for their credentials.
    pub(crate) unauthenticated: Count,
}

/// Keeps calls; off for long measurements, whose calls would fill the memory.
#[derive(Debug)]
pub(super) struct Recorder {
    on: AtomicBool,
    calls: Mutex<Vec<Seen>>,
}

impl Recorder {
    pub(super) fn new(on: bool) -> Self {
        Self { on: AtomicBool::new(on), calls: Mutex::default() }
    }

    pub(super) fn add(&self, call: Call, result: Code) {
        if self.on.load(Ordering::Relaxed) {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(Seen { call, result });
        }
    }

    pub(super) fn calls(&self) -> Vec<Seen> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
