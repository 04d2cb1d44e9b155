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
mod exchange;
mod finished;
mod pattern;
mod plan;

use std::sync::Arc;

pub use authentication::{AuthenticationTemplate, InvalidAuthentication, OauthClientTemplate};
pub use config::{Access, Config, Connection, SecretScope, TableRules};
pub use exchange::{Call, Exchange, Step};
pub use finished::{Effect, Finished, JobType, Summary};
pub use pattern::{HostPattern, InvalidHostPattern};
pub use plan::{Plan, Secrets};

use crate::job::Job;

/// The core, shared by all jobs of a worker.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<Config>,
}

impl Connector {
    /// A core with these settings.
    pub fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }

    /// Reads a job as far as that needs no secret: headers are read and expressions
    /// parsed, so that a broken one costs no call.
    pub fn plan(&self, job: Arc<Job>) -> Result<Plan, Finished> {
        Ok(Plan::new(Arc::clone(&self.config), job))
    }
}

/// The job types, each with the variables to fetch.
pub fn job_types() -> Vec<JobType> {
    ["servicenow:record:1", "servicenow:flow:1"]
        .map(|name| JobType { name, variables: ["error"].into() })
        .into()
}

/// The end of a job whose handling panicked: an ordinary failure, one retry used.
pub fn finished_by_panic(job: &Job, panic: &str) -> Finished {
    exchange::finished_by_panic(job, panic)
}
