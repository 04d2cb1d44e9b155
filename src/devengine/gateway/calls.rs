//! What the gateway saw: counts of everything, and all calls but questions for the topology
//! word for word.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tonic::Code;

use crate::zeebe::proto;

/// Calls with the messages that they carry, and how a message becomes a call.
macro_rules! calls {
    ($($call:ident: $rpc:literal $message:ident,)*) => {
        /// A call as it came.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call {
            $(
                #[doc = concat!("`", $rpc, "`.")]
                $call(proto::$message),
            )*
        }

        $(
            impl From<proto::$message> for Call {
                fn from(message: proto::$message) -> Self {
                    Self::$call(message)
                }
            }
        )*
    };
}

calls! {
    Poll: "ActivateJobs" ActivateJobsRequest,
    Stream: "StreamActivatedJobs" StreamActivatedJobsRequest,
    Complete: "CompleteJob" CompleteJobRequest,
    Fail: "FailJob" FailJobRequest,
    Throw: "ThrowError" ThrowErrorRequest,
    Extend: "UpdateJobTimeout" UpdateJobTimeoutRequest,
    Retries: "UpdateJobRetries" UpdateJobRetriesRequest,
    Resolve: "ResolveIncident" ResolveIncidentRequest,
    Deploy: "DeployResource" DeployResourceRequest,
    Create: "CreateProcessInstance" CreateProcessInstanceRequest,
    CreateWithResult: "CreateProcessInstanceWithResult" CreateProcessInstanceWithResultRequest,
    Cancel: "CancelProcessInstance" CancelProcessInstanceRequest,
    Publish: "PublishMessage" PublishMessageRequest,
    Broadcast: "BroadcastSignal" BroadcastSignalRequest,
    SetVariables: "SetVariables" SetVariablesRequest,
}

/// A call and what the engine made of it, whatever the client was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The call.
    pub call: Call,
    /// What the engine made of it.
    pub result: Code,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Figures since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections accepted.
    pub connections: Count,
    /// Polls begun.
    pub polls: Count,
    /// Jobs handed to polls.
    pub polled: Count,
    /// Streams opened.
    pub streams: Count,
    /// Jobs that the transport took from streams.
    pub pushed: Count,
    /// `CompleteJob`, accepted or not.
    pub completes: Count,
    /// `FailJob`, accepted or not.
    pub fails: Count,
    /// `ThrowError`, accepted or not.
    pub throws: Count,
    /// `UpdateJobTimeout`, accepted or not.
    pub extends: Count,
    /// Jobs that ended, by completion or error.
    pub ended: Count,
    /// `Topology`.
    pub topologies: Count,
    /// Calls that a fault befell.
    pub faulty: Count,
    /// Calls turned away for their credentials.
    pub unauthenticated: Count,
}

impl Counters {
    /// Counts a command, if it is about a job.
    pub(super) fn command(&self, call: &Call, result: Code) {
        let (count, ends) = match call {
            Call::Complete(_) => (&self.completes, true),
            Call::Throw(_) => (&self.throws, true),
            Call::Fail(_) => (&self.fails, false),
            Call::Extend(_) => (&self.extends, false),
            _ => return,
        };
        count.add(1);
        self.ended.add(usize::from(ends && result == Code::Ok));
    }
}

/// Keeps the latest calls, as many as it is told to.
#[derive(Debug)]
pub(super) struct Recorder {
    capacity: usize,
    calls: Mutex<VecDeque<Seen>>,
}

impl Recorder {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, calls: Mutex::default() }
    }

    pub(super) fn add(&self, call: Call, result: Code) {
        if self.capacity > 0 {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            if calls.len() == self.capacity {
                calls.pop_front();
            }
            calls.push_back(Seen { call, result });
        }
    }

    pub(super) fn calls(&self) -> Vec<Seen> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }
}
