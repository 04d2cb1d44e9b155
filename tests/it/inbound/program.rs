//! The program as a process of its own.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::support::eventually;

/// A running copy of the program, with a file of what it writes.
pub(super) struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    pub(super) fn start(arguments: &[&str], settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("worker.toml");
        std::fs::write(&config, settings).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
            .arg("run")
            .args(arguments)
            .arg("--config")
            .arg(config)
            .env_clear()
            .env("SECRET_KEY", "the-secret-key")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// Waits for its end.
    pub(super) fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(super) async fn address(&self) -> SocketAddr {
        eventually("the endpoint listens", || self.log().contains("inbound listens")).await;
        let log = self.log();
        let line = log.lines().find(|line| line.contains("inbound listens")).unwrap();
        line.split("address=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    }
}

/// As a crash would end it.
impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}
