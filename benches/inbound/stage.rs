//! The endpoint: the built binary, with one credential and no limit in its way.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

use tokio::process::Command;

use crate::{
    engine::Engine,
    process::{Usage, WorkerProcess, until},
};

/// `Authorization` of the one who may.
pub(crate) const AUTHORIZATION: &str = "Basic YmVuY2g6YmVuY2g=";

const SETTINGS: &str = r#"
[[inbound.credentials]]
name = "bench"
basic = { username = "bench", password = "bench" }
allow = ["start:*", "publish:*", "route:*"]
rate = 1000000

[[inbound.routes]]
name = "start"
do = "start"
process = "inbound-echo"
once = "wrapper"
"#;

/// A running endpoint.
pub(crate) struct Endpoint {
    process: WorkerProcess,
    pub(crate) address: SocketAddr,
    _config: tempfile::NamedTempFile,
}

impl Endpoint {
    /// One that serves by now.
    pub(crate) async fn start(engine: &Engine) -> Self {
        let address = free_address();
        let mut config = tempfile::NamedTempFile::new().unwrap();
        write!(config, "[inbound]\nlisten = \"{address}\"\n{SETTINGS}").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"));
        command
            .env_clear()
            .args(["run", "--only", "inbound", "--config"])
            .arg(config.path())
            .env("ZEEBE_GRPC_ADDRESS", engine.address())
            .env("MANAGEMENT_LISTEN", "off");
        let process = WorkerProcess::spawn(command);
        until("the endpoint listens", || TcpStream::connect(address).is_ok()).await;
        Self { process, address, _config: config }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.process.usage()
    }

    pub(crate) async fn stop(self) {
        self.process.kill().await;
    }
}

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}
