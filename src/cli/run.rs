//! `run`: the worker, the inbound endpoint, and their management listener.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{ConfigFile, Exit, Unusable, listen, runtime, signals};
use crate::{
    clock::SystemClock,
    config::{Config, Environment},
    connector::Connector,
    inbound::{self, Inbound},
    management, memory_image,
    metrics::Metrics,
    ports::Readiness,
    secret_store::SecretStore,
    servicenow::http::Client,
    telemetry,
    worker::{Parts, Worker},
    zeebe::{Gateway, RestClient},
};

/// What to run, and with what.
#[derive(Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    file: ConfigFile,
    /// Run one half: `outbound` is the worker, `inbound` the HTTP endpoint.
    #[arg(long, value_name = "HALF")]
    only: Option<Half>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Half {
    Outbound,
    Inbound,
}

type RunningWorker = Worker<Gateway, Client, SecretStore, SystemClock>;
/// An endpoint, and where it is going to listen.
pub(super) type Endpoint = (Inbound<Gateway, RestClient>, TcpListener);

/// Runs until a stop signal.
pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    // Before the first secret is read.
    let sealed = memory_image::seal();
    let (mut config, environment) = options.file.read()?;
    let inbound = config.inbound.take().filter(|_| options.only != Some(Half::Outbound));
    if options.only == Some(Half::Inbound) && inbound.is_none() {
        let what = "--only inbound: the configuration has no section [inbound]";
        return Err(Unusable(what.to_owned()).into());
    }
    let with_worker = options.only != Some(Half::Inbound);
    config.log.install();
    telemetry::log_panics();
    if let Err(error) = sealed {
        tracing::warn!(%error, "core dumps could not be switched off: they would hold secrets");
    }
    runtime()?.block_on(serve(config, inbound, with_worker, environment))
}

async fn serve(
    config: Config,
    inbound: Option<inbound::Config>,
    with_worker: bool,
    environment: Environment,
) -> anyhow::Result<Exit> {
    let metrics = Arc::new(Metrics::default());
    let management = match config.management.listen {
        Some(address) => Some(listen("management.listen", &address.to_string()).await?),
        None => None,
    };
    let endpoint = match inbound {
        Some(inbound) => Some(endpoint(inbound, &config, &environment, &metrics).await?),
        None => None,
    };
    let gateway = config.zeebe.address.clone();
    let worker = if with_worker { Some(worker(config, environment, &metrics)?) } else { None };
    let stopping = signals::stop_token();
    let served = CancellationToken::new();
    if let Some(listener) = management {
        let address = listener.local_addr()?;
        let gateway = readiness(worker.as_ref(), endpoint.as_ref());
        let shown = management::Shown { metrics, gateway, stopping: stopping.clone() };
        tokio::spawn(management::run(listener, shown, served.clone()));
        tracing::info!(%address, "management listens");
    }
    let inbound =
        endpoint.map(|(endpoint, listener)| tokio::spawn(endpoint.run(listener, stopping.clone())));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), gateway, "worker started");
    let drained = match worker {
        Some(worker) => worker.run(stopping).await,
        None => true,
    };
    if let Some(inbound) = inbound {
        inbound.await?;
    }
    served.cancel();
    if drained {
        tracing::info!("worker stopped; all jobs are reported");
    } else {
        tracing::warn!("worker stopped at the end of its grace; unfinished jobs come back");
    }
    Ok(Exit::Done)
}

fn worker(
    config: Config,
    environment: Environment,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<RunningWorker> {
    let parts = Parts {
        gateway: Gateway::new(&config.zeebe)?,
        transport: Client::new(&config.http)?,
        secrets: SecretStore::new(&config.secrets, environment.into_map())?,
        clock: SystemClock,
        connector: Connector::new(config.connector),
        metrics: Arc::clone(metrics),
    };
    Ok(Worker::new(config.worker, parts))
}

/// The endpoint with a connection of its own to the gateway: neither half waits for the
/// other's traffic.
pub(super) async fn endpoint(
    inbound: inbound::Config,
    config: &Config,
    environment: &Environment,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Endpoint> {
    let (address, scheme) = (inbound.listen, if inbound.tls.is_some() { "https" } else { "http" });
    let parts = inbound::Parts {
        gateway: Gateway::new(&config.zeebe)?,
        rest: RestClient::new(&config.zeebe)?,
        secrets: Arc::new(SecretStore::new(&config.secrets, environment.clone().into_map())?),
        clock: Arc::new(SystemClock),
        metrics: Arc::clone(metrics),
    };
    let endpoint = Inbound::new(inbound, parts).map_err(|error| Unusable(error.to_string()))?;
    let listener = listen("inbound.listen", &address.to_string()).await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, scheme, "inbound listens");
    Ok((endpoint, listener))
}

/// Ready is what the worker says, where there is one.
fn readiness(worker: Option<&RunningWorker>, endpoint: Option<&Endpoint>) -> Arc<dyn Readiness> {
    if let Some(worker) = worker {
        return worker.health();
    }
    let cluster = endpoint.map(|(endpoint, _)| endpoint.cluster());
    cluster.unwrap_or_default()
}
