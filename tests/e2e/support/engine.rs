//! The engines that `scripts/zeebe` and `scripts/process-test-engine` run.
//!
//! Addresses come from the scripts alone: a variable left over in somebody's shell must not
//! lead the suite to a cluster in use.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::process::Command;

use super::{
    http::{self, Figures},
    secret,
};

/// A running engine and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    script: &'static str,
    name: String,
    exports: BTreeMap<String, String>,
}

impl Engine {
    /// The real broker.
    pub(crate) async fn broker() -> Self {
        Self::find("scripts/zeebe", "ZEEBE_NAME").await
    }

    /// Camunda's in-memory engine.
    pub(crate) async fn in_memory() -> Self {
        Self::find("scripts/process-test-engine", "PROCESS_TEST_ENGINE_NAME").await
    }

    async fn find(script: &'static str, variable: &str) -> Self {
        let name = std::env::var_os(variable).map(|name| name.into_string().unwrap());
        let name = name.unwrap_or_else(|| "default".to_owned());
        let exports = run(script, "status", &name).await;
        let exports = exports.unwrap_or_else(|said| panic!("{said}run `{script} start` first"));
        Self { script, name, exports: exports_of(&exports) }
    }

    fn export(&self, name: &str) -> &str {
        self.exports.get(name).unwrap_or_else(|| panic!("{} does not tell {name}", self.script))
    }

    /// The address of its gateway.
    pub(crate) fn gateway(&self) -> &str {
        match self.script {
            "scripts/zeebe" => self.export("ZEEBE_GRPC_ADDRESS"),
            _ => self.export("PROCESS_TEST_ENGINE_GRPC_ADDRESS"),
        }
    }

    /// The address of its REST API.
    pub(crate) fn rest(&self) -> &str {
        self.export("ZEEBE_REST_ADDRESS")
    }

    /// The broker's figures; they start at zero when it does.
    pub(crate) async fn figures(&self) -> Figures {
        let management = self.export("ZEEBE_MANAGEMENT_ADDRESS");
        Figures::of(&format!("{management}/actuator/prometheus")).await
    }

    /// Stops it and starts it with the same data and addresses. Ready when this returns.
    pub(crate) async fn restart(&self) {
        run(self.script, "restart", &self.name).await.unwrap_or_else(|said| panic!("{said}"));
    }

    /// Ends it as a crash would, and starts it with what its disk holds.
    pub(crate) async fn crash_and_restart(&self) {
        run(self.script, "kill", &self.name).await.unwrap_or_else(|said| panic!("{said}"));
        self.restart().await;
    }

    /// Moves the in-memory engine's clock ahead by an ISO-8601 duration.
    pub(crate) async fn increase_time(&self, by: &str) {
        let control = self.export("PROCESS_TEST_ENGINE_CONTROL_ADDRESS");
        let url = format!("{control}/time?increase={by}");
        let (status, answer) = http::send(reqwest::Method::POST, &url, None).await;
        assert!(status.is_success(), "{answer}");
    }

    /// The values of events of one kind that the in-memory engine has recorded.
    pub(crate) async fn events(&self, value_type: &str, intent: &str) -> Vec<Value> {
        let events = self.records("EVENT", value_type, intent).await;
        events.into_iter().map(|mut record| record["value"].take()).collect()
    }

    /// The commands of one kind that the in-memory engine has been given.
    pub(crate) async fn commands(&self, value_type: &str, intent: &str) -> Vec<Value> {
        self.records("COMMAND", value_type, intent).await
    }

    /// What the in-memory engine has recorded of elements with keys above this one, in order.
    pub(crate) async fn steps(&self, above: i64) -> Vec<Value> {
        let control = self.export("PROCESS_TEST_ENGINE_CONTROL_ADDRESS");
        let url = format!("{control}/records?type=PROCESS_INSTANCE&above={above}");
        let lines = http::get(&url).await.unwrap();
        secret::is_nowhere_in("the engine's records", &lines);
        let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|record| record["recordType"] == "EVENT").collect()
    }

    async fn records(&self, record_type: &str, value_type: &str, intent: &str) -> Vec<Value> {
        let control = self.export("PROCESS_TEST_ENGINE_CONTROL_ADDRESS");
        let lines = http::get(&format!("{control}/records?type={value_type}")).await.unwrap();
        secret::is_nowhere_in("the engine's records", &lines);
        let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|r| r["recordType"] == record_type && r["intent"] == intent).collect()
    }
}

async fn run(script: &str, command: &str, name: &str) -> Result<String, String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(format!("{root}/{script}"))
        .args([command, "--name", name])
        .output()
        .await
        .unwrap();
    let (out, err) = (output.stdout, output.stderr);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&out)) } else { Err(text(&err)) }
}

fn exports_of(lines: &str) -> BTreeMap<String, String> {
    let assignments =
        lines.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    assignments.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
