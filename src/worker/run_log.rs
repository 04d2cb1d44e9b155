//! The one line a job leaves in the log.

use std::time::Duration;

use super::reporter::Reported;
use crate::{
    connector::{Finished, IdNotHonoured, Summary},
    job::Job,
    outcome::Outcome,
};

/// A job that ended with an outcome.
pub(super) fn finished(job: &Job, finished: &Finished, reported: Reported, took: Duration) {
    let summary = &finished.summary;
    let (command, detail) = match &finished.outcome {
        Outcome::Complete { .. } => ("complete", None),
        Outcome::Fail { message, .. } => ("fail", Some(message.as_str())),
        Outcome::ThrowError { code, .. } => ("throw_error", Some(code.as_str())),
    };
    let result = match summary.result {
        Ok(outcome) => outcome,
        Err(reason) => reason.as_str(),
    };
    tracing::info!(
        job_key = %job.id.key,
        process = job.bpmn_process_id,
        process_instance_key = job.process_instance_key,
        element = job.element_id,
        tenant = job.tenant_id,
        operation = summary.operation,
        connection = summary.connection,
        table = summary.table,
        sys_id = summary.sys_id,
        number = summary.number,
        outcome = result,
        command,
        ?reported,
        calls = summary.calls,
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        detail,
        "job"
    );
    if summary.id_not_honoured == Some(IdNotHonoured::First) {
        tracing::warn!(
            connection = summary.connection,
            table = summary.table,
            "this instance gives records of the table other sys_ids than it is asked for; from \
             now on each insert there looks first, as far as records can hold the job's mark"
        );
    }
    for warning in &summary.warnings {
        tracing::warn!(job_key = %job.id.key, element = job.element_id, warning, "job warning");
    }
}

/// A job whose lock ended before it could be reported.
pub(super) fn lost(job: &Job, took: Duration) {
    tracing::warn!(
        job_key = %job.id.key,
        element = job.element_id,
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "the job's lock ended; the engine offers it again"
    );
}

/// A record that a job has made, or may have made, for a process instance that is gone.
pub(super) fn orphan(job: &Job, summary: &Summary, what: &'static str) {
    tracing::warn!(
        job_key = %job.id.key,
        process = job.bpmn_process_id,
        process_instance_key = job.process_instance_key,
        element = job.element_id,
        tenant = job.tenant_id,
        connection = summary.connection,
        table = summary.table,
        sys_id = summary.sys_id,
        number = summary.number,
        url = summary.address,
        "{what}"
    );
}
