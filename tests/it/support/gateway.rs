//! The dev engine's gateway as a scripted one: jobs that a test or a benchmark offers,
//! faults on request, and a record of all it was asked.
//!
//! Nothing here needs the rest of the tests, so that benchmarks can include this file.
#![allow(dead_code, unused_imports, reason = "whoever includes this file needs a part of it")]

use std::{io, ops::Deref, sync::Arc};

use servicenow_worker::{
    devengine::{DevEngine, gateway::Gateway},
    ports::Clock,
    zeebe,
};
use tokio::time::Instant;

// Named in full, since a file included by path looks for its modules elsewhere.
#[path = "gateway/tls.rs"]
mod tls;

pub(crate) use servicenow_worker::devengine::{
    Settings,
    gateway::{Call, Fault, Rpc, Seen},
};
pub(crate) use tls::Authority;

/// A running gateway. It ends when dropped.
#[derive(Debug)]
pub(crate) struct ScriptedGateway(DevEngine);

/// Far from our own clock, as nobody may rely on the broker's.
struct BrokerClock(Instant);

/// The broker's wall time when it starts.
const EPOCH_MS: i64 = 1_700_000_000_000;

impl Clock for BrokerClock {
    fn now(&self) -> jiff::Timestamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        jiff::Timestamp::from_millisecond(EPOCH_MS + passed).unwrap()
    }
}

impl ScriptedGateway {
    /// A gateway on a free port, for any tenant.
    pub(crate) async fn start(settings: Settings) -> io::Result<Self> {
        let clock = Arc::new(BrokerClock(Instant::now()));
        DevEngine::start(Settings { clock, multi_tenancy: true, ..settings }).await.map(Self)
    }

    /// The engine behind it: processes and what runs of them.
    pub(crate) fn engine(&self) -> &DevEngine {
        &self.0
    }

    /// Settings of a client for it, with nothing else set.
    pub(crate) fn client(&self) -> zeebe::Config {
        zeebe::Config { address: self.address(), ..zeebe::Config::default() }
    }

    /// What happens to the next `times` calls.
    pub(crate) fn script(&self, rpc: Rpc, times: usize, fault: Fault) {
        self.faults().add(rpc, times, fault);
    }

    /// Forgets the faults that are still to come.
    pub(crate) fn heal(&self) {
        self.faults().clear();
    }
}

impl Deref for ScriptedGateway {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        self.0.gateway()
    }
}
