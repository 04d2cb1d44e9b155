//! One job between its first request and its outcome.
#![deny(clippy::disallowed_types)]

use std::{sync::Arc, time::Duration};

use super::{Config, Finished, Secrets, Summary};
use crate::{
    job::{Job, Variables},
    outcome::Outcome,
    servicenow::{Endpoint, Error, Reason, Reply, Request},
};

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Send this and resume with the reply.
    Send(Call),
    /// Report this; the exchange is over.
    Done(Box<Finished>),
}

/// A request and where it goes.
#[derive(Clone, Debug)]
pub struct Call {
    /// The instance and the credentials.
    pub endpoint: Arc<Endpoint>,
    /// The request.
    pub request: Request,
}

/// A job in progress.
#[derive(Debug)]
pub struct Exchange {
    #[expect(dead_code, reason = "the operations that read it follow")]
    config: Arc<Config>,
    job: Arc<Job>,
}

impl Exchange {
    pub(crate) fn start(
        config: Arc<Config>,
        job: Arc<Job>,
        _secrets: Secrets,
        now: jiff::Timestamp,
    ) -> (Self, Step) {
        let exchange = Self { config, job };
        let error = Error::new(Reason::InvalidInput, "no operation is known yet");
        let finished = exchange.fail(error, now);
        (exchange, Step::Done(Box::new(finished)))
    }

    /// Goes on with the reply to the last request.
    pub fn resume(&mut self, reply: Reply, now: jiff::Timestamp) -> Step {
        let message = match reply {
            Ok(response) => format!("unexpected answer {}", response.status),
            Err(no_answer) => no_answer.message,
        };
        Step::Done(Box::new(self.fail(Error::new(Reason::UnexpectedResponse, message), now)))
    }

    /// Ends the exchange with an error from outside, e.g. a deadline that leaves no time for
    /// another call.
    pub fn fail(&self, error: Error, _now: jiff::Timestamp) -> Finished {
        Finished {
            outcome: Outcome::Fail {
                retries: if error.reason.is_transient() { self.job.retries } else { 0 },
                message: error.message,
                retry_backoff: error.retry_after.unwrap_or_default(),
                variables: Variables::new(),
            },
            summary: Summary::new(""),
        }
    }

    /// Ends the exchange with the job as it was: unchanged retries, no back-off.
    pub fn hand_back(&self, message: &str) -> Finished {
        handed_back(&self.job, message)
    }
}

pub(crate) fn handed_back(job: &Job, message: &str) -> Finished {
    failed(job, job.retries, message)
}

pub(crate) fn finished_by_panic(job: &Job, panic: &str) -> Finished {
    failed(job, (job.retries - 1).max(0), &format!("internal error: {panic}"))
}

fn failed(job: &Job, retries: i32, message: &str) -> Finished {
    let outcome = Outcome::Fail {
        retries,
        message: crate::outcome::cut(message, crate::outcome::MAX_MESSAGE_CHARS),
        retry_backoff: Duration::ZERO,
        variables: Variables::new(),
    };
    let connection = job.variables.get("connection").and_then(|v| v.as_str()).unwrap_or_default();
    Finished { outcome, summary: Summary::new(connection) }
}
