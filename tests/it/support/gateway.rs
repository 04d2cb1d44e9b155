//! A scripted Zeebe gateway: real gRPC on a port of its own, jobs that a test or a
//! benchmark offers, faults on request, and a record of all it was asked.
//!
//! It keeps the rules that a worker depends on: jobs are locked until their time-out and
//! come back after it, a failed job comes back after its back-off, a job that has ended is
//! not found, a push respects the back-pressure of its stream, and a job offered while no
//! stream has room is for polls only.
//!
//! Nothing here needs the rest of the tests, so that benchmarks can include this file.
#![allow(dead_code, unused_imports, reason = "whoever includes this file needs a part of it")]

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use servicenow_worker::zeebe::{
    self,
    proto::{ActivatedJob, gateway_server::GatewayServer},
};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinHandle},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, Server, ServerTlsConfig};

// Named in full, since a file included by path looks for its modules elsewhere.
#[path = "gateway/broker.rs"]
mod broker;
#[path = "gateway/connection.rs"]
mod connection;
#[path = "gateway/faults.rs"]
mod faults;
#[path = "gateway/processes.rs"]
mod processes;
#[path = "gateway/pushed.rs"]
mod pushed;
#[path = "gateway/queue.rs"]
mod queue;
#[path = "gateway/record.rs"]
mod record;
#[path = "gateway/service.rs"]
mod service;
#[path = "gateway/shared.rs"]
mod shared;
#[path = "gateway/tls.rs"]
mod tls;

pub(crate) use faults::{Fault, Rpc};
pub(crate) use record::{Call, Counters, Seen};
pub(crate) use tls::Authority;

use broker::Broker;
use connection::{Connection, Observed};
use record::Recorder;
use service::Calls;
use shared::Shared;

/// How the gateway behaves.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Key and certificate; without them it speaks plain HTTP/2.
    pub(crate) tls: Option<Identity>,
    /// Answers polls at once, as the in-memory engine does.
    pub(crate) never_waits: bool,
    /// Jobs that a stream holds for the transport, beside what the transport itself holds.
    pub(crate) stream_capacity: usize,
    /// Sends a stream's headers with its first job, as gateways in Java do.
    pub(crate) late_headers: bool,
    /// Whether calls are kept word for word.
    pub(crate) record: bool,
    /// The version that it says it has.
    pub(crate) version: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tls: None,
            never_waits: false,
            stream_capacity: 16,
            late_headers: false,
            record: true,
            version: "8.8.0",
        }
    }
}

/// A running gateway. It ends when dropped.
#[derive(Debug)]
pub(crate) struct ScriptedGateway {
    port: u16,
    tls: Option<Identity>,
    shared: Arc<Shared>,
    authorities: Arc<Mutex<Vec<String>>>,
    /// The running listener, with what cuts its connections.
    serving: Mutex<Option<(CancellationToken, JoinHandle<()>)>>,
    sweeping: AbortHandle,
}

/// How often ended locks and back-offs are looked for.
const SWEEP: Duration = Duration::from_millis(10);

impl ScriptedGateway {
    /// A gateway on a free port.
    pub(crate) async fn start(settings: Settings) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            broker: Mutex::new(Broker::new()),
            faults: faults::Faults::default(),
            counters: Counters::default(),
            recorder: Recorder::new(settings.record),
            accepted: RwLock::default(),
            processes: Mutex::default(),
            version: settings.version,
            never_waits: settings.never_waits,
            late_headers: settings.late_headers,
            stream_capacity: settings.stream_capacity,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let gateway = Self {
            port: listener.local_addr()?.port(),
            tls: settings.tls,
            sweeping: tokio::spawn(sweep(Arc::clone(&shared))).abort_handle(),
            shared,
            authorities: Arc::default(),
            serving: Mutex::default(),
        };
        gateway.serve(listener)?;
        Ok(gateway)
    }

    /// Its URL, by the name its certificate has.
    pub(crate) fn address(&self) -> String {
        match self.tls {
            Some(_) => format!("https://localhost:{}", self.port),
            None => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// Settings of a client for it, with nothing else set.
    pub(crate) fn client(&self) -> zeebe::Config {
        zeebe::Config { address: self.address(), ..zeebe::Config::default() }
    }

    /// Puts a job in; gives it a key unless it has one.
    pub(crate) fn offer(&self, job: ActivatedJob) -> i64 {
        self.shared.broker().add(job)
    }

    /// Hands no more jobs out, by poll or push; all other calls go on.
    pub(crate) fn withhold(&self) {
        self.shared.broker().withhold();
    }

    /// Hands jobs out again.
    pub(crate) fn give(&self) {
        self.shared.broker().give();
    }

    /// What happens to the next `times` calls.
    pub(crate) fn script(&self, rpc: Rpc, times: usize, fault: Fault) {
        self.shared.faults.add(rpc, times, fault);
    }

    /// Forgets the faults that are still to come.
    pub(crate) fn heal(&self) {
        self.shared.faults.clear();
    }

    /// Lets in only calls with one of these `authorization` values.
    pub(crate) fn accept_only(&self, values: &[&str]) {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        *self.shared.accepted.write().unwrap_or_else(PoisonError::into_inner) = Some(values);
    }

    /// Ends all open streams in good order.
    pub(crate) fn end_streams(&self) {
        self.shared.broker().end_streams();
    }

    /// Stops listening and cuts every connection; the jobs stay.
    pub(crate) async fn go_away(&self) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((cut, task)) = serving {
            cut.cancel();
            task.abort();
            let _ended = task.await;
        }
    }

    /// Listens again, on the same port.
    pub(crate) async fn come_back(&self) -> io::Result<()> {
        self.serve(TcpListener::bind(("127.0.0.1", self.port)).await?)
    }

    /// Figures since the start.
    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The calls so far, in their order.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.shared.recorder.calls()
    }

    /// The process ids of all instances that were started, in their order.
    pub(crate) fn started(&self) -> Vec<String> {
        self.shared.processes().started()
    }

    /// Ends an instance.
    pub(crate) fn end_instance(&self, key: i64) {
        self.shared.processes().end(key);
    }

    /// Jobs that have not ended.
    pub(crate) fn open_jobs(&self) -> usize {
        self.shared.broker().open()
    }

    /// Jobs that are locked for somebody now.
    pub(crate) fn locked_jobs(&self) -> usize {
        self.shared.broker().locked().0
    }

    /// The most jobs that were ever locked at once.
    pub(crate) fn most_locked_jobs(&self) -> usize {
        self.shared.broker().locked().1
    }

    /// Streams that are open now.
    pub(crate) fn open_streams(&self) -> usize {
        self.shared.broker().streams()
    }

    /// The authorities that calls have named.
    pub(crate) fn authorities(&self) -> Vec<String> {
        self.authorities.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let mut server = Server::builder().max_concurrent_streams(10_000);
        if let Some(identity) = &self.tls {
            let tls = ServerTlsConfig::new().identity(identity.clone());
            server = server.tls_config(tls).map_err(io::Error::other)?;
        }
        let service = Observed {
            service: GatewayServer::new(Calls(Arc::clone(&self.shared))),
            authorities: Arc::clone(&self.authorities),
        };
        let cut = CancellationToken::new();
        let connections = accepted(listener, cut.clone(), Arc::clone(&self.shared));
        let task = tokio::spawn(async move {
            let _served = server.serve_with_incoming(service, connections).await;
        });
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some((cut, task));
        Ok(())
    }
}

impl Drop for ScriptedGateway {
    fn drop(&mut self) {
        self.sweeping.abort();
        if let Some((cut, task)) =
            self.serving.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        {
            cut.cancel();
            task.abort();
        }
    }
}

/// The connections of a listener, counted.
fn accepted(
    listener: TcpListener,
    cut: CancellationToken,
    shared: Arc<Shared>,
) -> impl futures_util::Stream<Item = io::Result<Connection>> {
    futures_util::stream::unfold((listener, cut, shared), async |(listener, cut, shared)| {
        let connection = match listener.accept().await {
            Ok((stream, _)) => {
                shared.counters.connections.add(1);
                Connection::new(stream, cut.clone())
            }
            Err(error) => Err(error),
        };
        Some((connection, (listener, cut, shared)))
    })
}

async fn sweep(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        shared.broker().sweep();
    }
}
