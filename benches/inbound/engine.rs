//! The engine behind the endpoint. This file alone knows which one it is: another needs an
//! address, the process deployed, and a count of what it was asked.

use servicenow_worker::zeebe::Gateway;

use crate::gateway::{Call, ScriptedGateway, Settings};

/// The process that `create` starts: a plain start event and an end.
pub(crate) const PROCESS: &str = "inbound-echo";
const BPMN: &[u8] = include_bytes!("../../tests/e2e/bpmn/inbound-echo.bpmn");

/// The engine in this process.
pub(crate) struct Engine(ScriptedGateway);

impl Engine {
    /// One with the process deployed.
    pub(crate) async fn start() -> Self {
        let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
        let client = Gateway::new(&gateway.client()).unwrap();
        client.deploy("inbound-echo.bpmn", BPMN).await.unwrap();
        Self(gateway)
    }

    pub(crate) fn address(&self) -> String {
        self.0.address()
    }

    /// Commands of callers so far.
    pub(crate) fn commands(&self) -> usize {
        let calls = self.0.calls();
        calls.iter().filter(|seen| !matches!(seen.call, Call::Deploy(_))).count()
    }

    /// Questions for the topology so far: the endpoint's own, every ten seconds.
    pub(crate) fn questions(&self) -> usize {
        self.0.counters().topologies.get()
    }
}
