//! A running copy of the built binary, with what it writes.

use std::{path::PathBuf, process::Stdio, thread, time::Duration};

use tokio::process::{Child, Command};

use super::{patience::eventually, secret};

/// A process of the binary; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    output: PathBuf,
    is_quiet: bool,
}

impl Process {
    /// Starts the binary with nothing but this environment; its output goes to `output`.
    pub(crate) fn start(
        arguments: &[&str],
        environment: &[(&str, String)],
        output: PathBuf,
    ) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(&output).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child, output, is_quiet: false }
    }

    /// Leaves what it wrote to its owner, who looks through it and may delete it: there is too
    /// much of it for a message.
    pub(crate) fn quiet(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// Everything written so far, by earlier processes with the same file too.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// Waits for a line with `mark` and gives the last word of the last such line that
    /// starts with `prefix` after `mark`.
    pub(crate) async fn word_after(&mut self, mark: &str, prefix: &str) -> String {
        eventually(&format!("a line with '{mark}'"), Duration::from_secs(20), async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the process ended with {status}:\n{}", self.output());
            }
            let output = self.output();
            let line = output.lines().rfind(|line| line.contains(mark))?;
            let start = line.find(prefix)? + prefix.len();
            line[start..].split([' ', ',', '"']).next().map(str::to_owned)
        })
        .await
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&mut self, name: &str) {
        let id = self.child.id().expect("still running");
        let arguments = [format!("-{name}"), id.to_string()];
        let status = Command::new("kill").args(arguments).status().await;
        assert!(status.unwrap().success(), "cannot signal process {id}");
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to stop and gives its exit code.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        self.signal("TERM").await;
        let ended = tokio::time::timeout(Duration::from_secs(90), self.child.wait()).await;
        ended.expect("ends within its grace").unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_quiet {
            return;
        }
        if thread::panicking() {
            eprintln!("--- {}\n{}", self.output.display(), self.output());
        } else {
            secret::is_nowhere_in("a log", &self.output());
        }
    }
}
