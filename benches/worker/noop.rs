//! The yardstick: the same worker, whose calls are answered on the spot, without any I/O.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::SecretString;
use servicenow_worker::{
    clock::SystemClock,
    connector::{self, AuthenticationTemplate, Connection, Connector},
    metrics::Metrics,
    ports::{SecretProvider, SecretUnreadable, Transport},
    servicenow::{Endpoint, Instance, Reply, Request, Response},
    worker::{Config, Parts, Worker},
    zeebe::{self, Gateway},
};
use tokio_util::sync::CancellationToken;

/// Runs this program as the yardstick, with the gateway's address behind it.
pub(crate) const FLAG: &str = "--noop-worker";

struct Answered;

impl Transport for Answered {
    async fn send(&self, _: &Arc<Endpoint>, request: Request) -> Reply {
        let id = request.body.as_ref().and_then(|body| body["sys_id"].as_str()).unwrap_or_default();
        let body = format!(r#"{{"result":{{"sys_id":"{id}","number":"INC0000001"}}}}"#);
        Ok(Response {
            status: 201,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body),
        })
    }
}

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        Ok(None)
    }
}

/// Runs until killed.
pub(crate) async fn run(gateway: &str) {
    let instance = Instance::parse("http://127.0.0.1:1", false).unwrap();
    let login = AuthenticationTemplate::Bearer { token: "x".to_owned() };
    let connections = [("default".to_owned(), Connection::new(instance, login))].into();
    let gateway = zeebe::Config { address: gateway.to_owned(), ..zeebe::Config::default() };
    let parts = Parts {
        gateway: Gateway::new(&gateway).unwrap(),
        transport: Answered,
        secrets: NoSecrets,
        clock: SystemClock,
        connector: Connector::new(connector::Config {
            connections,
            ..connector::Config::default()
        }),
        metrics: Arc::new(Metrics::default()),
    };
    Worker::new(Config::default(), parts).run(CancellationToken::new()).await;
}
