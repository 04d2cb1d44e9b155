//! Between the wire and our own words: the only place where both meet.

use std::time::Duration;

use prost::Message;
use serde_json::{Map, Value};

use super::proto;
use crate::{
    job::{Job, JobKey, JobRef, Variables},
    outcome::{MAX_MESSAGE_CHARS, cut},
    ports::{GatewayError, GatewayErrorKind, Subscription, Topology},
};

/// Gateways refuse requests over 4 MiB; some room is left for headers and framing.
const MAX_COMMAND_BYTES: usize = 4 * 1024 * 1024 - 16 * 1024;

/// A job from the wire. One whose headers or variables are no JSON object is kept with its
/// defect, since dropping it would only bring it back.
pub(super) fn job(wire: proto::ActivatedJob) -> Job {
    let mut defect = None;
    let custom_headers = object(&wire.custom_headers, "custom headers", &mut defect);
    let variables = object(&wire.variables, "variables", &mut defect);
    let or_default = |tenant: String| {
        if tenant.is_empty() { "<default>".to_owned() } else { tenant }
    };
    Job {
        id: JobRef {
            key: JobKey(wire.key),
            lease: wire.job_lease_token.filter(|token| !token.is_empty()),
        },
        job_type: wire.r#type,
        process_instance_key: wire.process_instance_key,
        bpmn_process_id: wire.bpmn_process_id,
        process_definition_version: wire.process_definition_version,
        process_definition_key: wire.process_definition_key,
        element_id: wire.element_id,
        element_instance_key: wire.element_instance_key,
        custom_headers,
        variables,
        deadline_ms: wire.deadline,
        retries: wire.retries,
        tenant_id: or_default(wire.tenant_id),
        defect,
    }
}

fn object(text: &str, what: &str, defect: &mut Option<String>) -> Map<String, Value> {
    if text.is_empty() {
        return Map::new();
    }
    serde_json::from_str(text).unwrap_or_else(|error| {
        *defect = Some(format!("the job's {what} cannot be read: {error}"));
        Map::new()
    })
}

/// A poll's request.
pub(super) fn activate(
    subscription: &Subscription,
    max_jobs: usize,
    wait: Option<Duration>,
) -> proto::ActivateJobsRequest {
    proto::ActivateJobsRequest {
        r#type: subscription.job_type.clone(),
        worker: subscription.worker.clone(),
        timeout: millis(subscription.timeout),
        max_jobs_to_activate: i32::try_from(max_jobs).unwrap_or(i32::MAX),
        fetch_variable: subscription.fetch_variables.clone(),
        // Zero would be the gateway's own default.
        request_timeout: wait.map_or(-1, |wait| millis(wait).max(1)),
        tenant_ids: subscription.tenants.clone(),
        with_lease: subscription.lease,
    }
}

/// A stream's request.
pub(super) fn stream(subscription: &Subscription) -> proto::StreamActivatedJobsRequest {
    proto::StreamActivatedJobsRequest {
        r#type: subscription.job_type.clone(),
        worker: subscription.worker.clone(),
        timeout: millis(subscription.timeout),
        fetch_variable: subscription.fetch_variables.clone(),
        tenant_ids: subscription.tenants.clone(),
        with_lease: subscription.lease,
    }
}

/// `CompleteJob`.
pub(super) fn complete(job: &JobRef, variables: &Variables) -> proto::CompleteJobRequest {
    proto::CompleteJobRequest {
        job_key: job.key.0,
        variables: text(variables),
        job_lease_token: job.lease.clone(),
    }
}

/// `FailJob`.
pub(super) fn fail(
    job: &JobRef,
    retries: i32,
    message: &str,
    retry_backoff: Duration,
    variables: &Variables,
) -> proto::FailJobRequest {
    proto::FailJobRequest {
        job_key: job.key.0,
        retries: retries.max(0),
        error_message: cut(message, MAX_MESSAGE_CHARS),
        retry_back_off: millis(retry_backoff),
        variables: text(variables),
        job_lease_token: job.lease.clone(),
    }
}

/// `ThrowError`.
pub(super) fn throw(
    job: &JobRef,
    code: &str,
    message: &str,
    variables: &Variables,
) -> proto::ThrowErrorRequest {
    proto::ThrowErrorRequest {
        job_key: job.key.0,
        error_code: code.to_owned(),
        error_message: cut(message, MAX_MESSAGE_CHARS),
        variables: text(variables),
        job_lease_token: job.lease.clone(),
    }
}

/// `UpdateJobTimeout`.
pub(super) fn extend(job: &JobRef, timeout: Duration) -> proto::UpdateJobTimeoutRequest {
    proto::UpdateJobTimeoutRequest {
        job_key: job.key.0,
        timeout: millis(timeout),
        operation_reference: None,
        job_lease_token: job.lease.clone(),
    }
}

/// `SetVariables` in the element's own scope.
pub(super) fn remember(
    element_instance_key: i64,
    variables: &Variables,
) -> proto::SetVariablesRequest {
    proto::SetVariablesRequest {
        element_instance_key,
        variables: text(variables),
        local: true,
        operation_reference: None,
    }
}

/// Refuses a command that no gateway takes, before it is sent.
pub(super) fn sized<M: Message>(command: M) -> Result<M, GatewayError> {
    let size = command.encoded_len();
    if size <= MAX_COMMAND_BYTES {
        return Ok(command);
    }
    let message = format!("the command has {size} bytes, the engine takes {MAX_COMMAND_BYTES}");
    Err(GatewayError { kind: GatewayErrorKind::Invalid, message })
}

/// The cluster's topology, as far as we read it.
pub(super) fn topology(wire: proto::TopologyResponse) -> Topology {
    Topology {
        gateway_version: wire.gateway_version,
        brokers: wire.brokers.len(),
        partitions: wire.partitions_count,
    }
}

/// Variables as the wire wants them.
pub(super) fn text(variables: &Variables) -> String {
    if variables.is_empty() {
        return String::new();
    }
    serde_json::to_string(variables).unwrap_or_default()
}

/// Milliseconds, as the protocol counts.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_comes_over_with_its_exact_numbers() {
        let wire = proto::ActivatedJob {
            key: 7,
            r#type: "servicenow:record:1".to_owned(),
            custom_headers: r#"{"resultVariable":"x"}"#.to_owned(),
            variables: r#"{"n":9999999999999999999999999999999999999999}"#.to_owned(),
            job_lease_token: Some(String::new()),
            ..proto::ActivatedJob::default()
        };
        let job = job(wire);
        assert_eq!(job.id, JobRef { key: JobKey(7), lease: None });
        assert_eq!(job.variables["n"].to_string(), "9".repeat(40));
        assert_eq!(job.tenant_id, "<default>");
        assert_eq!(job.header("resultVariable"), Some("x"));
    }

    #[test]
    fn unreadable_variables_leave_a_job_with_a_defect() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for variables in ["[1]".to_owned(), "{".to_owned(), format!("{{\"a\":{deep}}}")] {
            let job = job(proto::ActivatedJob { variables, ..proto::ActivatedJob::default() });
            assert!(job.defect.unwrap().contains("variables"));
        }
    }

    #[test]
    fn a_command_beyond_the_gateways_limit_is_never_sent() {
        let job = JobRef { key: JobKey(1), lease: None };
        let big = Variables::from_iter([("x".to_owned(), Value::from("y".repeat(4_200_000)))]);
        let error = sized(complete(&job, &big)).unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Invalid);
        assert!(error.message.contains("4200"), "{}", error.message);
        assert!(sized(complete(&job, &Variables::new())).is_ok());
    }

    #[test]
    fn an_immediate_poll_is_not_the_gateways_default_wait() {
        let subscription = Subscription {
            job_type: "t".to_owned(),
            worker: "w".to_owned(),
            timeout: Duration::from_mins(1),
            fetch_variables: vec![],
            tenants: vec![],
            lease: false,
        };
        assert_eq!(activate(&subscription, 1, None).request_timeout, -1);
        assert_eq!(activate(&subscription, 1, Some(Duration::ZERO)).request_timeout, 1);
        assert_eq!(
            activate(&subscription, 1, Some(Duration::from_secs(10))).request_timeout,
            10_000
        );
    }
}
