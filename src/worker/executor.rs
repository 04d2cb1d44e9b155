//! One job from arrival to command: the shell around the connector's exchange.
//!
//! Nothing is sent for a job that is no longer ours, and nothing new is started once the
//! worker stops.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::Instant;

use super::{
    Slot, Worker,
    governor::{Attempt, Room},
    lease::Lease,
    note, orphan,
    reporter::{self, HandedBack, Reported},
    run_log,
    slots::WayBack,
};
use crate::{
    connector::{Call, Finished, Plan, Secrets, Step, Summary, finished_by_panic},
    job::Job,
    metrics::InFlight,
    outcome::Outcome,
    ports::{Clock, JobGateway, SecretProvider, Transport},
    servicenow::{Error, NoAnswer, NoAnswerCause, Reason, Reply},
};

/// How often a job that waits for room asks whether others need its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the work on a job ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// With an outcome to report.
    Finished(Box<Finished>),
    /// Before anything was sent: somebody else may take it.
    Unstarted,
    /// Before anything was sent: others need the room that it would wait in.
    Crowded(HandedBack),
    /// The lock ended: it is no longer ours to speak of. With what was done until then.
    Lost(Option<Box<Summary>>),
}

/// Runs a job and reports it.
pub(super) async fn run<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    job: Job,
    slot: Slot,
    arrival: Instant,
) {
    let mut in_flight = worker.parts.metrics.job_started();
    let copy = worker.holdings.add(&job);
    let mut lease = Lease::new(copy, job.id.clone(), arrival, worker.config.job_timeout);
    let job = Arc::new(job);
    crash_point!("job_started");
    let began = Instant::now();
    let work = Box::pin(work_on(worker, &job, &mut lease, &mut in_flight));
    let ending = match AssertUnwindSafe(work).catch_unwind().await {
        Ok(ending) => ending,
        Err(panic) => Ending::Finished(Box::new(finished_by_panic(&job, panic_text(&*panic)))),
    };
    worker.parts.metrics.deadline_slack(lease.until());
    crash_point!("work_done");
    let _room = room_to_end(worker, &ending, slot);
    match ending {
        Ending::Finished(finished) => {
            let gateway = &worker.parts.gateway;
            lease.ending();
            let reported = reporter::report(gateway, &lease, &job, &finished.outcome).await;
            let is_failure = matches!(finished.outcome, Outcome::Fail { .. });
            lease.ended(is_failure && reported == Reported::Accepted);
            crash_point!("job_reported");
            worker.parts.metrics.job_ended(&job.job_type, &finished, reported.fate());
            run_log::finished(&job, &finished, reported, began.elapsed());
            if reported == Reported::Cancelled || lease.is_gone() {
                orphan::notice(&worker.parts.metrics, &job, &finished.summary);
            }
        }
        Ending::Unstarted => worker.hand_back_at_the_end(&job, &lease).await,
        Ending::Crowded(back) => worker.hand_back(&job, &lease, back).await,
        Ending::Lost(summary) => {
            crash_point!("job_lost");
            worker.parts.metrics.job_lost(&job.job_type);
            run_log::lost(&job, began.elapsed());
            if let Some(summary) = summary.filter(|_| lease.is_gone()) {
                orphan::notice(&worker.parts.metrics, &job, &summary);
            }
        }
    }
}

/// The room that a job needs until the engine knows its end: none of the worker's own where
/// nothing was done for it.
fn room_to_end<G, T, S, C>(worker: &Worker<G, T, S, C>, ending: &Ending, slot: Slot) -> WayBack {
    let is_unused = match ending {
        Ending::Crowded(_) => true,
        Ending::Finished(finished) => {
            finished.summary.calls == 0 && matches!(finished.outcome, Outcome::Fail { .. })
        }
        Ending::Unstarted | Ending::Lost(_) => false,
    };
    if is_unused { worker.slots.on_the_way_back(slot) } else { WayBack::InSlot { _slot: slot } }
}

async fn work_on<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    job: &Arc<Job>,
    lease: &mut Lease,
    in_flight: &mut InFlight,
) -> Ending {
    if !lease.is_held() || !lease.may_begin() {
        return Ending::Lost(None);
    }
    let plan = match worker.parts.connector.plan(Arc::clone(job)) {
        Ok(plan) => plan,
        Err(finished) => return Ending::Finished(finished),
    };
    crash_point!("planned");
    if let Some(since) = plan.outage_since() {
        let age = worker.parts.clock.now().duration_since(since);
        in_flight.is_older_by(age.try_into().unwrap_or_default());
    }
    if let Some(timeout) = plan.job_timeout()
        && !lease.resize(&worker.parts.gateway, timeout).await
    {
        return Ending::Lost(None);
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
    let mut attempt = if plan.outage_since().is_some() { Attempt::Again } else { Attempt::First };
    let (mut exchange, mut step) = plan.start(secrets, worker.parts.clock.now());
    crash_point!("exchange_started");
    loop {
        let call = match step {
            Step::Send(call) => call,
            Step::Done(finished) => return Ending::Finished(finished),
        };
        let sent = match send(worker, call, lease, attempt).await {
            Ok(sent) => sent,
            Err(Ending::Lost(_)) if attempt == Attempt::Further => {
                let error = Error::new(Reason::OutcomeUnknown, "the lock on the job ended");
                let finished = exchange.fail(error, worker.parts.clock.now());
                return Ending::Lost(Some(Box::new(finished.summary)));
            }
            Err(ending) => return ending,
        };
        attempt = Attempt::Further;
        step = exchange.resume(sent.reply, worker.parts.clock.now());
        if let Some(room) = sent.room {
            room.ended(exchange.trouble());
        }
        crash_point!("exchange_resumed");
    }
}

/// A reply, and the room that its call took; none when there was no call.
struct Sent {
    reply: Reply,
    room: Option<Room>,
}

/// Sends one call once there is room for it and the job is still ours.
async fn send<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    call: Call,
    lease: &mut Lease,
    attempt: Attempt,
) -> Result<Sent, Ending> {
    let gateway = &worker.parts.gateway;
    crash_point!("before_room");
    let room = match enter(worker, &call, lease, attempt).await? {
        Ok(room) => room,
        Err(held_back) => return Ok(Sent { reply: Err(held_back), room: None }),
    };
    crash_point!("room_entered");
    if !lease.begin().await || !lease.secure(gateway).await {
        return Err(Ending::Lost(None));
    }
    let noted = match &call.note {
        Some(note) => note::leave(worker, note, lease).await,
        None => Ok(()),
    };
    match noted {
        Ok(()) => {}
        Err(note::NotLeft::Lost) => return Err(Ending::Lost(None)),
        Err(note::NotLeft::Refused(error)) => {
            return Ok(Sent { reply: Err(note::not_sent(&error)), room: None });
        }
    }
    crash_point!("lock_secured");
    let began = Instant::now();
    let method = call.request.method;
    let sending = worker.parts.transport.send(&call.endpoint, call.request);
    let reply = lease.keep_while(gateway, sending).await;
    crash_point!("reply_read");
    worker.parts.metrics.http_call(method, &reply, began.elapsed());
    // A request that cannot be sent says nothing of the instance.
    let is_sendable = !matches!(&reply, Err(none) if none.cause == NoAnswerCause::Invalid);
    Ok(Sent { reply, room: is_sendable.then_some(room) })
}

/// Waits for room at the call's connection. A job with a call behind it is finished, not
/// handed back: it waits through a stop of the worker and through a crowd.
async fn enter<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    call: &Call,
    lease: &mut Lease,
    attempt: Attempt,
) -> Result<Result<Room, NoAnswer>, Ending> {
    let is_started = attempt == Attempt::Further;
    let connection = worker.governor.connection(&call.endpoint);
    let crowding = async {
        let is_crowded = |others| {
            worker.governor.is_over_its_share(&connection, others, worker.slots.occupancy())
        };
        // At first this job is none of those that the connection holds, later one of them.
        let mut own = 0;
        while is_started || !is_crowded(connection.held().saturating_sub(own)) {
            tokio::time::sleep(PATIENCE).await;
            own = 1;
        }
        let why = format!("connection '{}' has its share of the jobs", call.endpoint.connection);
        HandedBack::spread(why, connection.turn_away())
    };
    let stopping = async {
        worker.stop.cancelled().await;
        if is_started {
            std::future::pending::<()>().await;
        }
    };
    let entering = async {
        tokio::select! {
            biased;
            () = stopping => Err(Ending::Unstarted),
            back = crowding => Err(Ending::Crowded(back)),
            room = connection.enter(attempt) => Ok(room),
        }
    };
    lease.keep_while(&worker.parts.gateway, entering).await
}

/// What a panic says, where it was written by a programmer. A text that was put together may
/// hold a secret; where it came from is in the log.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("its log says where it happened")
}
