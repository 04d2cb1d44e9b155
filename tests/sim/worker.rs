//! A worker's host: the product as `run` wires it, but for the network and the clock.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use servicenow_worker::{
    connector::{self, Connection, Connector},
    metrics::Metrics,
    ports::{SecretProvider, SecretUnreadable},
    servicenow::Instance,
    worker::{Parts, Worker},
    zeebe::{self, Gateway},
};
use tokio_util::sync::CancellationToken;

use crate::{
    log::CANARY,
    net::{ENGINE, PORT, SERVICENOW, ToEngine},
    scene::Scene,
    transport::SimTransport,
    watched::Watched,
    world::{WorkerClock, World},
};

/// Runs a worker until it is told to stop.
pub(crate) async fn run(scene: Arc<Scene>, world: Arc<World>, host: usize) -> turmoil::Result {
    let stop = CancellationToken::new();
    let metrics = Arc::new(Metrics::default());
    world.started(host, tokio::runtime::Handle::current().id(), &stop, &metrics);
    let config = zeebe::Config {
        address: format!("http://{ENGINE}:{PORT}"),
        keep_alive: std::time::Duration::from_secs(10),
        ..zeebe::Config::default()
    };
    let gateway = Gateway::over(&config, |to| to.connect_with_connector_lazy(ToEngine))?;
    let parts = Parts {
        gateway: Watched::new(gateway, &world),
        transport: SimTransport::new(&world),
        secrets: OneSecret,
        clock: WorkerClock::new(&world, host),
        connector: Connector::new(connector_config(scene.max_concurrency)?),
        metrics,
    };
    let drained = Worker::new(scene.worker.clone(), parts).run(stop).await;
    world.note(&format!("worker-{host} has stopped, drained: {drained}"));
    Ok(())
}

fn connector_config(max_concurrency: usize) -> turmoil::Result<connector::Config> {
    let authentication = json!({
        "type": "basic", "username": "admin", "password": "{{secrets.SN_PASSWORD}}",
    });
    let instance = Instance::parse(&format!("http://{SERVICENOW}:{PORT}"), true)?;
    let connection = Connection {
        max_concurrency,
        allow_http: true,
        ..Connection::new(instance, serde_json::from_value(authentication)?)
    };
    Ok(connector::Config {
        connections: [("default".to_owned(), connection)].into(),
        ..connector::Config::default()
    })
}

struct OneSecret;

impl SecretProvider for OneSecret {
    fn secret(&self, name: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        Ok((name == "SN_PASSWORD").then(|| CANARY.into()))
    }
}
