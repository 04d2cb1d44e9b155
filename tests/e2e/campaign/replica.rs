//! A worker among several: a process that is killed, stopped and started again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{canary::Canary, proxy::Proxy};
use crate::support::{http, process::Process};

/// How long the engine locks a job for a worker; the shortest that a worker takes.
const LOCK: Duration = Duration::from_secs(5);
/// Longer than a lock and the engine's look for locks that have ended.
const STOPPED: Duration = Duration::from_secs(8);

/// One of the workers.
#[derive(Debug)]
pub(crate) struct Replica {
    name: &'static str,
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
    launches: u32,
    process: Process,
    /// What the figures showed, as often as somebody looked.
    pub(crate) shown: String,
}

fn settings(servicenow: &Proxy) -> String {
    let (lock, servicenow) = (LOCK.as_secs(), servicenow.address);
    format!(
        r#"
[worker]
job_timeout = "{lock}s"
shutdown_grace = "20s"

[http]
connect_timeout = "2s"
call_timeout = "3s"
transaction_quota = "15s"

[zeebe]
keep_alive = "30s"

[connections.default]
instance = "http://{servicenow}"
auth = {{ type = "basic", username = "admin", password = "{{{{secrets.SERVICENOW}}}}" }}

[management]
listen = "127.0.0.1:0"

[log]
format = "json"
filter = "info,servicenow_worker=debug"
"#
    )
}

impl Replica {
    /// Starts one that reaches both sides through proxies.
    pub(crate) fn start(
        name: &'static str,
        directory: &Path,
        servicenow: &Proxy,
        gateway: &Proxy,
        canary: &Canary,
    ) -> Self {
        let directory = directory.join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("worker.toml"), settings(servicenow)).unwrap();
        let environment = vec![
            ("ZEEBE_GRPC_ADDRESS", format!("http://{}", gateway.address)),
            ("SECRET_SERVICENOW", canary.text().to_owned()),
        ];
        let process = launch(&directory, &environment, 1);
        Self { name, directory, environment, launches: 1, process, shown: String::new() }
    }

    fn restart(&mut self) {
        self.launches += 1;
        self.process = launch(&self.directory, &self.environment, self.launches);
    }

    /// SIGKILL, and another one in its place.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
        self.restart();
    }

    /// SIGSTOP, longer than its locks last, and SIGCONT.
    pub(crate) async fn stop(&mut self) {
        self.process.signal("STOP").await;
        tokio::time::sleep(STOPPED).await;
        self.process.signal("CONT").await;
    }

    /// SIGTERM; it has to end well.
    pub(crate) async fn end(&mut self) {
        self.look().await;
        let code = self.process.terminate().await;
        assert_eq!(code, Some(0), "worker {} did not end well", self.name);
    }

    /// SIGTERM, and another one in its place.
    pub(crate) async fn terminate(&mut self) {
        self.end().await;
        self.restart();
    }

    /// Keeps what its figures show now.
    pub(crate) async fn look(&mut self) {
        let address = self.process.word_after("management listens", r#""address":""#).await;
        let shown = http::get(&format!("http://{address}/metrics")).await;
        self.shown.push_str(&shown.expect("figures"));
    }

    /// The logs of all its launches.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        (1..=self.launches).map(|launch| log(&self.directory, launch)).collect()
    }
}

fn log(directory: &Path, launch: u32) -> PathBuf {
    directory.join(format!("{launch:04}.log"))
}

fn launch(directory: &Path, environment: &[(&str, String)], launch: u32) -> Process {
    let settings = directory.join("worker.toml");
    let arguments = ["run", "--config", settings.to_str().unwrap()];
    Process::start(&arguments, environment, log(directory, launch)).quiet()
}
