//! The table of bad input, `bad_input.jsonl`: what is sent, which status comes back, and what
//! the problem says. None of it may reach the broker.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    rig::{NOW, Rig},
    signing::{GITHUB, HOOK},
    wire::{Reply, Request, send_raw},
};
use crate::support::gateway::Call;

const TABLE: &str = include_str!("bad_input.jsonl");

const SETTINGS: &str = r#"
[[inbound.routes]]
name = "paid"
do = "message"
message = "paid"
correlation_key = "$.record.sys_id"

[[inbound.routes]]
name = "alarm"
do = "signal"
signal = "alarm"
once = "at_least_once"

[[inbound.routes]]
name = "stop"
do = "cancel"
instance = "$.key"
"#;

/// The request of a case.
fn request(case: &Value) -> Request {
    let text = case["request"].as_str().unwrap();
    let (method, path) = text.split_once(' ').unwrap();
    let mut request = Request::new(method, path);
    request.body = body(case);
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        for value in value.as_array().map_or(vec![value], |all| all.iter().collect()) {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    if !request.has("content-type") && !request.body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    identified(request, case)
}

fn body(case: &Value) -> Vec<u8> {
    if let Some(text) = case["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(bytes) = case["bytes"].as_array() {
        return bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect();
    }
    let count = |name: &str| case[name].as_u64().map(|count| usize::try_from(count).unwrap());
    if let Some(depth) = count("deep") {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        return format!(r#"{{"name":{open}{close}}}"#).into_bytes();
    }
    if let Some(length) = count("long") {
        return format!(r#"{{"name":"{}"}}"#, "x".repeat(length)).into_bytes();
    }
    match &case["json"] {
        Value::Null => Vec::new(),
        json => json.to_string().into_bytes(),
    }
}

fn identified(request: Request, case: &Value) -> Request {
    let age = case["age"].as_i64().unwrap_or_default();
    match case["as"].as_str().unwrap_or("flows") {
        "nobody" => request,
        "orders" => request.header("x-api-key", "new-key"),
        "hook" => request.signed(HOOK, "evt_1", NOW - age),
        "github" => request.signed_body(GITHUB),
        _ => request.by_flows(),
    }
}

async fn answer(rig: &Rig, case: &Value) -> Reply {
    if let Some(text) = case["raw"].as_str() {
        return send_raw(rig.endpoint.address, text.as_bytes()).await;
    }
    let mut request = request(case);
    if let Some(text) = case["tampered"].as_str() {
        request.body = text.as_bytes().to_vec();
    }
    rig.send(&request).await
}

/// What is wrong with an answer.
fn faults(case: &Value, reply: &Reply) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            faults.push(format!("{}: {what}: {reply:?}", case["case"]));
        }
    };
    expect("another status", u64::from(reply.status) == case["status"].as_u64().unwrap());
    // What is no HTTP gets no JSON.
    if let Some(title) = case["title"].as_str() {
        expect("another title", reply.title() == title);
        expect("no problem", reply.header("content-type") == Some("application/problem+json"));
        expect("status in the body", reply.body["status"] == reply.status);
        expect("type", reply.body["type"] == "about:blank");
        expect("another detail", reply.detail().contains(case["says"].as_str().unwrap()));
    }
    for (name, value) in case["answers"].as_object().into_iter().flatten() {
        expect(name, reply.header(name) == value.as_str());
    }
    faults
}

#[tokio::test]
async fn bad_input_gets_a_status_and_a_reason_and_never_reaches_the_broker() {
    let rig = Rig::start(SETTINGS).await;
    let cases: Vec<Value> = TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    let names: BTreeSet<_> = cases.iter().map(|case| case["case"].as_str().unwrap()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(faults(case, &answer(&rig, case).await));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rig.calls().is_empty(), "{:?}", rig.calls());
}

#[tokio::test]
async fn a_replayed_signature_is_answered_but_not_done_again() {
    let rig = Rig::start(SETTINGS).await;
    let body = serde_json::json!({"record": {"sys_id": "a"}});
    let signed = Request::post("/inbound/paid", &body).signed(HOOK, "evt_9", NOW - 10);
    rig.send(&signed).await.expect(200);
    let replay = rig.send(&signed).await.expect(200);
    assert_eq!(replay.header("idempotency-replayed"), Some("true"));
    let other = serde_json::json!({"record": {"sys_id": "b"}});
    let reused = Request::post("/inbound/paid", &other).signed(HOOK, "evt_9", NOW);
    rig.send(&reused).await.expect(422);
    assert!(matches!(&rig.calls()[..], [Call::Publish(_)]));
}
