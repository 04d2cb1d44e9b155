//! `run`: the worker and its management listener.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Exit, listen, runtime, signals};
use crate::{
    clock::SystemClock,
    config::{Config, Environment},
    connector::Connector,
    management,
    metrics::Metrics,
    secret_store::SecretStore,
    servicenow::http::Client,
    worker::{Parts, Worker},
    zeebe::Gateway,
};

/// Runs until a stop signal.
pub(super) fn run((config, environment): (Config, Environment)) -> anyhow::Result<Exit> {
    config.log.install();
    runtime()?.block_on(serve(config, environment))
}

async fn serve(config: Config, environment: Environment) -> anyhow::Result<Exit> {
    let metrics = Arc::new(Metrics::default());
    let listener = match config.management.listen {
        Some(address) => Some(listen("management.listen", &address.to_string()).await?),
        None => None,
    };
    let gateway = config.zeebe.address.clone();
    let parts = Parts {
        gateway: Gateway::new(&config.zeebe)?,
        transport: Client::new(&config.http)?,
        secrets: SecretStore::new(&config.secrets, environment.into_map())?,
        clock: SystemClock,
        connector: Connector::new(config.connector),
        metrics: Arc::clone(&metrics),
    };
    let worker = Worker::new(config.worker, parts);
    let stopping = signals::stop_token();
    let served = CancellationToken::new();
    if let Some(listener) = listener {
        let address = listener.local_addr()?;
        let shown =
            management::Shown { metrics, gateway: worker.health(), stopping: stopping.clone() };
        tokio::spawn(management::run(listener, shown, served.clone()));
        tracing::info!(%address, "management listens");
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), gateway, "worker started");
    let drained = worker.run(stopping).await;
    served.cancel();
    if drained {
        tracing::info!("worker stopped; all jobs are reported");
    } else {
        tracing::warn!("worker stopped at the end of its grace; unfinished jobs come back");
    }
    Ok(Exit::Done)
}
