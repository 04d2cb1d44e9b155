//! The inbound endpoint as a process of its own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{http, process::Process, secret};

/// What all replicas are configured with. They remember nothing, so that every copy of a
/// request reaches the broker.
const SETTINGS: &str = r#"
[management]
listen = "off"

[inbound]
listen = "127.0.0.1:0"
limits = { rate = 10000 }
idempotency = { remember = 0 }

[[inbound.credentials]]
name = "flows"
basic = { username = "flows", password = "{{secrets.INBOUND}}" }
allow = ["start:*", "await", "cancel", "publish:*", "correlate:*", "signal:*", "route:*", "topology"]

[[inbound.routes]]
name = "started"
do = "message"
message = "e2e.started"
key = "$.event"

[[inbound.routes]]
name = "ticket"
do = "start_or_correlate"
message = "e2e.ticket"
correlation_key = "$.number"
key = "=body.number + \":\" + string(body.count)"

[[inbound.routes]]
name = "wrapped"
do = "start"
process = "inbound-plain"
once = "wrapper"
key = "$.event"

[[inbound.routes]]
name = "wrapped-nothing"
do = "start"
process = "there-is-none"
once = "wrapper"
key = "$.event"
"#;

/// A running endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    process: Process,
    directory: PathBuf,
    name: String,
    environment: Vec<(&'static str, String)>,
    /// Its URL.
    pub(crate) address: String,
}

impl Endpoint {
    /// Starts a replica that knows the gateway alone.
    pub(crate) async fn start(directory: &Path, name: &str, gateway: &str) -> Self {
        let environment = vec![("ZEEBE_GRPC_ADDRESS", gateway.to_owned()), inbound_password()];
        Self::launch(directory.to_owned(), name, environment).await
    }

    /// Starts a replica that knows the cluster's REST API too.
    pub(crate) async fn with_rest(directory: &Path, gateway: &str, rest: &str) -> Self {
        let environment = vec![
            ("ZEEBE_GRPC_ADDRESS", gateway.to_owned()),
            ("CAMUNDA_REST_ADDRESS", rest.to_owned()),
            inbound_password(),
        ];
        Self::launch(directory.to_owned(), "with-rest", environment).await
    }

    async fn launch(
        directory: PathBuf,
        name: &str,
        environment: Vec<(&'static str, String)>,
    ) -> Self {
        let settings = directory.join("inbound.toml");
        std::fs::write(&settings, SETTINGS).unwrap();
        let arguments = ["run", "--only", "inbound", "--config", settings.to_str().unwrap()];
        let log = directory.join(format!("{name}.log"));
        let mut process = Process::start(&arguments, &environment, log);
        let address = process.word_after("inbound listens", "address=").await;
        let (name, address) = (name.to_owned(), format!("http://{address}"));
        Self { process, directory, name, environment, address }
    }

    /// Ends it as a crash would and starts another one in its place, on another port.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.process.kill().await;
        // A new log, or the old address would be found in it.
        let name = format!("{}-again", self.name);
        *self = Self::launch(self.directory.clone(), &name, self.environment.clone()).await;
    }

    /// Posts JSON and expects an answer.
    pub(crate) async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let answer = http::post(&format!("{}{path}", self.address), key, body).await;
        answer.expect("an answer of the endpoint")
    }
}

fn inbound_password() -> (&'static str, String) {
    ("SECRET_INBOUND", secret::INBOUND_PASSWORD.to_owned())
}
