//! Input of a job -> operation -> exchange of requests and replies -> outcome.
//!
//! The core does no I/O and reads no clock. A [`Connector`] turns a job into a [`Plan`]
//! (headers read, expressions parsed, secret names found, nothing sent); a plan starts an
//! [`Exchange`]; an exchange returns the next request and is resumed with the reply and the
//! time, until it is done:
//!
//! ```ignore
//! let (mut exchange, mut step) = connector.plan(job)?.start(secrets, clock.now());
//! loop {
//!     match step {
//!         Step::Send(call) => {
//!             // First the call's note is left with the engine, if it has one.
//!             let reply = transport.send(&call.endpoint, call.request).await;
//!             step = exchange.resume(reply, clock.now());
//!         }
//!         Step::Done(finished) => return finished,
//!     }
//! }
//! ```
#![deny(clippy::disallowed_types)]

mod authentication;
mod config;
mod duration;
mod exchange;
mod expression;
mod failure;
mod finished;
pub mod functions;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod headers;
mod honouring;
mod identity;
mod input;
mod intent;
mod json_path;
mod operation;
mod output;
mod pattern;
mod plan;
mod redactor;
mod secrets;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use authentication::{AuthenticationTemplate, InvalidAuthentication, OauthClientTemplate};
pub use config::{
    Access, CallTimes, Config, Connection, IdentityRule, InvalidIdentityRule, OnMismatch,
    SecretScope, TableRules,
};
pub use exchange::{Call, Exchange, Note, Step, Trouble};
pub use finished::{Effect, Finished, JobType, Summary};
pub use headers::HEADERS;
pub use honouring::IdNotHonoured;
pub use pattern::{HostPattern, InvalidHostPattern};
pub use plan::{Plan, Secrets};

pub(crate) use json_path::JsonPath;
pub(crate) use secrets::{
    misspelt as misspelt_secret, names_in_text as secret_names, replace_in_text as with_secrets,
};

use crate::job::Job;

/// The core, shared by all jobs of a worker.
#[derive(Clone, Debug)]
pub struct Connector {
    core: Arc<Core>,
}

/// What the jobs share.
#[derive(Debug)]
pub(crate) struct Core {
    config: Config,
    expressions: expression::Expressions,
    templates: template::Templates,
    /// What instances have done with the `sys_id` of an insert.
    honouring: Arc<honouring::Honouring>,
}

impl Connector {
    /// A core with these settings.
    pub fn new(config: Config) -> Self {
        let expressions = expression::Expressions::new();
        let templates = template::Templates::new();
        let honouring = Arc::default();
        Self { core: Arc::new(Core { config, expressions, templates, honouring }) }
    }

    /// How many connections the operator configured.
    pub fn connections(&self) -> usize {
        self.core.config.connections.len()
    }

    /// Reads a job as far as that needs no secret: headers are read and expressions
    /// parsed, so that a broken one costs no call.
    pub fn plan(&self, job: Arc<Job>) -> Result<Plan, Box<Finished>> {
        Plan::new(Arc::clone(&self.core), job)
    }
}

/// The job types, each with the variables to fetch.
pub fn job_types() -> Vec<JobType> {
    operation::job_types()
}

/// The end of a job whose handling panicked: an ordinary failure, one retry used.
pub fn finished_by_panic(job: &Job, panic: &str) -> Finished {
    exchange::panicked(job, panic)
}
