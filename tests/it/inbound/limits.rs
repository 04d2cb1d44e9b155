//! What one caller or connection may take.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use super::{
    rig::Rig,
    wire::{self, Request},
};
use crate::support::gateway::{Fault, Rpc};

fn publish() -> Request {
    Request::post("/v2/messages/publication", &json!({"name": "paid"})).by_flows()
}

#[tokio::test]
async fn a_credential_over_its_rate_gets_429_while_others_go_on() {
    let rig = Rig::start("limits = { rate = 3 }").await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(rig.send(&publish()).await);
    }
    let refused: Vec<_> = statuses.iter().filter(|reply| reply.status == 429).collect();
    assert!(refused.len() >= 5, "{}", refused.len());
    assert!(refused.iter().all(|reply| reply.header("retry-after") == Some("1")));
    let body = json!({"name": "order.paid"});
    let other = Request::post("/v2/messages/publication", &body).header("x-api-key", "new-key");
    rig.send(&other).await.expect(200);
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_get_503_at_once() {
    let rig = Rig::start("limits = { requests = 1 }").await;
    rig.gateway.script(Rpc::Publish, 1, Fault::Delay(Duration::from_secs(1)));
    let slow = publish();
    let (first, second) = tokio::join!(rig.send(&slow), async {
        crate::support::eventually("the first is at the broker", || {
            rig.gateway.counters().faulty.get() > 0
        })
        .await;
        rig.send(&publish()).await
    });
    first.expect(200);
    let second = second.expect(503);
    assert_eq!(second.title(), "RESOURCE_EXHAUSTED");
    assert_eq!(second.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn slow_senders_are_cut_off() {
    let rig = Rig::start("limits = { header_timeout = \"1s\", body_timeout = \"1s\" }").await;
    let mut headers = TcpStream::connect(rig.endpoint.address).await.unwrap();
    headers.write_all(b"POST /v2/messages/publication HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut text = Vec::new();
    headers.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");

    let slow = publish().header("content-length", "100");
    let reply = rig.send(&Request { body: b"{".to_vec(), ..slow }).await.expect(408);
    assert!(reply.detail().contains("did not arrive within 1s"), "{}", reply.detail());
}

#[tokio::test]
async fn a_thousand_half_open_connections_hold_nobody_up() {
    let rig = Rig::start("limits = { header_timeout = \"60s\" }").await;
    let mut half_open = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(rig.endpoint.address).await.unwrap();
        stream.write_all(b"POST /v2/messages/publication HTTP/1.1\r\n").await.unwrap();
        half_open.push(stream);
    }
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        rig.send(&publish()).await.expect(200);
        times.push(began.elapsed());
    }
    // All of them are still there: it is beside them that the others were served.
    assert_eq!(half_open.iter().filter(|stream| is_open(stream)).count(), half_open.len());
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    // A millisecond when nobody else wants the processor.
    assert!(p99 < Duration::from_millis(200), "p99 {p99:?}");
}

/// Whether the other side has neither answered nor closed.
fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn senders_of_slow_bodies_take_no_room_from_others() {
    let rig = Rig::start("limits = { requests = 2 }").await;
    let mut slow = Vec::new();
    for key in ["authorization: Basic Zmxvd3M6cGFzczp3b3Jk", "webhook-signature: v1,AAAA"] {
        for _ in 0..10 {
            let mut stream = TcpStream::connect(rig.endpoint.address).await.unwrap();
            let head = format!(
                "POST /v2/messages/publication HTTP/1.1\r\nhost: x\r\n{key}\r\n\
                 content-length: 100\r\nexpect: 100-continue\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            // The endpoint reads the body now.
            let mut start = [0; 12];
            stream.read_exact(&mut start).await.unwrap();
            assert_eq!(&start, b"HTTP/1.1 100");
            slow.push(stream);
        }
    }
    for _ in 0..5 {
        rig.send(&publish()).await.expect(200);
    }
}

#[tokio::test]
async fn a_connection_that_is_one_too_many_is_told_so() {
    let rig = Rig::start("limits = { connections = 16 }").await;
    let mut held = Vec::new();
    let refused = loop {
        let mut stream = TcpStream::connect(rig.endpoint.address).await.unwrap();
        stream.write_all(b"GET /v2/license HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        if start.ends_with(b"503") {
            break held.len();
        }
        held.push(stream);
    };
    assert_eq!(refused, 16);
    // Room that was given back is room for somebody else.
    drop(held);
    loop {
        let reply = rig.send(&Request::new("GET", "/v2/license")).await;
        if reply.status == 200 {
            break;
        }
        reply.expect(503);
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let rig = Rig::start("").await;
    let mut stream = TcpStream::connect(rig.endpoint.address).await.unwrap();
    let one = b"GET /v2/license HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(&one.repeat(3)).await.unwrap();
    stream
        .write_all(b"GET /v2/license HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 4, "{text}");
}

#[tokio::test]
async fn a_body_without_a_length_is_capped_while_it_arrives() {
    let rig = Rig::start("limits = { body_bytes = 2000 }").await;
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    let request = publish().header("transfer-encoding", "chunked");
    let request = Request { body: chunk.repeat(4).into_bytes(), ..request };
    let reply = rig.send(&request).await.expect(413);
    assert!(reply.detail().contains("larger than 2000 bytes"), "{}", reply.detail());
    let small = publish();
    let body =
        format!("{:x}\r\n{}\r\n0\r\n\r\n", small.body.len(), String::from_utf8_lossy(&small.body));
    let chunked =
        Request { body: body.into_bytes(), ..small.header("transfer-encoding", "chunked") };
    rig.send(&chunked).await.expect(200);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_what_was_sent() {
    let rig = Rig::start("").await;
    rig.gateway.script(Rpc::Publish, 1, Fault::Delay(Duration::from_millis(200)));
    let mut stream = TcpStream::connect(rig.endpoint.address).await.unwrap();
    let body = r#"{"name": "paid"}"#;
    let text = format!(
        "POST /v2/messages/publication HTTP/1.1\r\nhost: x\r\nauthorization: Basic \
         Zmxvd3M6cGFzczp3b3Jk\r\nidempotency-key: e1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    crate::support::eventually("it is at the broker", || rig.gateway.counters().faulty.get() > 0)
        .await;
    drop(stream);
    crate::support::eventually("it is done", || rig.calls().len() == 1).await;
    let last = text.replace("host: x", "host: x\r\nconnection: close");
    let again = wire::send_raw(rig.endpoint.address, last.as_bytes());
    let again = again.await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}
