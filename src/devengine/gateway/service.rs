//! The generated server's calls, each handed on.

use std::{pin::Pin, sync::Arc};

use futures_util::{
    Stream,
    stream::{self, StreamExt},
};
use tokio::sync::mpsc;
use tonic::{Code, Request, Response, Status};

use super::{
    calls::Call,
    connection::cutter,
    convert::{self, status},
    faults::{Fault, Rpc},
    pushed::Pushed,
    queue::{Subscriber, millis},
    shared::{Shared, befall},
};
use crate::{
    devengine::runtime::Reach,
    zeebe::proto::{self, gateway_server::Gateway},
};

/// The service that the generated server calls.
#[derive(Clone)]
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
        let cutter = cutter(request.extensions());
        let fault = self.0.admit(Rpc::Poll, request.metadata()).await?;
        let poll = request.into_inner();
        self.0.recorder.add(Call::Poll(poll.clone()), Code::Ok);
        convert::check_poll(&poll).map_err(status)?;
        self.0.check_tenants(&poll.tenant_ids)?;
        let jobs = self.0.jobs_for(&poll).await;
        let batches = stream::iter(convert::batches(jobs).into_iter().map(Ok));
        Ok(Response::new(match fault {
            Some(Fault::LoseAnswer(code)) => {
                let cut = Err(Status::new(code, "the poll was cut off"));
                Box::pin(batches.chain(stream::iter([cut])))
            }
            Some(Fault::Silence) => Box::pin(batches.chain(stream::pending())),
            _ => Box::pin(befall(fault, cutter, Ok(batches)).await?),
        }))
    }

    async fn stream_activated_jobs(
        &self,
        request: Request<proto::StreamActivatedJobsRequest>,
    ) -> Result<Response<Pushed>, Status> {
        let cutter = cutter(request.extensions());
        let fault = self.0.admit(Rpc::Stream, request.metadata()).await?;
        self.0.counters.streams.add(1);
        let asked = request.into_inner();
        self.0.recorder.add(Call::Stream(asked.clone()), Code::Ok);
        convert::check_subscription(&asked.r#type, asked.timeout).map_err(status)?;
        self.0.check_tenants(&asked.tenant_ids)?;
        let (sender, jobs) = mpsc::channel(self.0.quirks.stream_capacity);
        let mut pushed = Pushed::new(jobs, Arc::clone(&self.0));
        match fault {
            Some(Fault::LoseAnswer(code)) => {
                pushed.end_with(Status::new(code, "the stream broke"));
                return Ok(Response::new(pushed));
            }
            Some(Fault::Slow(pause)) => pushed.slow_down(pause),
            _ => {}
        }
        let subscriber = Subscriber::streaming(&asked).leased(self.0.quirks.leases);
        self.0.engine().jobs().push_to(&asked.r#type, subscriber, sender);
        if self.0.quirks.late_headers {
            pushed.wait_for_the_first().await;
        }
        befall(fault, cutter, Ok(Response::new(pushed))).await
    }

    async fn complete_job(
        &self,
        request: Request<proto::CompleteJobRequest>,
    ) -> Result<Response<proto::CompleteJobResponse>, Status> {
        self.0
            .command(Rpc::Complete, request, |engine, asked| {
                let variables = convert::variables(&asked.variables)?;
                engine.complete(asked.job_key, variables, asked.job_lease_token.as_deref())?;
                Ok(proto::CompleteJobResponse {})
            })
            .await
    }

    async fn fail_job(
        &self,
        request: Request<proto::FailJobRequest>,
    ) -> Result<Response<proto::FailJobResponse>, Status> {
        self.0
            .command(Rpc::Fail, request, |engine, asked| {
                let (failure, back_off) = (convert::failure(&asked)?, millis(asked.retry_back_off));
                engine.fail(asked.job_key, failure, back_off, asked.job_lease_token.as_deref())?;
                Ok(proto::FailJobResponse {})
            })
            .await
    }

    async fn throw_error(
        &self,
        request: Request<proto::ThrowErrorRequest>,
    ) -> Result<Response<proto::ThrowErrorResponse>, Status> {
        self.0
            .command(Rpc::Throw, request, |engine, asked| {
                let error = convert::thrown(&asked)?;
                engine.throw(asked.job_key, error, asked.job_lease_token.as_deref())?;
                Ok(proto::ThrowErrorResponse {})
            })
            .await
    }

    async fn update_job_timeout(
        &self,
        request: Request<proto::UpdateJobTimeoutRequest>,
    ) -> Result<Response<proto::UpdateJobTimeoutResponse>, Status> {
        self.0
            .command(Rpc::Extend, request, |engine, asked| {
                let lease = asked.job_lease_token.as_deref();
                engine.extend(asked.job_key, millis(asked.timeout), lease)?;
                Ok(proto::UpdateJobTimeoutResponse {})
            })
            .await
    }

    async fn topology(
        &self,
        request: Request<proto::TopologyRequest>,
    ) -> Result<Response<proto::TopologyResponse>, Status> {
        self.0.counters.topologies.add(1);
        let cutter = cutter(request.extensions());
        let fault = self.0.admit(Rpc::Topology, request.metadata()).await?;
        let topology = convert::topology(&self.0.quirks.version);
        befall(fault, cutter, Ok(topology)).await.map(Response::new)
    }

    async fn update_job_retries(
        &self,
        request: Request<proto::UpdateJobRetriesRequest>,
    ) -> Result<Response<proto::UpdateJobRetriesResponse>, Status> {
        self.0
            .command(Rpc::Retries, request, |engine, asked| {
                let lease = asked.job_lease_token.as_deref();
                engine.set_retries(asked.job_key, asked.retries, lease)?;
                Ok(proto::UpdateJobRetriesResponse {})
            })
            .await
    }

    async fn resolve_incident(
        &self,
        request: Request<proto::ResolveIncidentRequest>,
    ) -> Result<Response<proto::ResolveIncidentResponse>, Status> {
        self.0
            .command(Rpc::Resolve, request, |engine, asked| {
                engine.resolve(asked.incident_key)?;
                Ok(proto::ResolveIncidentResponse {})
            })
            .await
    }

    async fn deploy_resource(
        &self,
        request: Request<proto::DeployResourceRequest>,
    ) -> Result<Response<proto::DeployResourceResponse>, Status> {
        self.0
            .command(Rpc::Deploy, request, |engine, asked| {
                let tenant = self.0.tenant(&asked.tenant_id)?;
                Ok(convert::deployed(engine.deploy(&convert::files(&asked))?, &tenant))
            })
            .await
    }

    async fn create_process_instance(
        &self,
        request: Request<proto::CreateProcessInstanceRequest>,
    ) -> Result<Response<proto::CreateProcessInstanceResponse>, Status> {
        self.0
            .command(Rpc::Create, request, |engine, asked| {
                let tenant = self.0.tenant(&asked.tenant_id)?;
                let new = convert::new_instance(asked, |process| engine.demand(process))?;
                Ok(convert::created(engine.create(new)?, tenant))
            })
            .await
    }

    async fn create_process_instance_with_result(
        &self,
        request: Request<proto::CreateProcessInstanceWithResultRequest>,
    ) -> Result<Response<proto::CreateProcessInstanceWithResultResponse>, Status> {
        let act = async |asked| self.0.create_and_wait(asked).await;
        self.0.call(Rpc::CreateWithResult, request, act).await
    }

    async fn cancel_process_instance(
        &self,
        request: Request<proto::CancelProcessInstanceRequest>,
    ) -> Result<Response<proto::CancelProcessInstanceResponse>, Status> {
        self.0
            .command(Rpc::Cancel, request, |engine, asked| {
                engine.cancel(asked.process_instance_key)?;
                Ok(proto::CancelProcessInstanceResponse {})
            })
            .await
    }

    async fn publish_message(
        &self,
        request: Request<proto::PublishMessageRequest>,
    ) -> Result<Response<proto::PublishMessageResponse>, Status> {
        self.0
            .command(Rpc::Publish, request, |engine, asked| {
                let tenant_id = self.0.tenant(&asked.tenant_id)?;
                let key = engine.publish(convert::message(asked)?)?;
                Ok(proto::PublishMessageResponse { key, tenant_id })
            })
            .await
    }

    async fn set_variables(
        &self,
        request: Request<proto::SetVariablesRequest>,
    ) -> Result<Response<proto::SetVariablesResponse>, Status> {
        self.0
            .command(Rpc::SetVariables, request, |engine, asked| {
                let variables = convert::variables(&asked.variables)?;
                let reach = if asked.local { Reach::Local } else { Reach::Outwards };
                let key = engine.set_variables(asked.element_instance_key, variables, reach)?;
                Ok(proto::SetVariablesResponse { key })
            })
            .await
    }

    async fn broadcast_signal(
        &self,
        request: Request<proto::BroadcastSignalRequest>,
    ) -> Result<Response<proto::BroadcastSignalResponse>, Status> {
        self.0
            .command(Rpc::Broadcast, request, |engine, asked| {
                let tenant_id = self.0.tenant(&asked.tenant_id)?;
                let variables = convert::variables(&asked.variables)?;
                let key = engine.broadcast(&asked.signal_name, variables);
                Ok(proto::BroadcastSignalResponse { key, tenant_id })
            })
            .await
    }
}
