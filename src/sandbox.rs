//! A ServiceNow emulator for laptops, tests and demos: Table, Aggregate and OAuth APIs and
//! flow triggers over real HTTP, with the quirks of a live instance and scripted faults.
//!
//! It shares no code with the client beyond a few words, or both could have the same
//! mistake. Facts come from ServiceNow's documentation (Table API, REST API HTTP response
//! codes, available filters) and from answers of live instances. Not here: XML, import
//! sets, attachments, batch, the catalog.
//!
//! The way of a request: `router` reads it into a `Call`, `faults` may bend it,
//! `authentication` says who calls, `table_api` and its neighbours answer. What they commit
//! goes past `outbound`, whose business rules may call a URL about it.

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
mod outbound;
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
mod tally;
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
    faults::{CutPoint, Fault, Faults, Match, Rule, Struck},
    flows::FlowExecution,
    outbound::{
        Authentication, BusinessRule, BusinessRules, Config as OutboundConfig, Delivery,
        DeliveryState, Encoding, Operation, Retry, Secret,
    },
    request_log::LoggedRequest,
    seed::Seed,
    tally::Counts,
};
use self::{
    connection::Door,
    flows::Flows,
    oauth::Tokens,
    outbound::{Courier, Serving},
    request_log::RequestLog,
    router::Scheme,
    store::Store,
    tally::Tally,
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
    tally: Tally,
    flows: Flows,
    tokens: Tokens,
    courier: Arc<Courier>,
    connections: AtomicU64,
    stopping: CancellationToken,
}

impl Sandbox {
    /// An instance with the seed's records in it.
    pub fn new(config: Config) -> Result<Self, Error> {
        let (store, rules) = plant(&config)?;
        let log = RequestLog::new(config.log_capacity);
        let (outbound, clock) = (config.outbound.clone(), config.clock.clone());
        let courier = Courier::new(outbound, rules, config.log_capacity, clock)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                store: RwLock::new(store),
                faults: Faults::default(),
                log,
                tally: Tally::default(),
                flows: Flows::default(),
                tokens: Tokens::default(),
                courier: Arc::new(courier),
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

    /// Serves plain HTTP on any listener, one on a simulated network for instance.
    pub async fn run_on<L>(&self, listener: L, shutdown: CancellationToken) -> io::Result<()>
    where
        L: Listener<Addr = SocketAddr>,
        L::Io: Sync,
    {
        self.serve(listener, Scheme::Http, shutdown).await
    }

    async fn serve<L>(&self, listener: L, scheme: Scheme, stop: CancellationToken) -> io::Result<()>
    where
        L: Listener<Addr = SocketAddr>,
        L::Io: Sync,
    {
        let door = Door::new(listener, self.shared.clone());
        let service = router::service(self.shared.clone(), scheme);
        let serving = self.shared.courier.serve();
        let stopped = stop.clone();
        let server = axum::serve(door, service)
            .with_graceful_shutdown(async move { stopped.cancelled().await });
        let drained = async {
            let done = server.await;
            serving.finished().await;
            done
        };
        tokio::select! {
            done = drained => done,
            () = self.give_up(stop, &serving) => Ok(()),
        }
    }

    /// Ends scripted delays and waiting deliveries at the order to stop, and returns when
    /// the drain is over.
    async fn give_up(&self, stop: CancellationToken, serving: &Serving) {
        stop.cancelled().await;
        serving.close();
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

    /// What was asked and done since the start or the last reset.
    pub fn tally(&self) -> Counts {
        self.shared.tally.counts()
    }

    /// The flows that were started, oldest first.
    pub fn flows(&self) -> Vec<FlowExecution> {
        self.shared.flows.all()
    }

    /// The business rules that call out, and what they sent.
    pub fn business_rules(&self) -> BusinessRules<'_> {
        BusinessRules::of(&self.shared)
    }

    /// How many TCP connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Back to the seed, its business rules included: no faults, flows, logged requests,
    /// deliveries or tokens.
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
        let (store, rules) = plant(&self.config)?;
        *self.write() = store;
        self.courier.reset(rules);
        self.faults.clear();
        self.log.clear();
        self.tally.clear();
        self.flows.clear();
        self.tokens.clear();
        Ok(())
    }
}

/// The seed's records, and its business rules when they can work with them.
fn plant(config: &Config) -> Result<(Store, Vec<BusinessRule>), Error> {
    let ids = config.id_seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    let now = config.clock.now();
    let store = config.seed.plant(&time::raw(now), ids)?;
    let rules = config.seed.business_rules()?;
    rules.iter().try_for_each(|rule| outbound::check(rule, &store, now))?;
    Ok((store, rules))
}
