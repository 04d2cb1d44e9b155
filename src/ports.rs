//! Where I/O begins: the few traits that adapters implement and engines use.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::Stream;
use secrecy::SecretString;

use crate::{
    job::{Job, JobRef, Variables},
    outcome::Outcome,
    servicenow::{Endpoint, Reply, Request},
};

mod process;

pub use process::{
    Accepted, Broker, Cluster, ClusterRest, Correlated, Correlation, CreateInstance,
    CreatedInstance, DEFAULT_TENANT, Message, Partition, ProcessGateway, ProcessRef, RestError,
    Signal,
};

/// Wall time. Deadlines never use it: they use tokio's monotonic clock.
pub trait Clock: Send + Sync + 'static {
    /// The current moment.
    fn now(&self) -> jiff::Timestamp;
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Whether the program can do its work, for the operators' listener.
pub trait Readiness: fmt::Debug + Send + Sync {
    /// Whether what it needs has answered at least once.
    fn is_ready(&self) -> bool;
}

/// Sends requests to ServiceNow: authentication, pooling, caps and time-outs are its own.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and reads the answer to its end. Never sends twice, except after
    /// a 401 that a fresh OAuth token can cure.
    fn send(
        &self,
        endpoint: &Arc<Endpoint>,
        request: Request,
    ) -> impl Future<Output = Reply> + Send;
}

/// Looks secrets up by name.
pub trait SecretProvider: Send + Sync + 'static {
    /// The secret's current value; `None` when there is no such secret.
    fn secret(&self, name: &str) -> Result<Option<SecretString>, SecretUnreadable>;
}

impl fmt::Debug for dyn SecretProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretProvider")
    }
}

/// A secret that is there but cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret '{name}' cannot be read: {message}")]
pub struct SecretUnreadable {
    /// The secret's name.
    pub name: String,
    /// What the system said.
    pub message: String,
}

/// What a worker asks of the engine for one job type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The job type.
    pub job_type: String,
    /// The worker's name; the same for all replicas, else pushed jobs cannot be re-routed.
    pub worker: String,
    /// How long a job is locked for us from activation on.
    pub timeout: Duration,
    /// The variables to send along.
    pub fetch_variables: Vec<String>,
    /// The tenants to take jobs of.
    pub tenants: Vec<String>,
    /// Whether to ask for lease tokens (Camunda 8.10).
    pub lease: bool,
}

/// Pushed jobs, one by one. Dropping it ends the subscription.
pub type JobStream = Pin<Box<dyn Stream<Item = Result<Job, GatewayError>> + Send>>;

/// Everything a worker needs from the engine.
pub trait JobGateway: Send + Sync + 'static {
    /// Asks for up to `max_jobs` jobs and waits at most `wait` for the first of them;
    /// `None` answers at once.
    fn poll(
        &self,
        subscription: &Subscription,
        max_jobs: usize,
        wait: Option<Duration>,
    ) -> impl Future<Output = Result<Vec<Job>, GatewayError>> + Send;

    /// Opens a stream of pushed jobs.
    fn stream(
        &self,
        subscription: &Subscription,
    ) -> impl Future<Output = Result<JobStream, GatewayError>> + Send;

    /// Sends the command that ends a job. Sends once; retrying is the caller's.
    fn report(
        &self,
        job: &JobRef,
        outcome: &Outcome,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Locks the job for `timeout` from now.
    fn extend(
        &self,
        job: &JobRef,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Sets variables of one run of an element, in its own scope and nowhere else.
    fn remember(
        &self,
        element_instance_key: i64,
        variables: &Variables,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Asks for the cluster's topology: the gateway is there and lets us in.
    fn topology(&self) -> impl Future<Output = Result<Topology, GatewayError>> + Send;
}

/// What we read of a cluster's topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Version of the gateway, e.g. `8.6.0`; empty when it does not say.
    pub gateway_version: String,
    /// Number of brokers.
    pub brokers: usize,
    /// Number of partitions.
    pub partitions: i32,
}

/// Why the engine did not take a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GatewayError {
    /// What kind of refusal.
    pub kind: GatewayErrorKind,
    /// The engine's own words.
    pub message: String,
}

/// Kinds of refusal, each with one right reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatewayErrorKind {
    /// Back-pressure: wait, then again.
    Busy,
    /// No gateway, no leader, transport trouble, internal errors: wait, then again.
    Unavailable,
    /// No answer in time; a command may have worked.
    TimedOut,
    /// The job is gone: completed, cancelled, or not ours to see.
    NotFound,
    /// The job is in a state that forbids it, or leased to somebody else.
    Superseded,
    /// What is to be made is there already.
    AlreadyExists,
    /// The request itself is wrong, or too large. Sending it again cannot help.
    Invalid,
    /// We may not.
    Denied,
    /// Our credentials are not accepted.
    Unauthenticated,
}

impl GatewayErrorKind {
    /// Whether the same call can succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::TimedOut | Self::Unauthenticated)
    }
}
