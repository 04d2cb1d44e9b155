//! The worker as a process of its own, as users run it.

use std::path::{Path, PathBuf};

use super::{http::Figures, process::Process};

/// A running worker.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Process,
    directory: PathBuf,
    gateway: String,
    sandbox: String,
}

/// Short locks, so that the jobs of a killed worker come back while a test waits.
const SETTINGS: &str = r#"
[worker]
job_timeout = "10s"

[management]
listen = "127.0.0.1:0"
"#;

impl Worker {
    /// Starts a worker between a gateway and a sandbox.
    pub(crate) fn start(directory: &Path, gateway: &str, sandbox: &str) -> Self {
        let settings = directory.join("worker.toml");
        std::fs::write(&settings, SETTINGS).unwrap();
        Self {
            process: Self::launch(directory, gateway, sandbox),
            directory: directory.to_owned(),
            gateway: gateway.to_owned(),
            sandbox: sandbox.to_owned(),
        }
    }

    fn launch(directory: &Path, gateway: &str, sandbox: &str) -> Process {
        let settings = directory.join("worker.toml");
        let environment = [
            ("ZEEBE_GRPC_ADDRESS", gateway.to_owned()),
            ("SERVICENOW_INSTANCE", sandbox.to_owned()),
            ("SERVICENOW_USERNAME", "admin".to_owned()),
            ("SERVICENOW_PASSWORD", "admin".to_owned()),
        ];
        let arguments = ["run", "--config", settings.to_str().unwrap()];
        Process::start(&arguments, &environment, directory.join("worker.log"))
    }

    /// Ends it as a crash would and starts another one in its place.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.process.kill().await;
        self.process = Self::launch(&self.directory, &self.gateway, &self.sandbox);
    }

    /// Asks it to stop and gives its exit code.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        self.process.terminate().await
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.output()
    }

    /// Its figures now.
    pub(crate) async fn figures(&mut self) -> Figures {
        let address = self.process.word_after("management listens", "address=").await;
        Figures::of(&format!("http://{address}/metrics")).await
    }
}
