//! Process instances, messages and signals, as far as who starts them can tell: a message is
//! refused while one of the same name, key and id lives; a business id belongs to one running
//! instance; the process `missing` is not deployed, `endless` never ends.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use servicenow_worker::zeebe::proto;
use tokio::time::Instant;
use tonic::Status;

/// Where keys begin, on partition 1.
const FIRST_KEY: i64 = 2_251_799_813_685_249;

/// Everything that was started and published.
#[derive(Debug, Default)]
pub(super) struct Processes {
    instances: BTreeMap<i64, Instance>,
    /// The ends of messages by tenant, name, correlation key and id.
    messages: HashMap<[String; 4], Instant>,
    keys: i64,
}

#[derive(Debug)]
struct Instance {
    process: String,
    business_id: Option<String>,
    is_running: bool,
}

impl Processes {
    fn next_key(&mut self) -> i64 {
        self.keys += 1;
        FIRST_KEY + self.keys - 1
    }

    pub(super) fn started(&self) -> Vec<String> {
        self.instances.values().map(|instance| instance.process.clone()).collect()
    }

    pub(super) fn end(&mut self, key: i64) {
        if let Some(instance) = self.instances.get_mut(&key) {
            instance.is_running = false;
        }
    }

    pub(super) fn deploy(
        &mut self,
        request: &proto::DeployResourceRequest,
    ) -> Result<proto::DeployResourceResponse, Status> {
        if request.resources.is_empty() {
            return Err(Status::invalid_argument("there is nothing to deploy"));
        }
        let tenant_id = request.tenant_id.clone();
        Ok(proto::DeployResourceResponse { key: self.next_key(), deployments: vec![], tenant_id })
    }

    pub(super) fn create(
        &mut self,
        request: &proto::CreateProcessInstanceRequest,
    ) -> Result<proto::CreateProcessInstanceResponse, Status> {
        let process = match request.process_definition_key {
            0 => request.bpmn_process_id.clone(),
            key => format!("process-{key}"),
        };
        if process == "missing" {
            return Err(Status::not_found(
                "Command 'CREATE' rejected with code 'NOT_FOUND': Expected to find process \
                 definition with process ID 'missing', but none found",
            ));
        }
        let taken = |instance: &Instance| {
            instance.is_running && instance.business_id == request.business_id
        };
        if request.business_id.is_some() && self.instances.values().any(taken) {
            return Err(Status::already_exists("an instance with this business id is running"));
        }
        let business_id = request.business_id.clone();
        let key = self.next_key();
        let instance = Instance { process: process.clone(), business_id, is_running: true };
        self.instances.insert(key, instance);
        Ok(proto::CreateProcessInstanceResponse {
            process_definition_key: FIRST_KEY - 1,
            bpmn_process_id: process,
            version: if request.version > 0 { request.version } else { 3 },
            process_instance_key: key,
            tenant_id: request.tenant_id.clone(),
        })
    }

    pub(super) fn create_with_result(
        &mut self,
        request: &proto::CreateProcessInstanceWithResultRequest,
    ) -> Result<proto::CreateProcessInstanceWithResultResponse, Status> {
        let inner = request.request.clone().unwrap_or_default();
        let created = self.create(&inner)?;
        if created.bpmn_process_id == "endless" {
            return Err(Status::deadline_exceeded("Time out between gateway and broker"));
        }
        self.end(created.process_instance_key);
        Ok(proto::CreateProcessInstanceWithResultResponse {
            process_definition_key: created.process_definition_key,
            bpmn_process_id: created.bpmn_process_id,
            version: created.version,
            process_instance_key: created.process_instance_key,
            variables: inner.variables,
            tenant_id: created.tenant_id,
        })
    }

    pub(super) fn cancel(
        &mut self,
        request: &proto::CancelProcessInstanceRequest,
    ) -> Result<proto::CancelProcessInstanceResponse, Status> {
        let instance = self.instances.get_mut(&request.process_instance_key);
        let instance = instance.filter(|instance| instance.is_running).ok_or_else(|| {
            Status::not_found(
                "Command 'CANCEL' rejected with code 'NOT_FOUND': Expected to cancel a process \
                 instance, but no such process was found",
            )
        })?;
        instance.is_running = false;
        Ok(proto::CancelProcessInstanceResponse {})
    }

    pub(super) fn publish(
        &mut self,
        request: &proto::PublishMessageRequest,
    ) -> Result<proto::PublishMessageResponse, Status> {
        let identity = [
            request.tenant_id.clone(),
            request.name.clone(),
            request.correlation_key.clone(),
            request.message_id.clone(),
        ];
        let now = Instant::now();
        let lives = |end: &Instant| *end > now;
        if !request.message_id.is_empty() && self.messages.get(&identity).is_some_and(lives) {
            return Err(Status::already_exists("a message with this id is already published"));
        }
        let ttl = Duration::from_millis(request.time_to_live.unsigned_abs());
        self.messages.insert(identity, now + ttl);
        Ok(proto::PublishMessageResponse {
            key: self.next_key(),
            tenant_id: request.tenant_id.clone(),
        })
    }

    pub(super) fn broadcast(
        &mut self,
        request: &proto::BroadcastSignalRequest,
    ) -> Result<proto::BroadcastSignalResponse, Status> {
        if request.signal_name.is_empty() {
            return Err(Status::invalid_argument("a signal has a name"));
        }
        let tenant_id = request.tenant_id.clone();
        Ok(proto::BroadcastSignalResponse { key: self.next_key(), tenant_id })
    }
}
