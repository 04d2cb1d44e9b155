//! The worker as a process of its own, as users run it.

use std::path::{Path, PathBuf};

use super::{http::Figures, process::Process, secret};

/// A running worker.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Process,
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
}

/// Short locks, so that the jobs of a killed worker come back while a test waits.
const SETTINGS: &str = r#"
[worker]
job_timeout = "10s"

[management]
listen = "127.0.0.1:0"
"#;

impl Worker {
    /// Starts a worker between a gateway and a sandbox; the sandbox is its default
    /// connection, and `extra` comes into its environment.
    pub(crate) fn start(
        directory: &Path,
        gateway: &str,
        sandbox: &str,
        extra: Vec<(&'static str, String)>,
    ) -> Self {
        std::fs::write(directory.join("worker.toml"), SETTINGS).unwrap();
        let mut environment = extra;
        environment.extend([
            ("ZEEBE_GRPC_ADDRESS", gateway.to_owned()),
            ("SERVICENOW_INSTANCE", sandbox.to_owned()),
            ("SERVICENOW_USERNAME", secret::USER.to_owned()),
            ("SERVICENOW_PASSWORD", secret::PASSWORD.to_owned()),
        ]);
        let process = Self::launch(directory, &environment);
        Self { process, directory: directory.to_owned(), environment }
    }

    fn launch(directory: &Path, environment: &[(&str, String)]) -> Process {
        let settings = directory.join("worker.toml");
        let arguments = ["run", "--config", settings.to_str().unwrap()];
        Process::start(&arguments, environment, directory.join("worker.log"))
    }

    /// Ends it as a crash would and starts another one in its place.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.process.kill().await;
        self.process = Self::launch(&self.directory, &self.environment);
    }

    /// Lets it stand still.
    pub(crate) async fn stop(&mut self) {
        self.process.signal("STOP").await;
    }

    /// Lets it go on.
    pub(crate) async fn go_on(&mut self) {
        self.process.signal("CONT").await;
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
