//! The generated server's calls, each handed on.

use std::{pin::Pin, sync::Arc};

use futures_util::{
    Stream,
    stream::{self, StreamExt},
};
use servicenow_worker::zeebe::proto::{self, gateway_server::Gateway};
use tokio::sync::mpsc;
use tonic::{Code, Request, Response, Status};

use super::{
    broker::{Broker, millis},
    faults::{Fault, Rpc},
    processes::Processes,
    pushed::Pushed,
    queue::Subscriber,
    record::Call,
    shared::Shared,
};

/// The service that the generated server calls.
#[derive(Clone, Debug)]
pub(super) struct Calls(pub(super) Arc<Shared>);

type Batches = Pin<Box<dyn Stream<Item = Result<proto::ActivateJobsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Gateway for Calls {
    type ActivateJobsStream = Batches;
    type StreamActivatedJobsStream = Pushed;

    async fn activate_jobs(
        &self,
        request: Request<proto::ActivateJobsRequest>,
    ) -> Result<Response<Batches>, Status> {
        self.0.counters.polls.add(1);
        let fault = self.0.admit(Rpc::Poll, request.metadata()).await?;
        let poll = request.into_inner();
        self.0.recorder.add(Call::Poll(poll.clone()), Code::Ok);
        let jobs = self.0.jobs_for(&poll).await;
        let batch = stream::iter([Ok(proto::ActivateJobsResponse { jobs })]);
        Ok(Response::new(match fault {
            Some(Fault::LoseAnswer(code)) => {
                let cut = Err(Status::new(code, "the poll was cut off"));
                Box::pin(batch.chain(stream::iter([cut])))
            }
            Some(Fault::Silence) => Box::pin(batch.chain(stream::pending())),
            _ => Box::pin(batch),
        }))
    }

    async fn stream_activated_jobs(
        &self,
        request: Request<proto::StreamActivatedJobsRequest>,
    ) -> Result<Response<Pushed>, Status> {
        let fault = self.0.admit(Rpc::Stream, request.metadata()).await?;
        self.0.counters.streams.add(1);
        let asked = request.into_inner();
        self.0.recorder.add(Call::Stream(asked.clone()), Code::Ok);
        let subscriber = Subscriber {
            worker: asked.worker,
            timeout: millis(asked.timeout),
            tenants: asked.tenant_ids,
            lease: asked.with_lease,
        };
        let (sender, jobs) = mpsc::channel(self.0.stream_capacity);
        let end = if let Some(Fault::LoseAnswer(code)) = fault {
            Some(Status::new(code, "the stream broke"))
        } else {
            self.0.broker().push_to(&asked.r#type, subscriber, sender);
            None
        };
        let mut pushed = Pushed { first: None, jobs, end, shared: Arc::clone(&self.0) };
        if self.0.late_headers {
            pushed.wait_for_the_first().await;
        }
        Ok(Response::new(pushed))
    }

    async fn complete_job(
        &self,
        request: Request<proto::CompleteJobRequest>,
    ) -> Result<Response<proto::CompleteJobResponse>, Status> {
        let counters = &self.0.counters;
        let kind = (Rpc::Complete, &counters.completes, Call::Complete as fn(_) -> _);
        let end = |broker: &mut Broker, command: &proto::CompleteJobRequest| {
            broker.end(command.job_key, command.job_lease_token.as_deref())?;
            counters.ended.add(1);
            Ok(())
        };
        self.0.command(kind, request, end).await?;
        Ok(Response::new(proto::CompleteJobResponse {}))
    }

    async fn fail_job(
        &self,
        request: Request<proto::FailJobRequest>,
    ) -> Result<Response<proto::FailJobResponse>, Status> {
        let kind = (Rpc::Fail, &self.0.counters.fails, Call::Fail as fn(_) -> _);
        self.0.command(kind, request, Broker::fail).await?;
        Ok(Response::new(proto::FailJobResponse {}))
    }

    async fn throw_error(
        &self,
        request: Request<proto::ThrowErrorRequest>,
    ) -> Result<Response<proto::ThrowErrorResponse>, Status> {
        let counters = &self.0.counters;
        let kind = (Rpc::Throw, &counters.throws, Call::Throw as fn(_) -> _);
        let end = |broker: &mut Broker, command: &proto::ThrowErrorRequest| {
            broker.end(command.job_key, command.job_lease_token.as_deref())?;
            counters.ended.add(1);
            Ok(())
        };
        self.0.command(kind, request, end).await?;
        Ok(Response::new(proto::ThrowErrorResponse {}))
    }

    async fn update_job_timeout(
        &self,
        request: Request<proto::UpdateJobTimeoutRequest>,
    ) -> Result<Response<proto::UpdateJobTimeoutResponse>, Status> {
        let kind = (Rpc::Extend, &self.0.counters.extends, Call::Extend as fn(_) -> _);
        let extend = |broker: &mut Broker, command: &proto::UpdateJobTimeoutRequest| {
            let lease = command.job_lease_token.as_deref();
            broker.extend(command.job_key, command.timeout, lease)
        };
        self.0.command(kind, request, extend).await?;
        Ok(Response::new(proto::UpdateJobTimeoutResponse {}))
    }

    async fn topology(
        &self,
        request: Request<proto::TopologyRequest>,
    ) -> Result<Response<proto::TopologyResponse>, Status> {
        self.0.counters.topologies.add(1);
        self.0.admit(Rpc::Topology, request.metadata()).await?;
        Ok(Response::new(proto::TopologyResponse {
            brokers: vec![proto::BrokerInfo {
                host: "localhost".to_owned(),
                port: 26_501,
                version: self.0.version.to_owned(),
                partitions: vec![proto::Partition { partition_id: 1, role: 0, health: 0 }],
                ..proto::BrokerInfo::default()
            }],
            cluster_size: 1,
            partitions_count: 1,
            replication_factor: 1,
            gateway_version: self.0.version.to_owned(),
        }))
    }

    async fn update_job_retries(
        &self,
        _: Request<proto::UpdateJobRetriesRequest>,
    ) -> Result<Response<proto::UpdateJobRetriesResponse>, Status> {
        Err(not_here())
    }

    async fn resolve_incident(
        &self,
        _: Request<proto::ResolveIncidentRequest>,
    ) -> Result<Response<proto::ResolveIncidentResponse>, Status> {
        Err(not_here())
    }

    async fn deploy_resource(
        &self,
        request: Request<proto::DeployResourceRequest>,
    ) -> Result<Response<proto::DeployResourceResponse>, Status> {
        self.0.process_command((Rpc::Deploy, Call::Deploy), request, Processes::deploy).await
    }

    async fn create_process_instance(
        &self,
        request: Request<proto::CreateProcessInstanceRequest>,
    ) -> Result<Response<proto::CreateProcessInstanceResponse>, Status> {
        self.0.process_command((Rpc::Create, Call::Create), request, Processes::create).await
    }

    async fn create_process_instance_with_result(
        &self,
        request: Request<proto::CreateProcessInstanceWithResultRequest>,
    ) -> Result<Response<proto::CreateProcessInstanceWithResultResponse>, Status> {
        let kind = (Rpc::CreateWithResult, Call::CreateWithResult as fn(_) -> _);
        self.0.process_command(kind, request, Processes::create_with_result).await
    }

    async fn cancel_process_instance(
        &self,
        request: Request<proto::CancelProcessInstanceRequest>,
    ) -> Result<Response<proto::CancelProcessInstanceResponse>, Status> {
        self.0.process_command((Rpc::Cancel, Call::Cancel), request, Processes::cancel).await
    }

    async fn publish_message(
        &self,
        request: Request<proto::PublishMessageRequest>,
    ) -> Result<Response<proto::PublishMessageResponse>, Status> {
        self.0.process_command((Rpc::Publish, Call::Publish), request, Processes::publish).await
    }

    async fn broadcast_signal(
        &self,
        request: Request<proto::BroadcastSignalRequest>,
    ) -> Result<Response<proto::BroadcastSignalResponse>, Status> {
        self.0.process_command((Rpc::Signal, Call::Signal), request, Processes::broadcast).await
    }
}

fn not_here() -> Status {
    Status::unimplemented("the scripted gateway does not do this")
}
