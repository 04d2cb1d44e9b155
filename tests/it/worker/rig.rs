//! A worker under test with both of its ends.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::json;
use servicenow_worker::{
    clock::SystemClock,
    connector::{self, AuthenticationTemplate, Connection, Connector},
    metrics::Metrics,
    ports::{SecretProvider, SecretUnreadable},
    servicenow::Instance,
    worker::{Config, GatewayHealth, Parts, Worker},
    zeebe::{Gateway, proto::ActivatedJob},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::servicenow::{ServiceNow, records};
use crate::support::gateway::{ScriptedGateway, Settings};

/// What a worker is made of.
pub(super) struct Setup {
    pub(super) settings: Settings,
    pub(super) worker: Config,
    pub(super) servicenow: ServiceNow,
    pub(super) max_concurrency: usize,
    pub(super) max_result_bytes: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            worker: Config {
                max_jobs_active: 8,
                poll_wait: Duration::from_secs(2),
                shutdown_grace: Duration::from_secs(10),
                ..Config::default()
            },
            servicenow: ServiceNow::quick(records),
            max_concurrency: 16,
            max_result_bytes: 100_000_000,
        }
    }
}

/// A running worker.
pub(super) struct Rig {
    pub(super) gateway: ScriptedGateway,
    pub(super) servicenow: ServiceNow,
    pub(super) health: Arc<GatewayHealth>,
    pub(super) stop: CancellationToken,
    metrics: Arc<Metrics>,
    running: JoinHandle<bool>,
}

pub(super) struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        Ok(None)
    }
}

impl Setup {
    /// A gateway for this set-up; give it its first jobs before the worker runs.
    pub(super) async fn gateway(&mut self) -> ScriptedGateway {
        ScriptedGateway::start(std::mem::take(&mut self.settings)).await.unwrap()
    }

    pub(super) async fn run(mut self) -> Rig {
        let gateway = self.gateway().await;
        self.run_at(gateway)
    }

    pub(super) fn run_at(self, gateway: ScriptedGateway) -> Rig {
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            gateway: Gateway::new(&gateway.client()).unwrap(),
            transport: self.servicenow.clone(),
            secrets: NoSecrets,
            clock: SystemClock,
            connector: Connector::new(self.connector()),
            metrics: Arc::clone(&metrics),
        };
        let worker = Worker::new(self.worker, parts);
        let stop = CancellationToken::new();
        let health = worker.health();
        let running = tokio::spawn(worker.run(stop.clone()));
        Rig { gateway, servicenow: self.servicenow, health, stop, metrics, running }
    }

    fn connector(&self) -> connector::Config {
        let authentication = AuthenticationTemplate::Bearer { token: "token".to_owned() };
        let connection = Connection {
            max_concurrency: self.max_concurrency,
            ..Connection::new(Instance::parse("dev1", false).unwrap(), authentication)
        };
        connector::Config {
            connections: [("default".to_owned(), connection)].into(),
            max_result_bytes: self.max_result_bytes,
            ..connector::Config::default()
        }
    }
}

/// A worker in a runtime of its own, which can be killed.
pub(super) struct Mortal {
    runtime: Runtime,
    rig: Rig,
}

impl Setup {
    /// Runs it where it can be killed.
    pub(super) fn run_mortal(self, gateway: ScriptedGateway) -> Mortal {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let rig = {
            let _inside = runtime.enter();
            self.run_at(gateway)
        };
        Mortal { runtime, rig }
    }
}

impl Mortal {
    pub(super) fn rig(&self) -> &Rig {
        &self.rig
    }

    /// Drops the worker with all its tasks and calls, wherever they are.
    pub(super) fn kill(self) -> ScriptedGateway {
        self.runtime.shutdown_background();
        self.rig.gateway
    }
}

impl Rig {
    /// Stops the worker; tells whether all its jobs were done.
    pub(super) async fn finish(self) -> (bool, ScriptedGateway, ServiceNow) {
        self.stop.cancel();
        (self.running.await.unwrap(), self.gateway, self.servicenow)
    }

    /// The value of a figure, named with its labels as in the Prometheus text.
    pub(super) fn figure(&self, name: &str) -> usize {
        let text = self.metrics.encode().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// The same, with the record jobs' type as its label.
    pub(super) fn records(&self, name: &str) -> usize {
        self.figure(&format!("snc_{name}{{job_type=\"servicenow:record:1\"}}"))
    }

    /// Record jobs that came by `poll` or `push`.
    pub(super) fn activated(&self, source: &str) -> usize {
        let labels = format!("job_type=\"servicenow:record:1\",source=\"{source}\"");
        self.figure(&format!("snc_jobs_activated_total{{{labels}}}"))
    }
}

/// A job that reads the record with this number for its sys_id: one call.
pub(super) fn job(record: u32) -> ActivatedJob {
    let variables = json!({"operation": "get", "table": "incident", "sysId": sys_id(record)});
    ActivatedJob {
        r#type: "servicenow:record:1".to_owned(),
        variables: variables.to_string(),
        retries: 3,
        ..ActivatedJob::default()
    }
}

/// A job of two calls: a search, and as it finds nothing, an insert.
pub(super) fn upsert() -> ActivatedJob {
    let variables = json!({
        "operation": "upsert",
        "table": "incident",
        "fields": {"short_description": "printer"},
        "matchOn": ["short_description"],
    });
    ActivatedJob { variables: variables.to_string(), ..job(0) }
}

/// A job that creates a record: one call.
pub(super) fn create() -> ActivatedJob {
    let variables = json!({
        "operation": "create", "table": "incident", "fields": {"short_description": "printer"},
    });
    ActivatedJob { variables: variables.to_string(), ..job(0) }
}

/// A job that fails for good without any call.
pub(super) fn wrong() -> ActivatedJob {
    ActivatedJob { variables: json!({"operation": "get"}).to_string(), ..job(0) }
}

pub(super) fn sys_id(record: u32) -> String {
    format!("{record:032x}")
}
