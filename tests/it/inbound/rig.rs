//! An endpoint as the configuration describes it, between a client and the dev engine.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use servicenow_worker::{
    config::{Config, Environment},
    inbound::{Inbound, Parts},
    metrics::Metrics,
    ports::Clock,
    secret_store::SecretStore,
    zeebe::{Gateway, RestClient},
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::wire::{Reply, Request};
use crate::support::{
    bpmn,
    gateway::{Call, ScriptedGateway, Settings},
};

/// The time at the endpoint: fixed.
pub(crate) const NOW: i64 = 1_795_000_000;

/// What most tests use: every kind of credential.
pub(crate) const CREDENTIALS: &str = r#"
[[inbound.credentials]]
name = "flows"
basic = { username = "flows", password = "{{secrets.FLOWS}}" }
allow = ["start:*", "await", "cancel", "publish:*", "correlate:*", "signal:*", "route:*", "topology", "tenant:hr"]

[[inbound.credentials]]
name = "orders"
api_key = { keys = ["{{secrets.OLD_KEY}}", "{{secrets.NEW_KEY}}"] }
allow = ["start:order-*", "publish:order.*", "signal:order.*", "correlate:order.*"]

[[inbound.credentials]]
name = "spoke"
client = { id = "spoke", secret = "{{secrets.SPOKE}}" }
allow = ["start:*", "publish:*", "topology"]

[[inbound.credentials]]
name = "hook"
hmac = { keys = ["{{secrets.OLD_HOOK}}", "{{secrets.HOOK}}"] }
allow = ["route:*", "publish:*"]

[[inbound.credentials]]
name = "github"
hmac = { style = "github", key = "{{secrets.GITHUB}}" }
allow = ["route:*", "publish:*"]
"#;

const SECRETS: [(&str, &str); 8] = [
    ("SECRET_FLOWS", "pass:word"),
    ("SECRET_OLD_KEY", "old-key"),
    ("SECRET_NEW_KEY", "new-key"),
    ("SECRET_SPOKE", "a long enough secret"),
    ("SECRET_OLD_HOOK", "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQ="),
    ("SECRET_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("SECRET_GITHUB", "It's a Secret to Everybody"),
    ("SECRET_TOKEN", "0123456789abcdef0123456789abcdef"),
];

/// Fixed time.
#[derive(Clone, Copy, Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(NOW).unwrap()
    }
}

/// A running endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    _stop: DropGuard,
}

/// An endpoint with its gateway.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) gateway: ScriptedGateway,
    pub(crate) endpoint: Endpoint,
}

impl Endpoint {
    /// One as the text of a configuration file says, for this gateway.
    pub(crate) async fn start(settings: &str, gateway: &ScriptedGateway) -> Self {
        let text = format!("[management]\nlisten = \"off\"\n{settings}");
        Self::configured(&text, environment(), gateway).await
    }

    /// As [`Self::start`], with other secrets and the whole file given.
    pub(crate) async fn configured(
        text: &str,
        environment: Environment,
        gateway: &ScriptedGateway,
    ) -> Self {
        let config = Config::read(Some(text), &environment).unwrap_or_else(|e| panic!("{e}"));
        let zeebe = servicenow_worker::zeebe::Config {
            rest_address: config.zeebe.rest_address,
            request_timeout: std::time::Duration::from_secs(2),
            ..gateway.client()
        };
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            gateway: Gateway::new(&zeebe).unwrap(),
            rest: RestClient::new(&zeebe).unwrap(),
            secrets: Arc::new(SecretStore::new(&config.secrets, environment.into_map()).unwrap()),
            clock: Arc::new(FixedClock),
            metrics: Arc::clone(&metrics),
        };
        let inbound = Inbound::new(config.inbound.unwrap(), parts).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(inbound.run(listener, stop.clone()));
        Self { address, metrics, _stop: stop.drop_guard() }
    }

    pub(crate) async fn send(&self, request: &Request) -> Reply {
        request.send(self.address).await
    }
}

impl Rig {
    /// An endpoint with the usual credentials and these further settings.
    pub(crate) async fn start(settings: &str) -> Self {
        Self::with(&format!("[inbound]\n{settings}\n{CREDENTIALS}"), Settings::default()).await
    }

    /// An endpoint with these settings alone. The engine has two processes: `order` waits for
    /// a worker, `echo` ends at once.
    pub(crate) async fn with(settings: &str, gateway: Settings) -> Self {
        let gateway = ScriptedGateway::start(gateway).await.unwrap();
        for (name, file) in
            [("order", bpmn::one_task("order")), ("echo", bpmn::nothing_to_do("echo"))]
        {
            gateway.engine().deploy(&format!("{name}.bpmn"), file.as_bytes()).unwrap();
        }
        let endpoint = Endpoint::start(settings, &gateway).await;
        Self { gateway, endpoint }
    }

    pub(crate) async fn send(&self, request: &Request) -> Reply {
        self.endpoint.send(request).await
    }

    /// Posts JSON as the flows' user.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(&Request::post(path, body).by_flows()).await
    }

    /// Deploys `order` once more: another name of the file is another version.
    pub(crate) fn deploy_order_again(&self) {
        let name = format!("order-{}.bpmn", fastrand::u64(..));
        self.gateway.engine().deploy(&name, bpmn::one_task("order").as_bytes()).unwrap();
    }

    /// The process ids of all instances that run, oldest first.
    pub(crate) fn running(&self) -> Vec<String> {
        let instances = self.gateway.engine().instances().into_iter();
        instances.map(|instance| instance.process_id).collect()
    }

    /// The key of the only instance that runs, as callers are told it.
    pub(crate) fn running_key(&self) -> String {
        let instances = self.gateway.engine().instances();
        assert_eq!(instances.len(), 1, "{instances:?}");
        instances[0].key.to_string()
    }

    /// The calls that reached the broker.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.gateway.calls().into_iter().map(|seen| seen.call).collect()
    }
}

impl Request {
    /// As the flows' user.
    pub(crate) fn by_flows(self) -> Self {
        self.basic("flows", "pass:word")
    }

    pub(crate) fn basic(self, name: &str, password: &str) -> Self {
        let value = BASE64_STANDARD.encode(format!("{name}:{password}"));
        self.header("authorization", &format!("Basic {value}"))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
}

pub(crate) fn environment() -> Environment {
    Environment::from(SECRETS)
}
