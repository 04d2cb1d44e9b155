//! A ServiceNow emulator for laptops, tests and demos: Table, Aggregate and OAuth APIs and
//! flow triggers over real HTTP, with the quirks of a live instance and scripted faults.
//!
//! It shares no code with the client beyond a few words, or both could have the same
//! mistake. Facts come from ServiceNow's documentation (Table API, REST API HTTP response
//! codes, available filters) and from answers of live instances. Not here: XML, import
//! sets, attachments, batch, the catalog.
//!
//! The way of a request: `router` reads it into a `Call`, `faults` may bend it,
//! `authentication` says who calls, `table_api` and its neighbours answer.

mod admin;
mod answer;
mod authentication;
mod call;
mod caller;
mod config;
mod connection;
mod definition;
mod display;
mod error;
mod failure;
mod faults;
mod flows;
mod inject;
mod journal;
mod links;
mod numbers;
mod oauth;
mod query;
mod record;
mod render;
mod request_log;
mod router;
mod rules;
mod schema;
mod seed;
mod stats_api;
mod store;
mod table_api;
mod table_read;
mod table_write;
mod time;
pub mod tls;
mod values;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::serve::Listener;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::{
    config::{Access, Config, DuplicateIdAnswer, Login, OAuthClient},
    error::Error,
    faults::{CutPoint, Fault, Faults, Match, Rule},
    flows::FlowExecution,
    request_log::LoggedRequest,
    seed::Seed,
};
use self::{
    connection::Door, flows::Flows, oauth::Tokens, request_log::RequestLog, router::Scheme,
    store::Store,
};

/// How long calls in progress may take after the order to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// An emulated instance. Clones are the same instance.
#[derive(Clone, Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    store: RwLock<Store>,
    faults: Faults,
    log: RequestLog,
    flows: Flows,
    tokens: Tokens,
    connections: AtomicU64,
    stopping: CancellationToken,
}

impl Sandbox {
    /// An instance with the seed's records in it.
    pub fn new(config: Config) -> Result<Self, Error> {
        let store = plant(&config)?;
        let log = RequestLog::new(config.log_capacity);
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                store: RwLock::new(store),
                faults: Faults::default(),
                log,
                flows: Flows::default(),
                tokens: Tokens::default(),
                connections: AtomicU64::new(0),
                stopping: CancellationToken::new(),
            }),
        })
    }

    /// Serves plain HTTP until told to stop.
    pub async fn run(&self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        self.serve(listener, Scheme::Http, shutdown).await
    }

    /// Serves HTTPS until told to stop; [`tls::config`] makes the configuration.
    pub async fn run_tls(
        &self,
        listener: TcpListener,
        config: Arc<rustls::ServerConfig>,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let listener = tls::TlsListener::start(listener, config, shutdown.clone())?;
        self.serve(listener, Scheme::Https, shutdown).await
    }

    async fn serve<L>(&self, listener: L, scheme: Scheme, stop: CancellationToken) -> io::Result<()>
    where
        L: Listener<Addr = SocketAddr>,
        L::Io: Sync,
    {
        let door = Door::new(listener, self.shared.clone());
        let service = router::service(self.shared.clone(), scheme);
        let stopped = stop.clone();
        let server = axum::serve(door, service)
            .with_graceful_shutdown(async move { stopped.cancelled().await });
        tokio::select! {
            done = server => done,
            () = self.give_up(stop) => Ok(()),
        }
    }

    /// Ends scripted delays at the order to stop, and returns when the drain is over.
    async fn give_up(&self, stop: CancellationToken) {
        stop.cancelled().await;
        self.shared.stopping.cancel();
        tokio::time::sleep(DRAIN).await;
    }

    /// The scripted faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// All records of a table (and of those that extend it), raw, oldest first.
    pub fn records(&self, table: &str) -> Vec<Map<String, Value>> {
        let store = self.shared.read();
        let Some(table) = store.table(table) else { return Vec::new() };
        let raw = |record: &Arc<record::Record>| {
            record.fields().map(|(k, v)| (k.to_string(), Value::String(v.to_owned()))).collect()
        };
        store.scan(table).into_iter().map(raw).collect()
    }

    /// The latest requests, oldest first, as many as the log holds.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.all()
    }

    /// The flows that were started, oldest first.
    pub fn flows(&self) -> Vec<FlowExecution> {
        self.shared.flows.all()
    }

    /// How many TCP connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Back to the seed: no faults, flows, logged requests or tokens.
    pub fn reset(&self) -> Result<(), Error> {
        self.shared.reset()
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn reset(&self) -> Result<(), Error> {
        let store = plant(&self.config)?;
        *self.write() = store;
        self.faults.clear();
        self.log.clear();
        self.flows.clear();
        self.tokens.clear();
        Ok(())
    }
}

fn plant(config: &Config) -> Result<Store, Error> {
    let ids = config.id_seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    config.seed.plant(&time::raw(config.clock.now()), ids)
}
