//! A development stand-in for a Camunda cluster: the gateway's gRPC service in memory, on a
//! real socket. Nothing is persisted; production is Camunda's own engine.

pub mod bpmn;
mod engine;
pub mod gateway;
mod note;
pub mod record;
pub mod runtime;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use futures_util::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::broadcast,
    task::AbortHandle,
};
use tonic::transport::Identity;

pub use self::{
    engine::Deployment,
    note::{JobNote, JobStep, Note},
};
use self::{
    engine::Engine,
    gateway::{Gateway, Shared},
    record::{CreatedInstance, Incident, Key, Message, NewInstance, Refusal, Variables},
    runtime::{InstanceView, Options, Reach, Runtime},
};
use crate::{clock::SystemClock, ports::Clock};

/// The version that knows what the engine does: business ids came with 8.9.
const VERSION: &str = "8.9.0-dev";
/// Calls that are kept word for word unless told otherwise.
const RECORDED_CALLS: usize = 4096;

/// Where the engine listens and how it behaves.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "gateways differ in many ways")]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What a developer may choose about processes.
    pub processes: Options,
    /// The engine's wall clock: for timers, and for deadlines as workers are told them.
    pub clock: Arc<dyn Clock>,
    /// Key and certificate; without them it speaks plain HTTP/2.
    pub tls: Option<Identity>,
    /// The version it says it has.
    pub version: String,
    /// Whether there are other tenants than the default one; all have the same processes.
    pub multi_tenancy: bool,
    /// Answers polls at once, as Camunda's engine for process tests does.
    pub never_waits: bool,
    /// Jobs that a stream holds for the transport, beside what the transport itself holds.
    pub stream_capacity: usize,
    /// Sends a stream's headers with its first job, as gateways in Java do.
    pub late_headers: bool,
    /// Leases jobs to workers that ask for it, as clusters from 8.10 on do.
    pub leases: bool,
    /// How many calls are kept word for word.
    pub recorded_calls: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            processes: Options::default(),
            clock: Arc::new(SystemClock),
            tls: None,
            version: VERSION.to_owned(),
            multi_tenancy: false,
            never_waits: false,
            stream_capacity: 16,
            late_headers: false,
            leases: true,
            recorded_calls: RECORDED_CALLS,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// A running engine. It ends when dropped, or in good order with [`DevEngine::stop`].
#[derive(Debug)]
pub struct DevEngine {
    gateway: Gateway,
    timing: AbortHandle,
}

impl DevEngine {
    /// Starts an engine with nothing in it.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let listen = listener.local_addr()?;
        Self::start_on(Settings { listen, ..settings }, gateway::sockets(listener))
    }

    /// The same behind sockets from elsewhere, a simulated network for instance; `listen` is
    /// but the address it says it has.
    pub fn start_on<S>(
        settings: Settings,
        sockets: impl Stream<Item = io::Result<S>> + Send + 'static,
    ) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let engine = Engine::new(Arc::clone(&settings.clock), Runtime::new(settings.processes));
        let gateway = Gateway::start(settings, engine, sockets)?;
        let timing = tokio::spawn(keep_time(Arc::clone(gateway.shared()))).abort_handle();
        Ok(Self { gateway, timing })
    }

    /// URL of its gateway.
    pub fn address(&self) -> String {
        self.gateway.address()
    }

    /// Its gateway: faults, figures, jobs without a process.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// News from now on. A receiver that does not keep up loses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Note> {
        self.gateway.shared().engine().notes()
    }

    /// Deploys a BPMN file.
    pub fn deploy(&self, name: &str, content: &[u8]) -> Result<Deployment, Refusal> {
        self.gateway.shared().engine().deploy(&[(name, content)])
    }

    /// Starts a process instance.
    pub fn create_instance(&self, new: NewInstance) -> Result<CreatedInstance, Refusal> {
        self.gateway.shared().engine().create(new)
    }

    /// Ends a process instance from outside.
    pub fn cancel(&self, instance: Key) -> Result<(), Refusal> {
        self.gateway.shared().engine().cancel(instance)
    }

    /// Publishes a message; returns its key.
    pub fn publish(&self, message: Message) -> Result<Key, Refusal> {
        self.gateway.shared().engine().publish(message)
    }

    /// Broadcasts a signal; returns its key.
    pub fn broadcast(&self, signal: &str, variables: Variables) -> Key {
        self.gateway.shared().engine().broadcast(signal, variables)
    }

    /// Sets variables at an element or process instance, to repair what an incident stops.
    pub fn set_variables(
        &self,
        element_instance: Key,
        variables: Variables,
        reach: Reach,
    ) -> Result<Key, Refusal> {
        self.gateway.shared().engine().set_variables(element_instance, variables, reach)
    }

    /// Completes a user task that a process instance, or one it has called, waits at.
    pub fn complete_user_task(
        &self,
        instance: Key,
        element_id: &str,
        variables: Variables,
    ) -> Result<(), Refusal> {
        self.gateway.shared().engine().complete_user_task(instance, element_id, variables)
    }

    /// Tries again what has raised an incident.
    pub fn resolve(&self, incident: Key) -> Result<(), Refusal> {
        self.gateway.shared().engine().resolve(incident)
    }

    /// Gives a job retries; a job that has stopped goes on once its incident is resolved.
    pub fn update_retries(&self, job: Key, retries: i32) -> Result<(), Refusal> {
        self.gateway.shared().engine().set_retries(job, retries, None)
    }

    /// Process instances that run, in the order they began.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.gateway.shared().engine().instances()
    }

    /// Incidents that are open, oldest first.
    pub fn incidents(&self) -> Vec<Incident> {
        self.gateway.shared().engine().incidents()
    }

    /// Ends open streams and waits, lets running calls come to their end, and closes.
    pub async fn stop(self) {
        self.gateway.stop().await;
    }
}

impl Drop for DevEngine {
    fn drop(&mut self) {
        self.timing.abort();
    }
}

/// Does what is due when it is due.
async fn keep_time(shared: Arc<Shared>) {
    loop {
        let (due, earlier) = shared.engine().await_due();
        match due {
            Some(due) => {
                let _earlier = tokio::time::timeout_at(due, earlier.notified()).await;
            }
            None => earlier.notified().await,
        }
        shared.engine().keep_time();
    }
}
