//! What a tester asks of an engine: deploy, start, take a job and look at it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value};
use servicenow_worker::zeebe::proto::{self, gateway_client::GatewayClient};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::{
    patience::{eventually, seconds},
    secret,
};

/// The tenant of an engine without multi-tenancy; the in-memory one wants to hear it.
const TENANT: &str = "<default>";

/// A client of one gateway.
#[derive(Clone, Debug)]
pub(crate) struct Client(GatewayClient<Channel>);

/// A job that the test itself has taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) key: i64,
    pub(crate) retries: i32,
    pub(crate) process: String,
    pub(crate) process_instance_key: i64,
    pub(crate) variables: Map<String, Value>,
}

impl Client {
    /// A client that connects when it is used, and again after a restart.
    pub(crate) fn of(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(address.to_owned()).unwrap();
        Self(GatewayClient::new(endpoint.connect_lazy()))
    }

    /// Deploys every process of a folder. What is deployed already stays as it is.
    pub(crate) async fn deploy_all(&self, folder: &Path) {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        self.deploy(files.collect()).await.unwrap_or_else(|status| panic!("{status}"));
    }

    /// Deploys files in one go.
    pub(crate) async fn deploy(&self, mut files: Vec<PathBuf>) -> Result<(), Status> {
        files.sort();
        let resources: Vec<_> = files.iter().map(|path| resource(path)).collect();
        let request = proto::DeployResourceRequest { resources, tenant_id: TENANT.to_owned() };
        let answer = self.0.clone().deploy_resource(request).await?.into_inner();
        assert_eq!(answer.deployments.len(), files.len());
        Ok(())
    }

    /// Runs an instance to its end and gives its variables.
    pub(crate) async fn run(&self, process: &str, variables: &Value) -> Value {
        let ended = self.run_within(process, variables, seconds(30)).await;
        ended.unwrap_or_else(|status| panic!("'{process}' does not end: {status}"))
    }

    /// Runs an instance to its end and gives its variables, if it ends in time.
    pub(crate) async fn run_within(
        &self,
        process: &str,
        variables: &Value,
        limit: Duration,
    ) -> Result<Value, Status> {
        let request = proto::CreateProcessInstanceWithResultRequest {
            request: Some(creation(process, variables)),
            request_timeout: i64::try_from(limit.as_millis()).unwrap(),
            ..Default::default()
        };
        let mut request = tonic::Request::new(request);
        request.set_timeout(limit + seconds(10));
        let answer = self.0.clone().create_process_instance_with_result(request).await?;
        let variables = answer.into_inner().variables;
        secret::is_nowhere_in("an instance's variables", &variables);
        Ok(serde_json::from_str(&variables).unwrap())
    }

    /// Publishes a message that waits up to a minute for somebody to want it.
    pub(crate) async fn publish(&self, name: &str, correlation_key: &str, variables: &Value) {
        let request = proto::PublishMessageRequest {
            name: name.to_owned(),
            correlation_key: correlation_key.to_owned(),
            time_to_live: 60_000,
            variables: variables.to_string(),
            tenant_id: TENANT.to_owned(),
            ..Default::default()
        };
        self.0.clone().publish_message(request).await.unwrap();
    }

    /// Tells a signal to everybody who listens now.
    pub(crate) async fn broadcast(&self, signal_name: &str, variables: &Value) {
        let request = proto::BroadcastSignalRequest {
            signal_name: signal_name.to_owned(),
            variables: variables.to_string(),
            tenant_id: TENANT.to_owned(),
        };
        self.0.clone().broadcast_signal(request).await.unwrap();
    }

    /// Starts an instance, whatever the engine's back-pressure says, and gives its key.
    pub(crate) async fn start(&self, process: &str, variables: &Value) -> i64 {
        let started = self.try_start(process, variables).await;
        started.unwrap_or_else(|status| panic!("cannot start '{process}': {status}"))
    }

    /// The same, unless something else comes between.
    pub(crate) async fn try_start(&self, process: &str, variables: &Value) -> Result<i64, Status> {
        eventually("an instance starts", seconds(30), async || {
            let request = creation(process, variables);
            match self.0.clone().create_process_instance(request).await {
                Ok(answer) => Some(Ok(answer.into_inner().process_instance_key)),
                Err(status) if status.code() == Code::ResourceExhausted => None,
                Err(status) => Some(Err(status)),
            }
        })
        .await
    }

    /// Ends an instance that cannot end by itself.
    pub(crate) async fn cancel(&self, process_instance_key: i64) {
        self.try_cancel(process_instance_key).await.unwrap();
    }

    /// Takes up to `count` jobs, waiting shortly; nothing while the engine is away.
    pub(crate) async fn take(&self, job_type: &str, count: i32) -> Vec<Taken> {
        self.take_for(job_type, count, seconds(120)).await
    }

    /// The same with a lock of that length.
    pub(crate) async fn take_for(&self, job_type: &str, count: i32, lock: Duration) -> Vec<Taken> {
        let request = proto::ActivateJobsRequest {
            r#type: job_type.to_owned(),
            worker: "e2e".to_owned(),
            timeout: i64::try_from(lock.as_millis()).unwrap(),
            max_jobs_to_activate: count,
            request_timeout: 500,
            tenant_ids: vec![TENANT.to_owned()],
            ..Default::default()
        };
        let mut request = tonic::Request::new(request);
        request.set_timeout(seconds(5));
        let Ok(answers) = self.0.clone().activate_jobs(request).await else { return Vec::new() };
        let mut answers = answers.into_inner();
        let mut jobs = Vec::new();
        while let Ok(Some(answer)) = answers.message().await {
            jobs.extend(answer.jobs.into_iter().map(Taken::from));
        }
        jobs
    }

    /// Completes a job that the test has taken, whatever the engine is going through.
    pub(crate) async fn complete(&self, job: &Taken) {
        eventually("a report is completed", seconds(30), async || {
            match self.try_complete(job).await {
                Ok(()) => Some(()),
                Err(status) if is_transient(&status) => None,
                Err(status) => panic!("cannot complete {}: {status}", job.key),
            }
        })
        .await;
    }

    /// Completes a job that the test has taken, if the engine lets it.
    pub(crate) async fn try_complete(&self, job: &Taken) -> Result<(), Status> {
        let request = proto::CompleteJobRequest {
            job_key: job.key,
            variables: "{}".to_owned(),
            ..Default::default()
        };
        self.0.clone().complete_job(request).await.map(drop)
    }

    /// Ends an instance, if the engine lets it.
    pub(crate) async fn try_cancel(&self, process_instance_key: i64) -> Result<(), Status> {
        let request =
            proto::CancelProcessInstanceRequest { process_instance_key, ..Default::default() };
        self.0.clone().cancel_process_instance(request).await.map(drop)
    }

    /// Whether the engine knows an instance no longer: it has ended.
    pub(crate) async fn has_ended(&self, process_instance_key: i64) -> bool {
        eventually("the engine tells of an instance", seconds(30), async || {
            let request = proto::SetVariablesRequest {
                element_instance_key: process_instance_key,
                variables: "{}".to_owned(),
                ..Default::default()
            };
            match self.0.clone().set_variables(request).await {
                Ok(_) => Some(false),
                Err(status) if status.code() == Code::NotFound => Some(true),
                Err(status) if is_transient(&status) => None,
                Err(status) => panic!("{status}"),
            }
        })
        .await
    }

    /// Fails a job with retries left, which the engine refuses of one that waits for the
    /// end of a back-off.
    pub(crate) async fn fail(&self, job_key: i64) -> Result<(), Status> {
        let request = proto::FailJobRequest { job_key, retries: 3, ..Default::default() };
        self.0.clone().fail_job(request).await.map(drop)
    }
}

impl From<proto::ActivatedJob> for Taken {
    fn from(job: proto::ActivatedJob) -> Self {
        secret::is_nowhere_in("a job's variables", &job.variables);
        Self {
            key: job.key,
            retries: job.retries,
            process: job.bpmn_process_id,
            process_instance_key: job.process_instance_key,
            variables: serde_json::from_str(&job.variables).unwrap(),
        }
    }
}

fn resource(path: &Path) -> proto::Resource {
    proto::Resource {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        content: std::fs::read(path).unwrap(),
    }
}

fn creation(process: &str, variables: &Value) -> proto::CreateProcessInstanceRequest {
    proto::CreateProcessInstanceRequest {
        bpmn_process_id: process.to_owned(),
        version: -1,
        variables: variables.to_string(),
        tenant_id: TENANT.to_owned(),
        ..Default::default()
    }
}

fn is_transient(status: &Status) -> bool {
    matches!(status.code(), Code::ResourceExhausted | Code::Unavailable | Code::DeadlineExceeded)
}
