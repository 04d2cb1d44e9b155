//! The gateway's calls as the scripts need them.

use serde_json::Value;
use servicenow_worker::zeebe::proto::{self, gateway_client::GatewayClient};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};

use crate::support::patience::{eventually, seconds};

/// The tenant of an engine without multi-tenancy; the in-memory one wants to hear it.
const TENANT: &str = "<default>";
/// Longer than any case.
const LONG_MS: i64 = 300_000;

/// A client of one gateway.
#[derive(Clone, Debug)]
pub(crate) struct Calls(GatewayClient<Channel>);

/// A message to publish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) name: &'a str,
    pub(crate) key: &'a str,
    pub(crate) kept_ms: i64,
    pub(crate) id: &'a str,
}

impl Calls {
    pub(crate) fn of(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(address.to_owned()).unwrap();
        Self(GatewayClient::new(endpoint.connect_lazy()))
    }

    fn client(&self) -> GatewayClient<Channel> {
        self.0.clone()
    }

    /// Deploys files; gives the version of each process.
    pub(crate) async fn deploy(&self, files: Vec<(String, String)>) -> Result<Vec<i32>, Status> {
        let resource = |(name, content): (String, String)| proto::Resource {
            name,
            content: content.into_bytes(),
        };
        let resources = files.into_iter().map(resource).collect();
        let request = proto::DeployResourceRequest { resources, tenant_id: TENANT.to_owned() };
        let answer = self.client().deploy_resource(request).await?.into_inner();
        let versions = answer.deployments.into_iter().filter_map(|it| match it.metadata {
            Some(proto::deployment::Metadata::Process(process)) => Some(process.version),
            _ => None,
        });
        Ok(versions.collect())
    }

    /// Runs an instance to its end; gives its variables.
    pub(crate) async fn run(&self, process: &str, variables: &Value) -> Result<Value, Status> {
        let creation = proto::CreateProcessInstanceRequest {
            bpmn_process_id: process.to_owned(),
            version: -1,
            variables: variables.to_string(),
            tenant_id: TENANT.to_owned(),
            ..Default::default()
        };
        let request = proto::CreateProcessInstanceWithResultRequest {
            request: Some(creation),
            request_timeout: LONG_MS,
            ..Default::default()
        };
        let answer = self.client().create_process_instance_with_result(request).await?;
        Ok(serde_json::from_str(&answer.into_inner().variables).unwrap())
    }

    pub(crate) async fn cancel(&self, process_instance_key: i64) -> Result<(), Status> {
        let request =
            proto::CancelProcessInstanceRequest { process_instance_key, ..Default::default() };
        self.client().cancel_process_instance(request).await.map(|_| ())
    }

    /// The jobs of a type that wait now.
    pub(crate) async fn jobs(&self, job_type: &str, fetch: &[String]) -> Vec<proto::ActivatedJob> {
        let request = proto::ActivateJobsRequest {
            r#type: job_type.to_owned(),
            worker: "conformance".to_owned(),
            timeout: LONG_MS,
            max_jobs_to_activate: 32,
            request_timeout: -1,
            fetch_variable: fetch.to_vec(),
            tenant_ids: vec![TENANT.to_owned()],
            ..Default::default()
        };
        let mut request = Request::new(request);
        request.set_timeout(seconds(10));
        let mut answers = self.client().activate_jobs(request).await.unwrap().into_inner();
        let mut jobs = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            jobs.extend(answer.jobs);
        }
        jobs
    }

    pub(crate) async fn complete(&self, job_key: i64, variables: &Value) -> Result<(), Status> {
        let variables = variables.to_string();
        let request = proto::CompleteJobRequest { job_key, variables, ..Default::default() };
        self.client().complete_job(request).await.map(|_| ())
    }

    pub(crate) async fn fail(
        &self,
        job_key: i64,
        retries: i32,
        retry_back_off: i64,
        variables: &Value,
    ) -> Result<(), Status> {
        let request = proto::FailJobRequest {
            job_key,
            retries,
            retry_back_off,
            error_message: "scripted".to_owned(),
            variables: variables.to_string(),
            ..Default::default()
        };
        self.client().fail_job(request).await.map(|_| ())
    }

    pub(crate) async fn throw(
        &self,
        job_key: i64,
        code: &str,
        variables: &Value,
    ) -> Result<(), Status> {
        let request = proto::ThrowErrorRequest {
            job_key,
            error_code: code.to_owned(),
            error_message: "scripted".to_owned(),
            variables: variables.to_string(),
            ..Default::default()
        };
        self.client().throw_error(request).await.map(|_| ())
    }

    pub(crate) async fn set_timeout(&self, job_key: i64, timeout: i64) -> Result<(), Status> {
        let request = proto::UpdateJobTimeoutRequest { job_key, timeout, ..Default::default() };
        self.client().update_job_timeout(request).await.map(|_| ())
    }

    pub(crate) async fn set_retries(&self, job_key: i64, retries: i32) -> Result<(), Status> {
        let request = proto::UpdateJobRetriesRequest { job_key, retries, ..Default::default() };
        self.client().update_job_retries(request).await.map(|_| ())
    }

    pub(crate) async fn resolve(&self, incident_key: i64) -> Result<(), Status> {
        let request = proto::ResolveIncidentRequest { incident_key, ..Default::default() };
        self.client().resolve_incident(request).await.map(|_| ())
    }

    pub(crate) async fn set_variables(
        &self,
        element_instance_key: i64,
        variables: &Value,
        local: bool,
    ) -> Result<(), Status> {
        let request = proto::SetVariablesRequest {
            element_instance_key,
            variables: variables.to_string(),
            local,
            ..Default::default()
        };
        self.client().set_variables(request).await.map(|_| ())
    }

    pub(crate) async fn publish(
        &self,
        message: &Message<'_>,
        variables: &Value,
    ) -> Result<i64, Status> {
        let request = proto::PublishMessageRequest {
            name: message.name.to_owned(),
            correlation_key: message.key.to_owned(),
            time_to_live: message.kept_ms,
            business_id: None,
            message_id: message.id.to_owned(),
            variables: variables.to_string(),
            tenant_id: TENANT.to_owned(),
        };
        Ok(self.client().publish_message(request).await?.into_inner().key)
    }

    pub(crate) async fn broadcast(&self, name: &str, variables: &Value) -> Result<(), Status> {
        let request = proto::BroadcastSignalRequest {
            signal_name: name.to_owned(),
            variables: variables.to_string(),
            tenant_id: TENANT.to_owned(),
        };
        self.client().broadcast_signal(request).await.map(|_| ())
    }

    /// A key that is newer than all before; whatever was commanded before has been done.
    pub(crate) async fn newest_key(&self) -> i64 {
        let nobody = Message { name: "nobody waits for this", key: "-", ..Message::default() };
        eventually("an engine without too much to do", seconds(30), async || {
            match self.publish(&nobody, &Value::Object(serde_json::Map::new())).await {
                Ok(key) => Some(key),
                Err(status) if status.code() == Code::ResourceExhausted => None,
                Err(status) => panic!("the engine is gone: {status}"),
            }
        })
        .await
    }
}
