//! Messages of the protocol into plain values, and back.

use serde_json::Value;
use tonic::{Code, Status};

use super::queue::millis;
use crate::{
    devengine::{
        engine::DEFAULT_TENANT,
        record::{JobFailure, Refusal, RefusalKind, ThrownError, Variables},
    },
    zeebe::proto,
};

/// Jobs of one batch have about so many bytes at most, as brokers keep it.
const MAX_BATCH_BYTES: usize = 3 * 1024 * 1024;
/// What a job has besides its texts.
const JOB_BYTES: usize = 256;

/// The status that a broker answers a refused command with.
pub(super) fn status(refusal: Refusal) -> Status {
    let code = match refusal.kind {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::AlreadyExists => Code::AlreadyExists,
        RefusalKind::FailedPrecondition => Code::FailedPrecondition,
        RefusalKind::InvalidArgument => Code::InvalidArgument,
    };
    Status::new(code, refusal.message)
}

/// A command that is wrong in itself.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal { kind: RefusalKind::InvalidArgument, message: message.into() }
}

/// Variables as they travel: text that holds an object, or nothing.
pub(super) fn variables(text: &str) -> Result<Variables, Refusal> {
    if text.trim().is_empty() {
        return Ok(Variables::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(_) => Err(invalid("variables: write a JSON object")),
        Err(error) => Err(invalid(format!("variables: not JSON: {error}"))),
    }
}

/// How a worker failed a job.
pub(super) fn failure(request: &proto::FailJobRequest) -> Result<JobFailure, Refusal> {
    Ok(JobFailure {
        retries: request.retries.max(0),
        message: request.error_message.clone(),
        variables: variables(&request.variables)?,
    })
}

/// The BPMN error that a worker threw.
pub(super) fn thrown(request: &proto::ThrowErrorRequest) -> Result<ThrownError, Refusal> {
    Ok(ThrownError {
        code: request.error_code.clone(),
        message: request.error_message.clone(),
        variables: variables(&request.variables)?,
    })
}

/// Whether a poll can be answered at all.
pub(super) fn check_poll(request: &proto::ActivateJobsRequest) -> Result<(), Refusal> {
    check_subscription(&request.r#type, request.timeout)?;
    if request.worker.trim().is_empty() {
        return Err(invalid("worker: write a name"));
    }
    if request.max_jobs_to_activate < 1 {
        return Err(invalid("maxJobsToActivate: write at least 1"));
    }
    Ok(())
}

/// Whether somebody can be handed jobs at all.
pub(super) fn check_subscription(job_type: &str, timeout: i64) -> Result<(), Refusal> {
    if job_type.trim().is_empty() {
        return Err(invalid("type: write a job type"));
    }
    if millis(timeout).is_zero() {
        return Err(invalid("timeout: write at least 1 millisecond"));
    }
    Ok(())
}

/// Whether a tenant is the only one there is.
pub(super) fn check_tenant(tenant: &str) -> Result<(), Refusal> {
    if tenant.is_empty() || tenant == DEFAULT_TENANT {
        return Ok(());
    }
    Err(invalid(format!("tenantId: there is no tenant '{tenant}', only {DEFAULT_TENANT}")))
}

/// Jobs in batches that a client can take; one empty batch when there are none.
pub(super) fn batches(jobs: Vec<proto::ActivatedJob>) -> Vec<proto::ActivateJobsResponse> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
    for job in jobs {
        let size = JOB_BYTES + job.variables.len() + job.custom_headers.len();
        if bytes + size > MAX_BATCH_BYTES && !batch.is_empty() {
            batches.push(proto::ActivateJobsResponse { jobs: std::mem::take(&mut batch) });
            bytes = 0;
        }
        bytes += size;
        batch.push(job);
    }
    if batches.is_empty() || !batch.is_empty() {
        batches.push(proto::ActivateJobsResponse { jobs: batch });
    }
    batches
}

/// A cluster of one broker with one partition.
pub(super) fn topology(version: &str) -> proto::TopologyResponse {
    let partition = proto::Partition { partition_id: 1, ..proto::Partition::default() };
    proto::TopologyResponse {
        brokers: vec![proto::BrokerInfo {
            partitions: vec![partition],
            version: version.to_owned(),
            ..proto::BrokerInfo::default()
        }],
        cluster_size: 1,
        partitions_count: 1,
        replication_factor: 1,
        gateway_version: version.to_owned(),
    }
}
