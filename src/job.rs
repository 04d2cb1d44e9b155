//! Our reading of an activated job: the unit of work that Zeebe leases to a worker.
//!
//! Names follow Camunda's `gateway.proto`. A [`Job`] is plain data; nothing in it is
//! trusted yet. `connector` reads its headers and variables.
#![deny(clippy::disallowed_types)]

use std::fmt;

use serde_json::{Map, Value};

/// Variables of a job or of a command: a JSON object.
pub type Variables = Map<String, Value>;

/// Identity of a job, unique in its cluster and stable over retries, time-outs and
/// resolved incidents. A newly entered element gets a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey(pub i64);

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What commands about a job must name: its key and, from Camunda 8.10 on, the lease
/// token that proves whose activation it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRef {
    /// The job's key.
    pub key: JobKey,
    /// The opaque token of this activation; absent before 8.10 or when not asked for.
    pub lease: Option<String>,
}

/// One activated job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Key and lease, as commands need them.
    pub id: JobRef,
    /// The job type the element was modelled with, e.g. `servicenow:record:1`.
    pub job_type: String,
    /// Key of the running process instance.
    pub process_instance_key: i64,
    /// Id of the process in its BPMN file.
    pub bpmn_process_id: String,
    /// Version of the deployed process definition.
    pub process_definition_version: i32,
    /// Key of the deployed process definition.
    pub process_definition_key: i64,
    /// Id of the BPMN element.
    pub element_id: String,
    /// Key of this one run of the element.
    pub element_instance_key: i64,
    /// Task headers: modelled, fixed.
    pub custom_headers: Map<String, Value>,
    /// The fetched variables: data.
    pub variables: Variables,
    /// End of the lock in milliseconds since 1970 by the broker's clock, which is not ours.
    pub deadline_ms: i64,
    /// Retries left, this attempt included.
    pub retries: i32,
    /// The tenant that owns the process instance; `<default>` without multi-tenancy.
    pub tenant_id: String,
    /// What could not be read of it. Such a job can only be failed.
    pub defect: Option<String>,
}

impl Job {
    /// The text of a task header; blank counts as absent, as in Camunda's connectors.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.custom_headers.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A job with nothing in it.
    pub(crate) fn job() -> Job {
        Job {
            id: JobRef { key: JobKey(1), lease: None },
            job_type: "servicenow:record:1".to_owned(),
            process_instance_key: 2,
            bpmn_process_id: "process".to_owned(),
            process_definition_version: 1,
            process_definition_key: 3,
            element_id: "task".to_owned(),
            element_instance_key: 4,
            custom_headers: Map::new(),
            variables: Map::new(),
            deadline_ms: 0,
            retries: 3,
            tenant_id: "<default>".to_owned(),
            defect: None,
        }
    }

    #[test]
    fn a_blank_header_counts_as_absent() {
        let mut job = job();
        job.custom_headers.insert("resultVariable".to_owned(), "  ".into());
        job.custom_headers.insert("retryBackoff".to_owned(), " PT1S ".into());
        assert_eq!(job.header("resultVariable"), None);
        assert_eq!(job.header("retryBackoff"), Some("PT1S"));
    }
}
