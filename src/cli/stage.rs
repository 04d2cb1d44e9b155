//! What `demo` and `dev` have in common: a sandbox and a worker for it, in this process.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc::UnboundedSender, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    listen,
    narrator::{Narrated, Told},
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

/// A sandbox, and a worker between it and a gateway.
#[derive(Debug)]
pub(super) struct Stage {
    /// The sandbox.
    pub(super) sandbox: Sandbox,
    /// Its address.
    pub(super) instance: String,
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

impl Stage {
    /// Starts both; `told` gets what the worker does.
    pub(super) async fn start(
        sandbox_address: &str,
        gateway: &Engine,
        told: Telling,
    ) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(sandbox::Config::with_seed(sandbox::Seed::demo()?))?;
        let listener = listen("--sandbox", sandbox_address).await?;
        let instance = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let (serving, stopped) = (sandbox.clone(), stop.clone());
        let sandbox_task = tokio::spawn(async move {
            if let Err(error) = serving.run(listener, stopped).await {
                tracing::error!(%error, "sandbox stopped");
            }
        });
        let worker = worker(gateway, &instance, told)?;
        let stopped = stop.clone();
        let worker_task = tokio::spawn(async move {
            worker.run(stopped).await;
        });
        Ok(Self { sandbox, instance, stop, running: vec![worker_task, sandbox_task] })
    }

    /// Ends both in good order.
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
    let gateway = Gateway::new(&config(engine, "http://127.0.0.1")?.zeebe)?;
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

fn worker(gateway: &Engine, instance: &str, told: Telling) -> anyhow::Result<StageWorker> {
    let config = config(gateway, instance)?;
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

/// The gateway's own settings come from the environment, as for `run`, unless the gateway is
/// in this process; the connection is the sandbox.
fn config(gateway: &Engine, instance: &str) -> anyhow::Result<Config> {
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
    Ok(Config::read(None, &Environment::from(variables))?)
}
