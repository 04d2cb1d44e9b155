//! What is told to those who watch: the runtime's events, and what becomes of jobs.

use std::time::Duration;

use super::record::{Event, Key, Variables};

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Of a process.
    Process(Event),
    /// Of a job, between worker and queue.
    Job(JobNote),
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobNote {
    /// Its key.
    pub key: Key,
    /// The job type.
    pub job_type: String,
    /// Key of the process instance.
    pub process_instance_key: Key,
    /// Id of the element.
    pub element_id: String,
    /// The step.
    pub step: JobStep,
}

/// A step in a job's life.
#[derive(Clone, Debug, PartialEq)]
pub enum JobStep {
    /// A worker got it.
    Activated {
        /// The worker's name.
        worker: String,
    },
    /// Its worker did it.
    Completed {
        /// What the worker handed in.
        variables: Variables,
    },
    /// Its worker could not do it.
    Failed {
        /// Retries left.
        retries: i32,
        /// Why.
        message: String,
        /// How long it waits before it comes again.
        back_off: Duration,
    },
    /// Its worker threw a BPMN error.
    Thrown {
        /// The error code.
        code: String,
        /// Why.
        message: String,
    },
    /// Its worker did not end it in time.
    TimedOut,
}
