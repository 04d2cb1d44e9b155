//! Sends the command that ends a job, as often as it takes and as long as it may.
//!
//! A completion may come late: the first one wins, and all carry the same result. A
//! failure or a BPMN error may not: after our lock has ended it would hit the job of
//! whoever holds it now.

use std::time::Duration;

use tokio::time::Instant;

use super::{backoff::Backoff, lease::Lease};
use crate::{
    job::{Job, Variables},
    metrics::CommandFate,
    outcome::Outcome,
    ports::{GatewayError, GatewayErrorKind, JobGateway},
};

/// What became of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reported {
    /// The engine took it.
    Accepted,
    /// The job is gone: an earlier try worked, somebody else ended it, or it was cancelled.
    Gone,
    /// The job was gone at the first try, with its lock still ours: its process instance, or
    /// the element in it, was cancelled.
    Cancelled,
    /// The job is in other hands, or ended otherwise.
    Superseded,
    /// The engine will not take the command; the job was failed with retries 0 instead.
    Refused,
    /// No answer for as long as it may be sent; the job comes back when its lock ends.
    GivenUp,
}

impl Reported {
    /// What the figures call it.
    pub(super) fn fate(self) -> CommandFate {
        match self {
            Self::Accepted => CommandFate::Accepted,
            Self::Gone | Self::Cancelled => CommandFate::Gone,
            Self::Superseded => CommandFate::Superseded,
            Self::Refused | Self::GivenUp => CommandFate::Unaccepted,
        }
    }
}

/// Ends a job with `outcome`.
pub(super) async fn report<G: JobGateway>(
    gateway: &G,
    lease: &Lease,
    job: &Job,
    outcome: &Outcome,
) -> Reported {
    match send(gateway, lease, job, outcome).await {
        Ok(reported) => reported,
        Err(error) => refuse(gateway, lease, job, outcome, &error).await,
    }
}

/// Why and for how long a job is given back unstarted.
#[derive(Clone, Debug)]
pub(super) struct HandedBack {
    why: String,
    stay: Duration,
}

impl HandedBack {
    /// Somebody else may take it now.
    pub(super) fn at_once(why: impl Into<String>) -> Self {
        Self { why: why.into(), stay: Duration::ZERO }
    }

    /// It may come back after about this long; jobs are spread, so that they do not come
    /// together.
    pub(super) fn spread(why: impl Into<String>, stay: Duration) -> Self {
        Self { why: why.into(), stay: stay.mul_f64(0.5 + fastrand::f64()) }
    }
}

/// Gives a job back unstarted, with its retries as they were.
pub(super) async fn hand_back<G: JobGateway>(
    gateway: &G,
    lease: &Lease,
    job: &Job,
    back: HandedBack,
) {
    let outcome = Outcome::Fail {
        retries: job.retries,
        message: format!("handed back unstarted: {}", back.why),
        retry_backoff: back.stay,
        variables: Variables::new(),
    };
    let reported = report(gateway, lease, job, &outcome).await;
    tracing::info!(job_key = %job.id.key, ?reported, why = back.why, "job handed back unstarted");
}

/// Sends until there is an answer. `Err` when the command itself is at fault.
async fn send<G: JobGateway>(
    gateway: &G,
    lease: &Lease,
    job: &Job,
    outcome: &Outcome,
) -> Result<Reported, GatewayError> {
    let last_moment = match outcome {
        Outcome::Complete { .. } => lease.until() + lease.timeout(),
        Outcome::Fail { .. } | Outcome::ThrowError { .. } => lease.until(),
    };
    let mut backoff = Backoff::gateway();
    let mut is_first = true;
    loop {
        if Instant::now() >= last_moment {
            return Ok(Reported::GivenUp);
        }
        // Nobody else can have ended a job that is ours, and we have not yet.
        let is_sure = std::mem::take(&mut is_first) && lease.is_held();
        crash_point!("before_command");
        let answer = gateway.report(&job.id, outcome).await;
        crash_point!("command_answered");
        let Err(error) = answer else {
            return Ok(Reported::Accepted);
        };
        match error.kind {
            GatewayErrorKind::NotFound if is_sure => return Ok(Reported::Cancelled),
            GatewayErrorKind::NotFound => return Ok(Reported::Gone),
            GatewayErrorKind::Superseded => return Ok(Reported::Superseded),
            GatewayErrorKind::Invalid | GatewayErrorKind::AlreadyExists => return Err(error),
            GatewayErrorKind::Denied => {
                tracing::error!(job_key = %job.id.key, %error, "the engine lets us end no jobs");
                return Ok(Reported::GivenUp);
            }
            _ => tracing::debug!(job_key = %job.id.key, %error, "command not taken; again"),
        }
        crash_point!("before_command_again");
        tokio::time::sleep(backoff.next()).await;
    }
}

/// The engine cannot take the command, its size for instance: say so where people look.
async fn refuse<G: JobGateway>(
    gateway: &G,
    lease: &Lease,
    job: &Job,
    outcome: &Outcome,
    error: &GatewayError,
) -> Reported {
    tracing::error!(job_key = %job.id.key, %error, "the engine cannot take the result");
    let what = match outcome {
        Outcome::Complete { .. } => "completed the work, but the engine cannot take the result",
        Outcome::Fail { .. } => "failed, and the engine cannot take the failure as it is",
        Outcome::ThrowError { .. } => "cannot throw the BPMN error",
    };
    let failure = Outcome::Fail {
        retries: 0,
        message: format!("{what}: {error}; select fewer fields or map less into variables"),
        retry_backoff: Duration::ZERO,
        variables: Variables::new(),
    };
    match send(gateway, lease, job, &failure).await {
        Ok(Reported::Accepted) => Reported::Refused,
        Ok(other) => other,
        Err(_) => Reported::GivenUp,
    }
}
