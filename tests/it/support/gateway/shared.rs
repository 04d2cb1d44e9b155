//! What the calls share: who is let in, which faults wait, the broker, the records.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use servicenow_worker::zeebe::proto::{self, ActivatedJob};
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

use super::{
    broker::{Broker, millis},
    faults::{Fault, Faults, Rpc},
    processes::Processes,
    queue::Subscriber,
    record::{Call, Count, Counters, Recorder},
};

/// The gateway's own wait when a poll names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// Everything that the calls share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) broker: Mutex<Broker>,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    pub(super) recorder: Recorder,
    /// The `authorization` values that are let in; all are when there is none.
    pub(super) accepted: RwLock<Option<Vec<String>>>,
    pub(super) processes: Mutex<Processes>,
    /// The version that the gateway says it has.
    pub(super) version: &'static str,
    /// Answers polls at once, as the in-memory engine does.
    pub(super) never_waits: bool,
    /// Sends a stream's headers with its first job.
    pub(super) late_headers: bool,
    /// Jobs that a stream holds for the transport.
    pub(super) stream_capacity: usize,
}

impl Shared {
    pub(super) fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn processes(&self) -> MutexGuard<'_, Processes> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One command about processes: recorded, done, and answered as the script says.
    pub(super) async fn process_command<M: Clone, R>(
        &self,
        (rpc, call): (Rpc, fn(M) -> Call),
        request: Request<M>,
        act: impl FnOnce(&mut Processes, &M) -> Result<R, Status>,
    ) -> Result<Response<R>, Status> {
        let admitted = self.admit(rpc, request.metadata()).await;
        let message = request.into_inner();
        let result = match &admitted {
            Ok(_) => act(&mut self.processes(), &message),
            Err(refusal) => Err(refusal.clone()),
        };
        self.recorder.add(call(message), result.as_ref().err().map_or(Code::Ok, Status::code));
        match admitted? {
            Some(Fault::LoseAnswer(code)) => Err(Status::new(code, "the answer was lost")),
            Some(Fault::Silence) => std::future::pending().await,
            _ => result.map(Response::new),
        }
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

    /// One command: counted, recorded, done, and answered as the script says.
    pub(super) async fn command<M: Clone>(
        &self,
        (rpc, count, call): (Rpc, &Count, fn(M) -> Call),
        request: Request<M>,
        act: impl FnOnce(&mut Broker, &M) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let admitted = self.admit(rpc, request.metadata()).await;
        let message = request.into_inner();
        count.add(1);
        let result = match &admitted {
            Ok(_) => act(&mut self.broker(), &message),
            Err(refusal) => Err(refusal.clone()),
        };
        self.recorder.add(call(message), result.as_ref().err().map_or(Code::Ok, Status::code));
        match admitted? {
            Some(Fault::LoseAnswer(code)) => Err(Status::new(code, "the answer was lost")),
            Some(Fault::Silence) => std::future::pending().await,
            _ => result,
        }
    }

    /// Jobs for a poll, once there are any or the wait is over.
    pub(super) async fn jobs_for(&self, poll: &proto::ActivateJobsRequest) -> Vec<ActivatedJob> {
        let subscriber = Subscriber {
            worker: poll.worker.clone(),
            timeout: millis(poll.timeout),
            tenants: poll.tenant_ids.clone(),
            lease: poll.with_lease,
        };
        let max = usize::try_from(poll.max_jobs_to_activate).unwrap_or(0);
        let end = Instant::now() + self.wait_of(poll);
        let offered = self.broker().offered(&poll.r#type);
        loop {
            let jobs = self.broker().take(&poll.r#type, max, &subscriber);
            let over = Instant::now() >= end;
            if over
                || !jobs.is_empty()
                || tokio::time::timeout_at(end, offered.notified()).await.is_err()
            {
                self.counters.polled.add(jobs.len());
                return jobs;
            }
        }
    }

    fn wait_of(&self, poll: &proto::ActivateJobsRequest) -> Duration {
        match poll.request_timeout {
            _ if self.never_waits => Duration::ZERO,
            0 => DEFAULT_WAIT,
            wait => millis(wait),
        }
    }
}
