//! A job read as far as that needs no secret.
#![deny(clippy::disallowed_types)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;

use super::{
    Core, Exchange, Finished, SecretScope, Step, exchange, failure,
    headers::Headers,
    input::{credential_texts, invalid},
    secrets,
};
use crate::{job::Job, servicenow::Error};

/// Secret values by name; a name that is missing here is an unknown secret.
pub type Secrets = BTreeMap<String, SecretString>;

/// A job with its headers read and its expressions parsed; nothing has been sent.
#[derive(Debug)]
pub struct Plan {
    core: Arc<Core>,
    job: Arc<Job>,
    headers: Headers,
    secret_names: BTreeSet<String>,
}

impl Plan {
    pub(crate) fn new(core: Arc<Core>, job: Arc<Job>) -> Result<Self, Box<Finished>> {
        let headers = match &job.defect {
            Some(defect) => Err(invalid(defect.as_str())),
            None => Headers::read(&job, &core.expressions),
        };
        let headers =
            headers.map_err(|error| Box::new(exchange::not_planned(&core, &job, &error)))?;
        let secret_names = secret_names(&core, &job);
        Ok(Self { core, job, headers, secret_names })
    }

    /// How long the job is to be locked for, when its author says so (`jobTimeout`).
    pub fn job_timeout(&self) -> Option<Duration> {
        self.headers.job_timeout
    }

    /// When this job's outage began, as an earlier attempt noted; `None` for all that is
    /// known a first attempt.
    pub fn outage_since(&self) -> Option<jiff::Timestamp> {
        failure::outage_of(&self.job)
    }

    /// The secrets to look up before [`Plan::start`].
    pub fn secret_names(&self) -> &BTreeSet<String> {
        &self.secret_names
    }

    /// Puts the secrets in place, reads the inputs and takes the first step.
    pub fn start(self, mut secrets: Secrets, now: jiff::Timestamp) -> (Exchange, Step) {
        secrets.retain(|name, _| self.secret_names.contains(name));
        Exchange::new(self.core, self.job, self.headers, &secrets).start(&secrets, now)
    }

    /// Ends the job before its start with an error from outside, e.g. an unreadable secret.
    pub fn fail(self, error: Error, now: jiff::Timestamp) -> Finished {
        Exchange::new(self.core, self.job, self.headers, &Secrets::new()).fail(error, now)
    }
}

fn secret_names(core: &Core, job: &Job) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in credential_texts(&job.variables, &core.config) {
        secrets::names_in_value(&text, &mut names);
    }
    for (name, value) in &job.variables {
        let is_in_scope = match core.config.secret_scope {
            SecretScope::Credentials => name == "headers",
            // Inline credentials count only where they are used, see above.
            SecretScope::Inputs => {
                let is_elsewhere = ["authentication", "error", "connection", "instance"];
                !is_elsewhere.contains(&name.as_str())
            }
        };
        if is_in_scope {
            secrets::names_in_value(value, &mut names);
        }
    }
    names
}
