//! A hundred copies of one start at two replicas, of which one is killed in the middle and
//! started again: one instance, whichever way the start goes.

use std::{
    net::SocketAddr,
    sync::{
        RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use serde_json::json;
use servicenow_worker::inbound::wrapper;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::{program::Program, wire::Request};
use crate::support::{
    bpmn,
    gateway::{Call, ScriptedGateway, Seen, Settings},
};

/// The replicas remember nothing, so that every copy reaches the engine.
const SETTINGS: &str = r#"
[management]
listen = "off"

[inbound]
listen = "127.0.0.1:0"
open = true
limits = { rate = 10000 }
idempotency = { remember = 0 }

[[inbound.routes]]
name = "message"
do = "message"
message = "begin"
key = "$.event"

[[inbound.routes]]
name = "wrapper"
do = "start"
process = "order"
once = "wrapper"
key = "$.event"

[[inbound.routes]]
name = "business-id"
do = "start"
process = "order"
once = "business_id"
key = "$.event"
"#;

/// A replica.
async fn replica(gateway: &ScriptedGateway) -> (Program, SocketAddr) {
    let settings = format!("[zeebe]\ngrpc_address = \"{}\"\n{SETTINGS}", gateway.address());
    let program = Program::start(&["--only", "inbound"], &settings);
    let address = program.address().await;
    (program, address)
}

/// Sends a request until somebody answers with success.
async fn deliver(request: &Request, address: impl Fn() -> SocketAddr) {
    let delivered = async {
        let mut attempts = tokio::time::interval(Duration::from_millis(5));
        loop {
            attempts.tick().await;
            match request.try_send(address()).await {
                Some(reply) if reply.status == 200 => return,
                Some(reply) if reply.status != 503 => panic!("{reply:?}"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), delivered).await.expect("a copy is answered");
}

/// The copies: the second half is sent once the first replica is to be killed, which is after
/// the tenth answer.
async fn a_hundred_copies(gateway: &ScriptedGateway, route: &str) -> Vec<Seen> {
    let request = Request::post(&format!("/inbound/{route}"), &json!({"event": "INC1:3"}));
    let (first, address) = replica(gateway).await;
    let (_second, other) = replica(gateway).await;
    let address = RwLock::new(address);
    let (answered, tenth, killing) = (AtomicUsize::new(0), Notify::new(), CancellationToken::new());
    let copy = async |number: usize| {
        if number >= 50 {
            killing.cancelled().await;
        }
        let to = || if number.is_multiple_of(2) { *address.read().unwrap() } else { other };
        deliver(&request, to).await;
        if answered.fetch_add(1, Ordering::Relaxed) == 9 {
            tenth.notify_one();
        }
    };
    let copies = stream::iter(0..100).map(copy).buffer_unordered(20);
    let crash = async {
        tenth.notified().await;
        killing.cancel();
        drop(first);
        let (again, new) = replica(gateway).await;
        *address.write().unwrap() = new;
        again
    };
    let (done, _again) = tokio::join!(copies.count(), crash);
    assert_eq!(done, 100);
    gateway.calls()
}

async fn gateway() -> ScriptedGateway {
    ScriptedGateway::start(Settings::default()).await.unwrap()
}

fn running(gateway: &ScriptedGateway) -> Vec<String> {
    gateway.engine().instances().into_iter().map(|instance| instance.process_id).collect()
}

/// How many calls the engine has refused as repetitions; all but one.
#[track_caller]
fn expect_one(calls: &[Seen], is_it: impl Fn(&Call) -> bool) {
    let results: Vec<_> =
        calls.iter().filter(|seen| is_it(&seen.call)).map(|seen| seen.result).collect();
    let done = results.iter().filter(|result| **result == Code::Ok).count();
    let refused = results.iter().filter(|result| **result == Code::AlreadyExists).count();
    assert_eq!((done, done + refused), (1, results.len()));
    assert!(results.len() >= 100, "only {} copies reached the engine", results.len());
}

#[tokio::test]
async fn copies_of_a_message_start_one_instance() {
    let gateway = gateway().await;
    let file = bpmn::started_by_a_message("order");
    gateway.engine().deploy("order.bpmn", file.as_bytes()).unwrap();
    let calls = a_hundred_copies(&gateway, "message").await;
    expect_one(&calls, |call| matches!(call, Call::Publish(_)));
    assert_eq!(running(&gateway), ["order"]);
}

#[tokio::test]
async fn copies_of_a_wrapped_start_start_one_instance() {
    let gateway = gateway().await;
    gateway.engine().deploy("order.bpmn", bpmn::one_task("order").as_bytes()).unwrap();
    let calls = a_hundred_copies(&gateway, "wrapper").await;
    expect_one(&calls, |call| matches!(call, Call::Publish(_)));
    assert_eq!(running(&gateway), [wrapper::PROCESS_ID, "order"]);
}

#[tokio::test]
async fn copies_of_a_start_with_a_business_id_start_one_instance() {
    let gateway = gateway().await;
    gateway.engine().deploy("order.bpmn", bpmn::one_task("order").as_bytes()).unwrap();
    let calls = a_hundred_copies(&gateway, "business-id").await;
    expect_one(&calls, |call| matches!(call, Call::Create(_)));
    assert_eq!(running(&gateway), ["order"]);
    let instance = gateway.engine().instances().remove(0);
    assert_eq!(instance.business_id.as_deref(), Some("anonymous:route:business-id:INC1:3"));
}
