//! One job from arrival to command: the shell around the connector's exchange.
//!
//! Nothing is sent for a job that is no longer ours, and nothing new is started once the
//! worker stops.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::time::Instant;

use super::{Worker, lease::Lease, reporter, run_log};
use crate::{
    connector::{Call, Finished, Plan, Secrets, Step, finished_by_panic},
    job::Job,
    ports::{Clock, JobGateway, SecretProvider, Transport},
    servicenow::{Error, Reason, Reply},
};

/// How the work on a job ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// With an outcome to report.
    Finished(Box<Finished>),
    /// Before anything was sent: somebody else may take it.
    Unstarted,
    /// The lock ended: it is no longer ours to speak of.
    Lost,
}

/// Runs a job and reports it.
pub(super) async fn run<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    job: Job,
    arrival: Instant,
) {
    let _in_flight = worker.parts.metrics.job_started();
    let mut lease = Lease::new(job.id.clone(), arrival, worker.config.job_timeout);
    let job = Arc::new(job);
    crash_point!("job_started");
    let began = Instant::now();
    let work = Box::pin(work_on(worker, &job, &mut lease));
    let ending = match AssertUnwindSafe(work).catch_unwind().await {
        Ok(ending) => ending,
        Err(panic) => Ending::Finished(Box::new(finished_by_panic(&job, panic_text(&*panic)))),
    };
    worker.parts.metrics.deadline_slack(lease.until());
    crash_point!("work_done");
    match ending {
        Ending::Finished(finished) => {
            let gateway = &worker.parts.gateway;
            let reported = reporter::report(gateway, &lease, &job, &finished.outcome).await;
            crash_point!("job_reported");
            worker.parts.metrics.job_ended(&job.job_type, &finished, reported.fate());
            run_log::finished(&job, &finished, reported, began.elapsed());
        }
        Ending::Unstarted => worker.hand_back(&job, &lease).await,
        Ending::Lost => {
            crash_point!("job_lost");
            worker.parts.metrics.job_lost(&job.job_type);
            run_log::lost(&job, began.elapsed());
        }
    }
}

async fn work_on<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    job: &Arc<Job>,
    lease: &mut Lease,
) -> Ending {
    if !lease.is_held() {
        return Ending::Lost;
    }
    let plan = match worker.parts.connector.plan(Arc::clone(job)) {
        Ok(plan) => plan,
        Err(finished) => return Ending::Finished(finished),
    };
    crash_point!("planned");
    if let Some(timeout) = plan.job_timeout()
        && !lease.resize(&worker.parts.gateway, timeout).await
    {
        return Ending::Lost;
    }
    let secrets = match secrets_of(&worker.parts.secrets, &plan) {
        Ok(secrets) => secrets,
        Err(unreadable) => {
            let error = Error::new(Reason::InvalidInput, unreadable.to_string());
            return Ending::Finished(Box::new(plan.fail(error, worker.parts.clock.now())));
        }
    };
    crash_point!("secrets_read");
    exchange(worker, plan, secrets, lease).await
}

fn secrets_of<S: SecretProvider>(
    provider: &S,
    plan: &Plan,
) -> Result<Secrets, crate::ports::SecretUnreadable> {
    let mut secrets = BTreeMap::new();
    for name in plan.secret_names() {
        if let Some(value) = provider.secret(name)? {
            secrets.insert(name.clone(), value);
        }
    }
    Ok(secrets)
}

async fn exchange<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    plan: Plan,
    secrets: Secrets,
    lease: &mut Lease,
) -> Ending {
    let (mut exchange, mut step) = plan.start(secrets, worker.parts.clock.now());
    let mut sent = false;
    crash_point!("exchange_started");
    loop {
        let call = match step {
            Step::Send(call) => call,
            Step::Done(finished) => return Ending::Finished(finished),
        };
        let reply = match send(worker, call, lease, sent).await {
            Ok(reply) => reply,
            Err(ending) => return ending,
        };
        sent = true;
        step = exchange.resume(reply, worker.parts.clock.now());
        crash_point!("exchange_resumed");
    }
}

/// Sends one call once there is room for it and the job is still ours.
async fn send<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    call: Call,
    lease: &mut Lease,
    started: bool,
) -> Result<Reply, Ending> {
    let gateway = &worker.parts.gateway;
    crash_point!("before_room");
    let entering = worker.bulkheads.enter(&call.endpoint);
    let stopping = async {
        worker.stop.cancelled().await;
        if started {
            // A job with a call behind it is finished, not handed back.
            std::future::pending::<()>().await;
        }
    };
    let room = lease.keep_while(gateway, async {
        tokio::select! {
            biased;
            () = stopping => None,
            room = entering => room,
        }
    });
    let Some(_room) = room.await else { return Err(Ending::Unstarted) };
    crash_point!("room_entered");
    if !lease.secure(gateway).await {
        return Err(Ending::Lost);
    }
    crash_point!("lock_secured");
    let began = Instant::now();
    let method = call.request.method;
    let sending = worker.parts.transport.send(&call.endpoint, call.request);
    let reply = lease.keep_while(gateway, sending).await;
    crash_point!("reply_read");
    worker.parts.metrics.http_call(method, &reply, began.elapsed());
    Ok(reply)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
