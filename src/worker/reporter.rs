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
    /// The job is gone: an earlier try worked, or the process instance was cancelled.
    Gone,
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
            Self::Gone => CommandFate::Gone,
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

/// Gives a job back unstarted, with its retries as they were.
pub(super) async fn hand_back<G: JobGateway>(gateway: &G, lease: &Lease, job: &Job) {
    let outcome = Outcome::Fail {
        retries: job.retries,
        message: "handed back unstarted: the worker is shutting down".to_owned(),
        retry_backoff: Duration::ZERO,
        variables: Variables::new(),
    };
    let reported = report(gateway, lease, job, &outcome).await;
    tracing::info!(job_key = %job.id.key, ?reported, "job handed back unstarted");
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
    loop {
        if Instant::now() >= last_moment {
            return Ok(Reported::GivenUp);
        }
        crash_point!("before_command");
        let answer = gateway.report(&job.id, outcome).await;
        crash_point!("command_answered");
        let Err(error) = answer else {
            return Ok(Reported::Accepted);
        };
        match error.kind {
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
