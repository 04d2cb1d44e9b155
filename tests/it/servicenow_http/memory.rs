//! What answers without end cost in memory: the built program reads them in a process of its
//! own, so that nothing else is counted.

use std::process::{Child, Command, Stdio};

use serde_json::json;
use servicenow_worker::{devengine::gateway::Call, zeebe::proto::ActivatedJob};

use super::server::{Server, Step, answer, gzip, json as json_answer, send};
use crate::support::{
    eventually,
    gateway::{ScriptedGateway, Settings},
};

const MIB: usize = 1 << 20;
/// Far above what a job takes anyhow, far below what the answers have.
const CAP: usize = 16 * MIB;
const GIB: usize = 1 << 30;

/// A worker whose jobs call one server; it is killed when dropped.
struct Worker {
    child: Child,
    gateway: ScriptedGateway,
    _config: tempfile::TempDir,
}

impl Worker {
    async fn start(server: &Server) -> Self {
        let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
        let config = tempfile::tempdir().unwrap();
        let file = config.path().join("worker.toml");
        let settings = format!(
            "[zeebe]\ngrpc_address = \"{}\"\n[management]\nlisten = \"off\"\n\
             [http]\nmax_response_bytes = {CAP}\n\
             [connections.default]\ninstance = \"http://127.0.0.1:{}\"\n\
             auth = {{ type = \"bearer\", token = \"t\" }}\n",
            gateway.address(),
            server.port
        );
        std::fs::write(&file, settings).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
            .args(["run", "--config"])
            .arg(&file)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, gateway, _config: config }
    }

    /// Has a job read from this table; the error is its failure's text.
    async fn read_from(&self, table: &str) -> Result<(), String> {
        let variables = json!({
            "operation": "get", "table": table, "sysId": "6816f79cc0a8016401c5a33be04be441",
        });
        let job = self.gateway.offer(ActivatedJob {
            r#type: "servicenow:record:1".to_owned(),
            variables: variables.to_string(),
            retries: 1,
            ..ActivatedJob::default()
        });
        let end = || self.gateway.calls().into_iter().find_map(|seen| ended(job, seen.call));
        eventually("the job ends", || end().is_some()).await;
        end().unwrap()
    }

    /// A figure of the system about the process's memory, in bytes.
    fn memory(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// How this job ended, if the command says so.
fn ended(job: i64, call: Call) -> Option<Result<(), String>> {
    match call {
        Call::Complete(command) => (command.job_key == job).then_some(Ok(())),
        Call::Fail(command) => (command.job_key == job).then_some(Err(command.error_message)),
        _ => None,
    }
}

/// How far the peak of the process rises above what it had before, in bytes, when a job gets
/// this answer.
async fn growth(flood: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> usize {
    let server = Server::start(move |request| {
        if request.target().contains("/flood/") {
            return flood();
        }
        json_answer("200 OK", r#"{"result":{"number":"INC0000001"}}"#)
    })
    .await;
    let worker = Worker::start(&server).await;
    assert_eq!(worker.read_from("incident").await, Ok(()));
    let before = worker.memory("VmRSS:");
    let error = worker.read_from("flood").await.unwrap_err();
    assert!(error.contains(&format!("is larger than {CAP} bytes")), "{error}");
    // The peak since the start: if that was higher, it counts against us.
    worker.memory("VmHWM:").saturating_sub(before)
}

/// This head, and the same piece behind it until the client has enough.
fn endless(head: &str, piece: &[u8]) -> Vec<Step> {
    vec![send(head), Step::Flood(piece.to_vec())]
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_26_answers_without_end_cost_no_more_memory_than_twice_the_cap() {
    let piece = vec![b' '; 0x8000];
    let chunk = [b"8000\r\n", &piece[..], b"\r\n"].concat();
    let bomb = gzip(&vec![0; GIB]);
    let with = |head: &'static str, piece: &[u8]| {
        let piece = piece.to_vec();
        move || endless(head, &piece)
    };
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
    let grown = growth(with(announced, &piece)).await;
    assert!(grown <= CAP / 2, "announced: {} MiB", grown / MIB);

    let until_closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let failed = "HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n";
    let bomb = move || answer("200 OK", "content-encoding: gzip\r\n", &bomb);
    for (what, grown) in [
        ("until closed", growth(with(until_closed, &piece)).await),
        ("chunked", growth(with(chunked, &chunk)).await),
        ("an error, chunked", growth(with(failed, &chunk)).await),
        ("a gzip bomb", growth(bomb).await),
    ] {
        // It is read to the cap, so less than that would mean that it was not looked at.
        assert!((CAP * 3 / 4..=2 * CAP).contains(&grown), "{what}: {} MiB", grown / MIB);
    }
}
