//! What `demo` and `dev` have in common: a sandbox, a worker for it, and an open inbound
//! endpoint, in this process.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc::UnboundedSender, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    Unusable, listen,
    narrator::{Narrated, Told},
    run,
};
use crate::{
    clock::SystemClock,
    config::{Config, Environment},
    connector::Connector,
    metrics::Metrics,
    ports::JobGateway,
    sandbox::{self, Sandbox},
    secret_store::SecretStore,
    servicenow::http::Client,
    worker::{Parts, Worker},
    zeebe::Gateway,
};

/// The engine to work for.
#[derive(Clone, Debug)]
pub(super) enum Engine {
    /// The dev engine in this process, at that address.
    Own(String),
    /// A cluster.
    Given(String),
}

impl Engine {
    /// URL of its gateway.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Own(address) | Self::Given(address) => address,
        }
    }
}

/// How long a gateway may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sandbox, a worker between it and a gateway, and an endpoint the other way.
#[derive(Debug)]
pub(super) struct Stage {
    /// The sandbox.
    pub(super) sandbox: Sandbox,
    /// Its address.
    pub(super) instance: String,
    /// Address of the inbound endpoint.
    pub(super) endpoint: String,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

/// No gateway at the address.
#[derive(Debug, thiserror::Error)]
#[error("--gateway {address}: no gateway answers: {message}; start one, or leave --gateway out")]
pub(super) struct NoGateway {
    address: String,
    message: String,
}

/// Where a stage listens; port 0 takes a free one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses<'a> {
    /// The sandbox.
    pub(super) sandbox: &'a str,
    /// The inbound endpoint.
    pub(super) inbound: &'a str,
}

impl Stage {
    /// Starts all three; `told` gets what the worker does.
    pub(super) async fn start(
        addresses: Addresses<'_>,
        gateway: &Engine,
        told: Telling,
    ) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(sandbox::Config::with_seed(sandbox::Seed::demo()?))?;
        let listener = listen("--sandbox", addresses.sandbox).await?;
        let instance = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let (serving, stopped) = (sandbox.clone(), stop.clone());
        let sandbox_task = tokio::spawn(async move {
            if let Err(error) = serving.run(listener, stopped).await {
                tracing::error!(%error, "sandbox stopped");
            }
        });
        let environment = environment(gateway, &instance);
        let mut config = config(&environment)?;
        let (inbound, listener) = inbound(addresses.inbound, &mut config, &environment).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let inbound_task = tokio::spawn(inbound.run(listener, stop.clone()));
        let worker = worker(config, told)?;
        let stopped = stop.clone();
        let worker_task = tokio::spawn(async move {
            worker.run(stopped).await;
        });
        let running = vec![worker_task, inbound_task, sandbox_task];
        Ok(Self { sandbox, instance, endpoint, stop, running })
    }

    /// Ends them in good order.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        for task in self.running {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part ended by itself");
            }
        }
    }
}

/// A client of the gateway, once it has answered.
pub(super) async fn connect(engine: &Engine) -> anyhow::Result<Gateway> {
    let gateway = Gateway::new(&config(&environment(engine, "http://127.0.0.1"))?.zeebe)?;
    let no_gateway = |message| NoGateway { address: engine.address().to_owned(), message };
    match tokio::time::timeout(PATIENCE, gateway.topology()).await {
        Ok(Ok(_)) => Ok(gateway),
        Ok(Err(error)) => Err(no_gateway(error.to_string()).into()),
        Err(_) => Err(no_gateway(format!("nothing within {PATIENCE:?}")).into()),
    }
}

/// Where the worker's story goes.
type Telling = UnboundedSender<Told>;
type StageWorker = Worker<Narrated<Gateway>, Narrated<Client>, SecretStore, SystemClock>;

fn worker(config: Config, told: Telling) -> anyhow::Result<StageWorker> {
    let parts = Parts {
        gateway: Narrated::new(Gateway::new(&config.zeebe)?, told.clone()),
        transport: Narrated::new(Client::new(&config.http)?, told),
        secrets: SecretStore::new(&config.secrets, Environment::of_the_process().into_map())?,
        clock: SystemClock,
        connector: Connector::new(config.connector),
        metrics: Arc::new(Metrics::default()),
    };
    Ok(Worker::new(config.worker, parts))
}

async fn inbound(
    address: &str,
    config: &mut Config,
    environment: &Environment,
) -> anyhow::Result<run::Endpoint> {
    let unusable = || Unusable(format!("--inbound {address}: write a loopback address and a port"));
    let mut inbound = config.inbound.take().ok_or_else(unusable)?;
    inbound.listen = address.parse().map_err(|_| unusable())?;
    if !inbound.listen.ip().is_loopback() {
        return Err(unusable().into());
    }
    run::endpoint(inbound, config, environment, &Arc::new(Metrics::default())).await
}

/// The gateway's own settings come from the environment, as for `run`, unless the gateway is
/// in this process; the connection is the sandbox.
fn environment(gateway: &Engine, instance: &str) -> Environment {
    let mut variables = Environment::of_the_process().into_map();
    let prefixes: &[&str] = match gateway {
        Engine::Own(_) => &["SECRET_"],
        Engine::Given(_) => &["SECRET_", "ZEEBE_", "CAMUNDA_"],
    };
    variables.retain(|name, _| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    let own = [
        ("CAMUNDA_CLIENT_GRPCADDRESS", gateway.address()),
        ("SERVICENOW_INSTANCE", instance),
        ("SERVICENOW_USERNAME", "admin"),
        ("SERVICENOW_PASSWORD", "admin"),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Environment::from(variables)
}

/// Open to everybody on this machine: that is what development wants.
fn config(environment: &Environment) -> anyhow::Result<Config> {
    Ok(Config::read(Some("[inbound]\nopen = true\n"), environment)?)
}
