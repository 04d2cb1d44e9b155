//! What is measured.

use std::{future::Future, pin::Pin};

use serde_json::json;

use crate::{
    caller::Post,
    engine::{Engine, PROCESS},
    load::{Load, Measured},
    slow::SlowSenders,
    stage::{AUTHORIZATION, Endpoint},
    timing,
};

type Scenario = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// All scenarios by name.
pub(crate) const ALL: [(&str, Scenario); 6] = [
    ("publish", || Box::pin(throughput(PUBLISH))),
    ("create", || Box::pin(throughput(CREATE))),
    ("wrapper", || Box::pin(throughput(WRAPPER))),
    ("unauthenticated", || Box::pin(unauthenticated())),
    ("slow", || Box::pin(slow())),
    ("timing", || Box::pin(async { timing::run() })),
];

/// Requests before those that count.
const WARM_UP: usize = 500;
/// How many slow senders there are.
const SLOW: usize = 1_000;

/// The engine in this process looks through every message it keeps: few, and a fresh one for
/// each round.
const PUBLISH: Load = Load { callers: 16, requests: 3_000, status: 200, request: publish };
const WRAPPER: Load = Load { request: start_by_wrapper, ..PUBLISH };
/// Instances that have ended cost the engine nothing.
const CREATE: Load = Load { request: create, requests: 20_000, ..PUBLISH };

/// Fields of a record, as big as a usual one.
fn record(number: usize) -> serde_json::Value {
    json!({
        "sys_id": format!("{number:032x}"),
        "sys_mod_count": 1,
        "short_description": format!("benchmark {number}"),
        "description": "x".repeat(200),
    })
}

/// A message with a key of its own.
fn publish(number: usize) -> Post<'static> {
    let body = json!({
        "name": "incident.closed",
        "correlationKey": format!("{number:032x}"),
        "variables": record(number),
    });
    Post {
        path: "/v2/messages/publication",
        authorization: Some(AUTHORIZATION),
        key: Some(format!("{number:032x}:1")),
        body: body.to_string(),
    }
}

/// A start without a key.
fn create(number: usize) -> Post<'static> {
    let body = json!({"processDefinitionId": PROCESS, "variables": record(number)});
    Post { path: "/v2/process-instances", key: None, body: body.to_string(), ..publish(number) }
}

/// A start that is done once.
fn start_by_wrapper(number: usize) -> Post<'static> {
    Post { path: "/inbound/start", body: record(number).to_string(), ..publish(number) }
}

/// From somebody who is not known: no credential, or a wrong one.
fn nobody(number: usize) -> Post<'static> {
    let authorization = number.is_multiple_of(2).then_some("Basic YmVuY2g6d3Jvbmc=");
    Post { authorization, ..publish(number) }
}

/// Runs a load with the endpoint's CPU time beside it.
async fn measure(endpoint: &Endpoint, load: Load, first: usize) -> (Measured, f64) {
    let before = endpoint.usage().cpu;
    let measured = load.run(endpoint.address, first).await;
    let cpu = endpoint.usage().cpu.saturating_sub(before).as_secs_f64();
    let per_thousand = cpu * 1_000.0 / measured.count() as f64;
    (measured, per_thousand)
}

fn print_memory(endpoint: &Endpoint) {
    let usage = endpoint.usage();
    println!("  RSS {:.1} MiB, peak {:.1} MiB", usage.rss_mib, usage.peak_mib);
}

/// As fast as it goes, three times.
async fn throughput(load: Load) {
    for _ in 0..3 {
        let engine = Engine::start().await;
        let endpoint = Endpoint::start(&engine).await;
        let warm = Load { requests: WARM_UP, ..load }.run(endpoint.address, 0).await.count();
        let (measured, cpu) = measure(&endpoint, load, warm).await;
        println!("{}, {cpu:.3} CPU-s per 1,000", measured.line());
        print_memory(&endpoint);
        let acknowledged = warm + measured.count();
        assert!(engine.commands() >= acknowledged, "more was acknowledged than done");
        endpoint.stop().await;
    }
}

/// Who is not known costs no command.
async fn unauthenticated() {
    let engine = Engine::start().await;
    let endpoint = Endpoint::start(&engine).await;
    let (commands, questions) = (engine.commands(), engine.questions());
    let refused = Load { status: 401, request: nobody, ..CREATE };
    let (measured, cpu) = measure(&endpoint, refused, 0).await;
    println!("{}, {cpu:.3} CPU-s per 1,000", measured.line());
    let commands = engine.commands() - commands;
    println!(
        "calls to the engine: {commands} for them, {} of the endpoint's own",
        engine.questions() - questions
    );
    assert_eq!(commands, 0);
    endpoint.stop().await;
}

/// The same load of starts without and with slow senders, in turn.
async fn slow() {
    let engine = Engine::start().await;
    let endpoint = Endpoint::start(&engine).await;
    let mut sent = Load { requests: WARM_UP, ..CREATE }.run(endpoint.address, 0).await.count();
    for _ in 0..3 {
        let (measured, _) = measure(&endpoint, CREATE, sent).await;
        sent += measured.count();
        println!("alone:              {}", measured.line());
        let senders = SlowSenders::connect(endpoint.address, SLOW).await;
        let before = senders.connected();
        let (measured, _) = measure(&endpoint, CREATE, sent).await;
        sent += measured.count();
        println!("with slow senders:  {}", measured.line());
        println!("  slow senders connected: {before} before, {} after", senders.connected());
    }
    print_memory(&endpoint);
    endpoint.stop().await;
}
