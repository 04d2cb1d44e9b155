//! The engine behind the endpoint. This file alone knows which one it is: another needs an
//! address, the process deployed, and a count of what it was asked.

use servicenow_worker::devengine::{DevEngine, Settings, gateway::Call};

/// The process that `create` starts: a plain start event and an end.
pub(crate) const PROCESS: &str = "inbound-echo";
const BPMN: &[u8] = include_bytes!("../../tests/e2e/bpmn/inbound-echo.bpmn");

/// The engine in this process.
pub(crate) struct Engine(DevEngine);

impl Engine {
    /// One with the process deployed, that counts as many commands as a scenario sends.
    pub(crate) async fn start() -> Self {
        let settings = Settings { recorded_calls: 1_000_000, ..Settings::default() };
        let engine = DevEngine::start(settings).await.unwrap();
        engine.deploy("inbound-echo.bpmn", BPMN).unwrap();
        Self(engine)
    }

    pub(crate) fn address(&self) -> String {
        self.0.address()
    }

    /// Commands of callers so far.
    pub(crate) fn commands(&self) -> usize {
        let calls = self.0.gateway().calls();
        calls.iter().filter(|seen| !matches!(seen.call, Call::Deploy(_))).count()
    }

    /// Questions for the topology so far: the endpoint's own, every ten seconds.
    pub(crate) fn questions(&self) -> usize {
        self.0.gateway().counters().topologies.get()
    }
}
