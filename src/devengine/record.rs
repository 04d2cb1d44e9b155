//! What goes into the runtime and what comes out of it: plain values.
//!
//! The runtime is a state machine without I/O or clock. Each command is a method that takes
//! the time; what follows from it is appended to its list of [`Event`]s, which the gateway
//! hands on: to the job queue, to whoever awaits a result, to the terminal.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};

/// Variables: a JSON object.
pub type Variables = Map<String, Value>;

/// A key, as the broker's: partition 1 in the upper bits, counting up from there.
pub type Key = i64;

/// Which process definition is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessRef {
    /// That one.
    Key(Key),
    /// The newest of a process.
    Latest(String),
    /// A version of a process.
    Version(String, i32),
}

/// A process instance to start.
#[derive(Clone, Debug, PartialEq)]
pub struct NewInstance {
    /// Of what.
    pub process: ProcessRef,
    /// Its variables.
    pub variables: Variables,
    /// Taken by at most one running instance of a process.
    pub business_id: Option<String>,
}

/// What a deployment made of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Key of the definition.
    pub key: Key,
    /// Id of the process.
    pub process_id: String,
    /// Its version, from 1.
    pub version: i32,
    /// Whether it was there already with the same content.
    pub is_duplicate: bool,
}

/// A process instance that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedInstance {
    /// Its key.
    pub key: Key,
    /// Key of its definition.
    pub definition_key: Key,
    /// Id of the process.
    pub process_id: String,
    /// Version of the definition.
    pub version: i32,
}

/// A job that wants a worker. Locks, back-off and pushes are the queue's; the runtime only
/// knows that it exists and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its key.
    pub key: Key,
    /// The job type.
    pub job_type: String,
    /// Key of the process instance.
    pub process_instance_key: Key,
    /// Id of the process.
    pub bpmn_process_id: String,
    /// Version of the process definition.
    pub process_definition_version: i32,
    /// Key of the process definition.
    pub process_definition_key: Key,
    /// Id of the element.
    pub element_id: String,
    /// Key of this run of the element.
    pub element_instance_key: Key,
    /// Task headers.
    pub headers: BTreeMap<String, String>,
    /// Retries.
    pub retries: i32,
}

/// A message to publish.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its name.
    pub name: String,
    /// Its correlation key; empty for message start events only.
    pub correlation_key: String,
    /// How long it is kept when nobody waits for it, in milliseconds.
    pub time_to_live_ms: i64,
    /// A second message of the same id, name and key is refused while the first is kept.
    pub message_id: String,
    /// Its variables.
    pub variables: Variables,
}

/// How a worker failed a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFailure {
    /// Retries left; 0 raises an incident.
    pub retries: i32,
    /// Why.
    pub message: String,
    /// Variables to set at the element.
    pub variables: Variables,
}

/// A BPMN error that a worker threw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThrownError {
    /// The error code.
    pub code: String,
    /// Why.
    pub message: String,
    /// Variables for whoever catches it.
    pub variables: Variables,
}

/// What happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A process instance began.
    InstanceStarted {
        /// Its key.
        instance: Key,
        /// Id of the process.
        process_id: String,
        /// Version of the definition.
        version: i32,
        /// The calling instance.
        parent: Option<Key>,
    },
    /// A token entered an element.
    ElementEntered {
        /// The process instance.
        instance: Key,
        /// Id of the element.
        element_id: String,
    },
    /// An element completed.
    ElementCompleted {
        /// The process instance.
        instance: Key,
        /// Id of the element.
        element_id: String,
    },
    /// An element was ended from outside: boundary event, terminate, cancellation.
    ElementTerminated {
        /// The process instance.
        instance: Key,
        /// Id of the element.
        element_id: String,
    },
    /// A job wants a worker.
    JobCreated(NewJob),
    /// A job exists no more, without a worker's command.
    JobCancelled(Key),
    /// A job's incident was resolved: it may be worked on again with these retries.
    JobResumed {
        /// The job.
        job: Key,
        /// Its retries.
        retries: i32,
    },
    /// An incident was raised.
    IncidentRaised(Incident),
    /// An incident was resolved or went away with its element.
    IncidentClosed(Key),
    /// A process instance ended.
    InstanceEnded {
        /// Its key.
        instance: Key,
        /// How.
        how: Ending,
        /// Its variables at the end.
        variables: Variables,
    },
    /// A mapping or condition answered with warnings.
    Warned {
        /// The process instance.
        instance: Key,
        /// Id of the element.
        element_id: String,
        /// What to know.
        warning: String,
    },
}

/// How a process instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its end events.
    Completed,
    /// By a command, or by its caller's end.
    Cancelled,
}

/// A process instance that waits for somebody to repair something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its key.
    pub key: Key,
    /// The process instance.
    pub instance: Key,
    /// Id of the process.
    pub process_id: String,
    /// Id of the element.
    pub element_id: String,
    /// The job, when it is one's.
    pub job: Option<Key>,
    /// Kind, in the broker's words: `JOB_NO_RETRIES`, `IO_MAPPING_ERROR`,
    /// `CONDITION_ERROR`, `EXTRACT_VALUE_ERROR`, `UNHANDLED_ERROR_EVENT`,
    /// `CALLED_ELEMENT_ERROR`; and ours, `STEP_LIMIT`, for a process that goes on and on
    /// without ever waiting.
    pub kind: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Why a command was refused, with the gRPC status that a broker answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Kind of refusal.
    pub kind: RefusalKind,
    /// The reason.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// There is no such process, instance, job or incident.
    NotFound,
    /// The message id, or the business id, is taken.
    AlreadyExists,
    /// The thing is in another state.
    FailedPrecondition,
    /// The command itself is wrong.
    InvalidArgument,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal of that kind.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
