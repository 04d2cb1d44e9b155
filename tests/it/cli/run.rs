//! `run`, as far as it needs nobody else.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    process::{Child, Command, Stdio},
};

use super::{config_file, program, text};

/// A worker whose gateway is away; it is killed when dropped.
struct Worker(Child);

impl Worker {
    /// Starts it from a shell that would let it dump as much as it may.
    fn start() -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -Sc \"$(ulimit -Hc)\"; exec \"$0\" \"$@\""])
            .args([env!("CARGO_BIN_EXE_servicenow-worker"), "run"])
            .env_clear()
            .env("ZEEBE_GRPC_ADDRESS", "http://127.0.0.1:1")
            .env("MANAGEMENT_LISTEN", "off")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut worker = Self(command.spawn().unwrap());
        let log = BufReader::new(worker.0.stderr.take().unwrap());
        let started = log.lines().map(Result::unwrap).any(|line| line.contains("worker started"));
        assert!(started, "it ended before it started");
        worker
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_worker_dumps_no_core_and_keeps_its_memory_to_itself() {
    let worker = Worker::start();
    let proc = format!("/proc/{}", worker.0.id());
    let limits = std::fs::read_to_string(format!("{proc}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().rev().take(3).collect();
    assert_eq!(words, ["bytes", "0", "0"], "{core}");
    // What another process of the user may not look into belongs to root.
    assert_eq!(std::fs::metadata(format!("{proc}/mem")).unwrap().uid(), 0);
}

#[test]
fn a_certificate_that_cannot_be_read_ends_the_start_and_the_check_with_its_name() {
    let file = config_file(
        "[connections.hr]\ninstance = \"dev1\"\nauth = { type = \"bearer\", token = \"x\" }\n\
         client_certificate_file = \"/nowhere/cert.pem\"\nclient_key_file = \"/nowhere/key.pem\"\n",
    );
    for command in ["run", "check"] {
        let output = program().args([command, "--config"]).arg(file.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{command}");
        let said = text(&output.stderr);
        assert!(said.contains("connections.hr: '/nowhere/cert.pem' cannot be read"), "{said}");
    }
}
