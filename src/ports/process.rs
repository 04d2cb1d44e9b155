//! What the inbound endpoint asks of the engine: commands about process instances, messages
//! and signals, in our own words.

use std::{future::Future, time::Duration};

use super::GatewayError;
use crate::job::Variables;

/// The tenant of clusters without multi-tenancy.
pub const DEFAULT_TENANT: &str = "<default>";

/// Which process to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessRef {
    /// By the id in its BPMN file.
    Id {
        /// The BPMN process id.
        id: String,
        /// The version; the latest when absent.
        version: Option<i32>,
    },
    /// By the key of one deployed version.
    Key(i64),
}

/// A process instance to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateInstance {
    /// The process.
    pub process: ProcessRef,
    /// Its first variables.
    pub variables: Variables,
    /// The tenant.
    pub tenant_id: String,
    /// A number that the caller finds again in the engine's records.
    pub operation_reference: Option<u64>,
    /// Elements to start at in place of the start event.
    pub start_at: Vec<String>,
    /// Elements after whose end the instance is terminated.
    pub terminate_after: Vec<String>,
    /// Tags (Camunda 8.8).
    pub tags: Vec<String>,
    /// Unique among running instances where the cluster enforces it (Camunda 8.9).
    pub business_id: Option<String>,
}

/// A process instance that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedInstance {
    /// Key of the process definition.
    pub process_definition_key: i64,
    /// Id of the process.
    pub bpmn_process_id: String,
    /// Version of the definition.
    pub version: i32,
    /// Key of the instance.
    pub process_instance_key: i64,
    /// Its tenant.
    pub tenant_id: String,
    /// Its variables at the end, when the end was waited for.
    pub variables: Variables,
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub name: String,
    /// Whom it is for; empty for message start events without a key.
    pub correlation_key: String,
    /// How long it waits for somebody to take it.
    pub time_to_live: Duration,
    /// Within the time to live, a second message of this id is refused; empty is none.
    pub message_id: String,
    /// Its variables.
    pub variables: Variables,
    /// The tenant.
    pub tenant_id: String,
    /// The business id of an instance that it starts (Camunda 8.10).
    pub business_id: Option<String>,
}

/// A signal to broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its name.
    pub name: String,
    /// Its variables.
    pub variables: Variables,
    /// The tenant.
    pub tenant_id: String,
}

/// The engine's answer to a message or signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The key it got.
    pub key: i64,
    /// Its tenant.
    pub tenant_id: String,
}

/// A cluster as its gateway sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The brokers.
    pub brokers: Vec<Broker>,
    /// How many brokers there should be.
    pub cluster_size: i32,
    /// How many partitions there are.
    pub partitions_count: i32,
    /// How many copies of each partition there are.
    pub replication_factor: i32,
    /// Version of the gateway, e.g. `8.6.0`; empty when it does not say.
    pub gateway_version: String,
}

/// One broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Its number.
    pub node_id: i32,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its version.
    pub version: String,
    /// The partitions it takes part in.
    pub partitions: Vec<Partition>,
}

/// A broker's part in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The partition's number.
    pub id: i32,
    /// `leader`, `follower` or `inactive`.
    pub role: &'static str,
    /// `healthy`, `unhealthy` or `dead`.
    pub health: &'static str,
}

impl CreateInstance {
    /// An instance of the latest version of a process, with nothing else asked for.
    pub fn latest(process_id: &str, variables: Variables) -> Self {
        Self {
            process: ProcessRef::Id { id: process_id.to_owned(), version: None },
            variables,
            tenant_id: DEFAULT_TENANT.to_owned(),
            operation_reference: None,
            start_at: Vec::new(),
            terminate_after: Vec::new(),
            tags: Vec::new(),
            business_id: None,
        }
    }
}

impl Message {
    /// A message that may be published twice.
    pub fn new(
        name: &str,
        correlation_key: &str,
        time_to_live: Duration,
        variables: Variables,
    ) -> Self {
        Self {
            name: name.to_owned(),
            correlation_key: correlation_key.to_owned(),
            time_to_live,
            message_id: String::new(),
            variables,
            tenant_id: DEFAULT_TENANT.to_owned(),
            business_id: None,
        }
    }
}

impl Cluster {
    /// Whether commands can be processed: some partition has a healthy leader.
    pub fn is_up(&self) -> bool {
        let mut partitions = self.brokers.iter().flat_map(|broker| &broker.partitions);
        partitions.any(|partition| partition.role == "leader" && partition.health == "healthy")
    }

    /// Major and minor version of the gateway.
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.gateway_version.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

/// Commands about processes. Each is sent once; repeating is the caller's.
pub trait ProcessGateway: Send + Sync + 'static {
    /// Starts an instance.
    fn create_instance(
        &self,
        instance: &CreateInstance,
    ) -> impl Future<Output = Result<CreatedInstance, GatewayError>> + Send;

    /// Starts an instance and waits for its end, `wait` at most. The instance goes on when
    /// the wait is over.
    fn create_instance_with_result(
        &self,
        instance: &CreateInstance,
        wait: Duration,
        fetch_variables: &[String],
    ) -> impl Future<Output = Result<CreatedInstance, GatewayError>> + Send;

    /// Cancels an instance.
    fn cancel_instance(
        &self,
        process_instance_key: i64,
        operation_reference: Option<u64>,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Publishes a message.
    fn publish_message(
        &self,
        message: &Message,
    ) -> impl Future<Output = Result<Accepted, GatewayError>> + Send;

    /// Broadcasts a signal.
    fn broadcast_signal(
        &self,
        signal: &Signal,
    ) -> impl Future<Output = Result<Accepted, GatewayError>> + Send;

    /// Asks for the cluster's topology.
    fn cluster(&self) -> impl Future<Output = Result<Cluster, GatewayError>> + Send;

    /// Deploys one resource; the same content again changes nothing.
    fn deploy_resource(
        &self,
        name: &str,
        content: &[u8],
        tenant_id: &str,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;
}

/// A message to correlate at once: somebody must be waiting for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    /// The message's name.
    pub name: String,
    /// Whom it is for.
    pub correlation_key: String,
    /// Its variables.
    pub variables: Variables,
    /// The tenant.
    pub tenant_id: String,
}

/// A message that was correlated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlated {
    /// The message's key.
    pub message_key: String,
    /// The instance that took it.
    pub process_instance_key: String,
    /// Its tenant.
    pub tenant_id: String,
}

/// What only the cluster's REST API can do.
pub trait ClusterRest: Send + Sync + 'static {
    /// Correlates a message with whoever waits for it now.
    fn correlate(
        &self,
        correlation: &Correlation,
    ) -> impl Future<Output = Result<Correlated, RestError>> + Send;

    /// The process id of an instance; `None` when there is no such instance.
    fn process_id_of(
        &self,
        process_instance_key: i64,
    ) -> impl Future<Output = Result<Option<String>, RestError>> + Send;
}

/// Why the cluster's REST API did not answer with success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// It answered with a refusal.
    #[error("{title}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's title.
        title: String,
        /// The problem's detail.
        detail: String,
    },
    /// There is no answer, or none that can be read; a command may have worked.
    #[error("{0}")]
    Unanswered(String),
}
