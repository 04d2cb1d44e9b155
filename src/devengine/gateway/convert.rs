//! Messages of the protocol into plain values, and back.

use serde_json::Value;
use tonic::{Code, Status};

use super::queue::millis;
use crate::{
    devengine::{
        engine::{DEFAULT_TENANT, Deployment},
        record::{
            CreatedInstance, Deployed, JobFailure, Message, NewInstance, ProcessRef, Refusal,
            RefusalKind, ThrownError, Variables,
        },
    },
    zeebe::proto::{self, deployment::Metadata},
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
    Refusal::new(RefusalKind::InvalidArgument, message)
}

/// Variables as they travel: text that holds an object, or nothing.
pub(super) fn variables(text: &str) -> Result<Variables, Refusal> {
    if text.trim().is_empty() {
        return Ok(Variables::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(Value::Null) => Ok(Variables::new()),
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

/// The files of a deployment.
pub(super) fn files(request: &proto::DeployResourceRequest) -> Vec<(&str, &[u8])> {
    let files = request.resources.iter();
    files.map(|file| (file.name.as_str(), file.content.as_slice())).collect()
}

/// What a deployment made.
pub(super) fn deployed(deployment: Deployment, tenant: &str) -> proto::DeployResourceResponse {
    let process = |(resource_name, process): (String, Deployed)| proto::Deployment {
        metadata: Some(Metadata::Process(proto::ProcessMetadata {
            bpmn_process_id: process.process_id,
            version: process.version,
            process_definition_key: process.key,
            resource_name,
            tenant_id: tenant.to_owned(),
        })),
    };
    proto::DeployResourceResponse {
        key: deployment.key,
        deployments: deployment.processes.into_iter().map(process).collect(),
        tenant_id: tenant.to_owned(),
    }
}

/// The instance to start. An id comes before a key, and a version before the latest.
/// `demand` looks for the process, which brokers do before they look at instructions.
pub(super) fn new_instance(
    request: proto::CreateProcessInstanceRequest,
    demand: impl FnOnce(&ProcessRef) -> Result<(), Refusal>,
) -> Result<NewInstance, Refusal> {
    let instructed =
        !(request.start_instructions.is_empty() && request.runtime_instructions.is_empty());
    let process = match (request.bpmn_process_id, request.version) {
        (id, _) if id.is_empty() && request.process_definition_key < 0 => {
            return Err(invalid("bpmnProcessId: write it, or a processDefinitionKey"));
        }
        (id, _) if id.is_empty() => ProcessRef::Key(request.process_definition_key),
        (id, ..=-1) => ProcessRef::Latest(id),
        (id, version) => ProcessRef::Version(id, version),
    };
    if instructed {
        demand(&process)?;
        return Err(invalid(
            "startInstructions, runtimeInstructions: the dev engine begins at the start event and \
             goes on to the end; leave them out",
        ));
    }
    let variables = variables(&request.variables)?;
    let business_id = request.business_id;
    Ok(NewInstance { process, variables, business_id })
}

/// The instance that was started.
pub(super) fn created(
    created: CreatedInstance,
    tenant_id: String,
) -> proto::CreateProcessInstanceResponse {
    proto::CreateProcessInstanceResponse {
        process_definition_key: created.definition_key,
        bpmn_process_id: created.process_id,
        version: created.version,
        process_instance_key: created.key,
        tenant_id,
    }
}

/// Keeps the variables that were asked for; all when none were.
pub(super) fn fetched(variables: &mut Variables, fetch: &[String]) {
    if !fetch.is_empty() {
        variables.retain(|name, _| fetch.contains(name));
    }
}

/// The instance that was started and has ended.
pub(super) fn result(
    created: CreatedInstance,
    variables: Variables,
    tenant_id: String,
) -> proto::CreateProcessInstanceWithResultResponse {
    proto::CreateProcessInstanceWithResultResponse {
        process_definition_key: created.definition_key,
        bpmn_process_id: created.process_id,
        version: created.version,
        process_instance_key: created.key,
        variables: Value::Object(variables).to_string(),
        tenant_id,
    }
}

/// The message to publish.
pub(super) fn message(request: proto::PublishMessageRequest) -> Result<Message, Refusal> {
    if request.business_id.is_some_and(|id| !id.is_empty()) {
        return Err(invalid("businessId: the dev engine takes none with messages; leave it out"));
    }
    Ok(Message {
        name: request.name,
        correlation_key: request.correlation_key,
        time_to_live_ms: request.time_to_live,
        message_id: request.message_id,
        variables: variables(&request.variables)?,
    })
}

/// Jobs in batches that a client can take; none when there are no jobs.
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
    if !batch.is_empty() {
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
