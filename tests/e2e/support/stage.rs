//! An engine for one test alone, with a fresh sandbox beside it.

use std::path::Path;

use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use super::{engine::Engine, gateway::Client, sandbox::Sandbox, worker::Worker};

static BROKER: Mutex<()> = Mutex::const_new(());
static IN_MEMORY: Mutex<()> = Mutex::const_new(());

/// Everything but the worker, which a test starts when it wants.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) client: Client,
    pub(crate) sandbox: Sandbox,
    directory: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// On the real broker.
    pub(crate) async fn on_the_broker() -> Self {
        let turn = BROKER.lock().await;
        Self::set(Engine::broker().await, turn).await
    }

    /// On the in-memory engine.
    pub(crate) async fn in_memory() -> Self {
        let turn = IN_MEMORY.lock().await;
        Self::set(Engine::in_memory().await, turn).await
    }

    async fn set(engine: Engine, turn: MutexGuard<'static, ()>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let client = Client::of(engine.gateway());
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        client.deploy_all(&root.join("tests/e2e/bpmn")).await;
        let sandbox = Sandbox::start().await;
        Self { engine, client, sandbox, directory, _turn: turn }
    }

    /// Starts the worker.
    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(Vec::new())
    }

    /// Starts the worker with more in its environment.
    pub(crate) fn worker_with(&self, environment: Vec<(&'static str, String)>) -> Worker {
        let (directory, gateway) = (self.directory.path(), self.engine.gateway());
        Worker::start(directory, gateway, &self.sandbox.address, environment)
    }
}
