//! A job read as far as that needs no secret.
#![deny(clippy::disallowed_types)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;

use super::{Config, Exchange, Finished, Step};
use crate::{job::Job, servicenow::Error};

/// Secret values by name; a name that is missing here is an unknown secret.
pub type Secrets = BTreeMap<String, SecretString>;

/// A job with its headers read and its expressions parsed; nothing has been sent.
#[derive(Debug)]
pub struct Plan {
    config: Arc<Config>,
    job: Arc<Job>,
    secret_names: BTreeSet<String>,
}

impl Plan {
    pub(crate) fn new(config: Arc<Config>, job: Arc<Job>) -> Self {
        Self { config, job, secret_names: BTreeSet::new() }
    }

    /// How long the job is to be locked for, when its author says so (`jobTimeout`).
    pub fn job_timeout(&self) -> Option<Duration> {
        None
    }

    /// The secrets to look up before [`Plan::start`].
    pub fn secret_names(&self) -> &BTreeSet<String> {
        &self.secret_names
    }

    /// Puts the secrets in place, reads the inputs and takes the first step.
    pub fn start(self, secrets: Secrets, now: jiff::Timestamp) -> (Exchange, Step) {
        Exchange::start(self.config, self.job, secrets, now)
    }

    /// Ends the job before its start with an error from outside, e.g. an unreadable secret.
    pub fn fail(self, error: Error, now: jiff::Timestamp) -> Finished {
        Exchange::start(self.config, self.job, Secrets::new(), now).0.fail(error, now)
    }

    /// Hands the job back as it was: unchanged retries, no back-off.
    pub fn hand_back(self, message: &str) -> Finished {
        super::exchange::handed_back(&self.job, message)
    }
}
