//! What the calls share: who is let in, which faults wait, the engine, the records.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

use super::{
    calls::{Call, Counters, Recorder},
    connection::{Cutter, cutter},
    convert::{self, check_tenant, status},
    faults::{Fault, Faults, Rpc},
    queue::{Subscriber, millis},
};
use crate::{
    devengine::{
        engine::{DEFAULT_TENANT, Engine},
        record::Refusal,
    },
    zeebe::proto::{self, ActivatedJob},
};

/// The gateway's own wait when a poll names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// The gateway's own wait for a result when the call names none.
const DEFAULT_RESULT_WAIT: Duration = Duration::from_secs(15);

/// Everything that the calls share.
pub(crate) struct Shared {
    pub(super) engine: Mutex<Engine>,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    pub(super) recorder: Recorder,
    /// The `authorization` values that are let in; all are when there is none.
    pub(super) accepted: RwLock<Option<Vec<String>>>,
    pub(super) quirks: Quirks,
    /// Ends long waits.
    pub(super) stopping: CancellationToken,
}

/// How the gateway differs from others.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "gateways differ in many ways")]
pub(super) struct Quirks {
    pub(super) never_waits: bool,
    pub(super) late_headers: bool,
    pub(super) leases: bool,
    pub(super) stream_capacity: usize,
    pub(super) multi_tenancy: bool,
    pub(super) version: String,
}

impl Shared {
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call in, or not; returns the fault that is to befall it once it is done.
    pub(super) async fn admit(
        &self,
        rpc: Rpc,
        metadata: &MetadataMap,
    ) -> Result<Option<Fault>, Status> {
        self.authenticate(metadata)?;
        let fault = self.faults.next(rpc);
        self.counters.faulty.add(usize::from(fault.is_some()));
        match fault {
            Some(Fault::Refuse(status)) => Err(status),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(None)
            }
            fault => Ok(fault),
        }
    }

    fn authenticate(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let accepted = self.accepted.read().unwrap_or_else(PoisonError::into_inner);
        let Some(accepted) = accepted.as_ref() else { return Ok(()) };
        let value = metadata.get("authorization").and_then(|value| value.to_str().ok());
        if value.is_some_and(|value| accepted.iter().any(|known| known == value)) {
            return Ok(());
        }
        self.counters.unauthenticated.add(1);
        Err(Status::unauthenticated("expected a valid token"))
    }

    /// Whether jobs of these tenants can be asked for.
    pub(super) fn check_tenants(&self, tenants: &[String]) -> Result<(), Status> {
        if self.quirks.multi_tenancy {
            return Ok(());
        }
        tenants.iter().try_for_each(|tenant| check_tenant(tenant)).map_err(status)
    }

    /// The tenant that a command about processes is for. Tenants are but names here: all have
    /// the same processes.
    pub(super) fn tenant(&self, name: &str) -> Result<String, Refusal> {
        if !self.quirks.multi_tenancy {
            check_tenant(name)?;
        }
        Ok(if name.is_empty() { DEFAULT_TENANT } else { name }.to_owned())
    }

    /// A command that the engine answers at once.
    pub(super) async fn command<M: Clone + Into<Call>, R>(
        &self,
        rpc: Rpc,
        request: Request<M>,
        act: impl FnOnce(&mut Engine, M) -> Result<R, Refusal>,
    ) -> Result<Response<R>, Status> {
        self.call(rpc, request, async |asked| act(&mut self.engine(), asked).map_err(status)).await
    }

    /// Any command: done, counted, recorded, and answered as the script says.
    pub(super) async fn call<M: Clone + Into<Call>, R>(
        &self,
        rpc: Rpc,
        request: Request<M>,
        act: impl AsyncFnOnce(M) -> Result<R, Status>,
    ) -> Result<Response<R>, Status> {
        let cutter = cutter(request.extensions());
        let admitted = self.admit(rpc, request.metadata()).await;
        let message = request.into_inner();
        let call = message.clone().into();
        let result = match &admitted {
            Ok(_) => act(message).await,
            Err(refusal) => Err(refusal.clone()),
        };
        let code = result.as_ref().err().map_or(Code::Ok, Status::code);
        self.counters.command(&call, code);
        self.recorder.add(call, code);
        befall(admitted?, cutter, result).await.map(Response::new)
    }

    /// Jobs for a poll, once there are any or the wait is over.
    pub(super) async fn jobs_for(&self, poll: &proto::ActivateJobsRequest) -> Vec<ActivatedJob> {
        let subscriber = Subscriber::polling(poll).leased(self.quirks.leases);
        let max = usize::try_from(poll.max_jobs_to_activate).unwrap_or(0);
        let end = Instant::now() + self.wait_of(poll);
        let offered = self.engine().jobs().offered(&poll.r#type);
        loop {
            // Before the look at the queue, so that no offer after it is missed.
            let offer = offered.notified();
            let jobs = self.engine().take(&poll.r#type, max, &subscriber);
            let over = Instant::now() >= end || self.stopping.is_cancelled();
            if over || !jobs.is_empty() {
                self.counters.polled.add(jobs.len());
                return jobs;
            }
            tokio::select! {
                () = offer => {}
                () = tokio::time::sleep_until(end) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Starts an instance and waits for its end. One that is cancelled has no result: as at
    /// a broker, the wait then goes on to its own end.
    pub(super) async fn create_and_wait(
        &self,
        asked: proto::CreateProcessInstanceWithResultRequest,
    ) -> Result<proto::CreateProcessInstanceWithResultResponse, Status> {
        let request = asked.request.unwrap_or_default();
        let tenant = self.tenant(&request.tenant_id).map_err(status)?;
        let demand = |process: &_| self.engine().demand(process);
        let new = convert::new_instance(request, demand).map_err(status)?;
        let wait = Some(millis(asked.request_timeout)).filter(|wait| !wait.is_zero());
        let wait = wait.unwrap_or(DEFAULT_RESULT_WAIT);
        let (created, end) = self.engine().create_and_await(new).map_err(status)?;
        tokio::select! {
            Ok(mut variables) = end => {
                convert::fetched(&mut variables, &asked.fetch_variables);
                Ok(convert::result(created, variables, tenant))
            }
            () = tokio::time::sleep(wait) => Err(Status::deadline_exceeded(format!(
                "process instance {} has not ended within {wait:?}; it goes on", created.key
            ))),
            () = self.stopping.cancelled() => Err(Status::unavailable("the engine stops")),
        }
    }

    fn wait_of(&self, poll: &proto::ActivateJobsRequest) -> Duration {
        match poll.request_timeout {
            _ if self.quirks.never_waits => Duration::ZERO,
            0 => DEFAULT_WAIT,
            wait => millis(wait),
        }
    }
}

/// Lets a fault befall a call that is done.
pub(super) async fn befall<R>(
    fault: Option<Fault>,
    cutter: Option<Cutter>,
    result: Result<R, Status>,
) -> Result<R, Status> {
    match fault {
        Some(Fault::LoseAnswer(code)) => Err(Status::new(code, "the answer was lost")),
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Close) => {
            if let Some(cutter) = cutter {
                cutter.cut();
            }
            std::future::pending().await
        }
        Some(Fault::AnswerLate(delay)) => {
            tokio::time::sleep(delay).await;
            result
        }
        _ => result,
    }
}
