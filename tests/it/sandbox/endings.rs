//! Answers that do not come, or not whole: looked at as raw bytes.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::sandbox::{CutPoint, Fault, Match};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::Instance;

const CHOSEN: &str = "0123456789abcdef0123456789abcdef";
const PATH: &str = "/api/now/table/incident";

fn raw_insert(instance: &Instance) -> Vec<u8> {
    let body = json!({ "sys_id": CHOSEN }).to_string();
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
        instance.authorization,
        body.len()
    )
    .into_bytes()
}

async fn connect(instance: &Instance) -> TcpStream {
    TcpStream::connect(instance.base.trim_start_matches("http://")).await.unwrap()
}

/// Inserts under a fault; returns all bytes until the sandbox closed the connection.
async fn bytes_under(instance: &Instance, fault: Fault) -> String {
    instance.sandbox.faults().push(Match::on("POST", "incident"), fault);
    let mut stream = connect(instance).await;
    stream.write_all(&raw_insert(instance)).await.unwrap();
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    // A reset is as good an end as an orderly one.
    drop(end.expect("the connection stays open"));
    String::from_utf8(bytes).unwrap()
}

async fn is_there(instance: &Instance) -> bool {
    instance.get(&format!("{PATH}/{CHOSEN}")).await.status == 200
}

#[tokio::test]
async fn a_cut_before_the_commit_sends_nothing_and_keeps_nothing() {
    let instance = Instance::start().await;
    assert_eq!(bytes_under(&instance, Fault::Cut(CutPoint::BeforeCommit)).await, "");
    assert!(!is_there(&instance).await);
    assert_eq!(instance.sandbox.requests()[0].status, None);
}

#[tokio::test]
async fn a_cut_after_the_commit_sends_nothing_and_keeps_the_record() {
    let instance = Instance::start().await;
    assert_eq!(bytes_under(&instance, Fault::Cut(CutPoint::AfterCommit)).await, "");
    assert!(is_there(&instance).await);
}

#[tokio::test]
async fn a_cut_within_the_head_sends_its_beginning() {
    let instance = Instance::start().await;
    let bytes = bytes_under(&instance, Fault::Cut(CutPoint::MidHeaders)).await;
    assert!(bytes.starts_with("HTTP/1.1 201 Created\r\n"), "{bytes}");
    assert_eq!(bytes.len(), 40);
    assert!(is_there(&instance).await);
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_announced() {
    let instance = Instance::start().await;
    let bytes = bytes_under(&instance, Fault::TruncatedBody).await;
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(body.starts_with("{\"result\":{"), "{body}");
    assert!(body.len() < length.parse().unwrap(), "{} of {length}", body.len());
    assert!(is_there(&instance).await);
}

#[tokio::test]
async fn a_client_sees_an_error_for_each_of_them() {
    let instance = Instance::start().await;
    for fault in [
        Fault::Cut(CutPoint::BeforeCommit),
        Fault::Cut(CutPoint::AfterCommit),
        Fault::Cut(CutPoint::MidHeaders),
        Fault::TruncatedBody,
    ] {
        instance.sandbox.faults().push(Match::path("/api/now"), fault.clone());
        // GET may be sent again by a client on a reused connection, so each gets its own.
        let request = instance.request("POST", PATH).body("{}");
        let read = async { request.send().await?.bytes().await };
        assert!(read.await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_delayed_insert_is_carried_out_even_when_the_client_left() {
    let instance = Instance::start().await;
    let delay = Fault::Delay { before_ms: 100, after_ms: 0 };
    instance.sandbox.faults().push(Match::on("POST", "incident"), delay);
    let mut stream = connect(&instance).await;
    stream.write_all(&raw_insert(&instance)).await.unwrap();
    while instance.sandbox.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(stream);
    assert!(!is_there(&instance).await, "not yet");
    let arrives = async { while !is_there(&instance).await {} };
    tokio::time::timeout(Duration::from_secs(20), arrives).await.unwrap();
}

#[tokio::test]
async fn a_delay_after_the_commit_holds_the_answer_only() {
    let instance = Instance::start().await;
    let delay = Fault::Delay { before_ms: 0, after_ms: 60_000 };
    instance.sandbox.faults().push(Match::on("POST", "incident"), delay);
    let mut stream = connect(&instance).await;
    stream.write_all(&raw_insert(&instance)).await.unwrap();
    let arrives = async { while !is_there(&instance).await {} };
    tokio::time::timeout(Duration::from_secs(20), arrives).await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_delays_and_answers_what_is_in_progress() {
    let instance = Instance::start().await;
    let delay = Fault::Delay { before_ms: 600_000, after_ms: 0 };
    instance.sandbox.faults().push(Match::on("POST", "incident"), delay);
    let mut stream = connect(&instance).await;
    stream.write_all(&raw_insert(&instance)).await.unwrap();
    while instance.sandbox.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(instance);
    let mut bytes = String::new();
    let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut bytes));
    end.await.unwrap().unwrap();
    assert!(bytes.starts_with("HTTP/1.1 201 "), "{bytes}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_20_seconds_and_a_busy_one_is_not() {
    let instance = Instance::start().await;
    let delay = Fault::Delay { before_ms: 90_000, after_ms: 0 };
    instance.sandbox.faults().push(Match::on("POST", "incident"), delay);
    let mut stream = connect(&instance).await;
    stream.write_all(&raw_insert(&instance)).await.unwrap();
    while instance.sandbox.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let mut bytes = String::new();
    stream.read_to_string(&mut bytes).await.unwrap();
    assert!(bytes.starts_with("HTTP/1.1 201 "), "{bytes}");
    let whole = start.elapsed().as_secs();
    assert!((109..=111).contains(&whole), "90 of delay and 20 of idleness, not {whole}");
}

#[tokio::test]
async fn drip_and_flood_stretch_an_answer() {
    let instance = Instance::start().await;
    let path = format!("{PATH}?sysparm_query=number=x");
    instance.sandbox.faults().push(Match::default(), Fault::Drip { interval_ms: 1 });
    assert_eq!(instance.get(&path).await.text, "{\"result\":[]}");
    instance.sandbox.faults().push(Match::default(), Fault::Flood { bytes: 200_000 });
    assert_eq!(instance.get(&path).await.text.len(), 13 + 200_000);
}
