//! Repetitions, lost answers, and what cannot be promised.

use serde_json::{Value, json};
use servicenow_worker::inbound::wrapper;
use tonic::{Code, Status};

use super::{
    rig::{CREDENTIALS, Endpoint, Rig},
    wire::{Reply, Request},
};
use crate::support::{
    bpmn,
    gateway::{Call, Fault, Rpc, Settings},
};

const WRAPPED: &str = r#"
[[inbound.routes]]
name = "order"
do = "start"
process = "order"
once = "wrapper"
"#;

fn publish(n: i64) -> Request {
    let body = json!({"name": "paid", "correlationKey": "k", "variables": {"n": n}});
    Request::post("/v2/messages/publication", &body).by_flows()
}

fn start() -> Request {
    Request::post("/v2/process-instances", &json!({"processDefinitionId": "order"})).by_flows()
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn a_repeated_publication_is_one_message_and_the_same_answer() {
    let rig = Rig::start("").await;
    let first = rig.send(&publish(1).key("e1")).await.expect(200);
    let second = rig.send(&publish(1).key("\"e1\"")).await.expect(200);
    assert_eq!(first.body, second.body);
    assert!(!replayed(&first) && replayed(&second));
    let calls = rig.calls();
    let [Call::Publish(message)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(message.message_id, "flows:publish:e1");
    assert_eq!(message.time_to_live, 24 * 3_600 * 1_000, "not the 0 that the caller sent");
}

#[tokio::test]
async fn another_replica_that_gets_the_copy_answers_success_without_a_second_message() {
    let rig = Rig::start("").await;
    let replica = Endpoint::start(&format!("[inbound]\n{CREDENTIALS}"), &rig.gateway).await;
    rig.send(&publish(1).key("e1")).await.expect(200);
    let copy = replica.send(&publish(1).key("e1")).await.expect(200);
    assert!(replayed(&copy));
    assert_eq!(copy.body["messageKey"], "-1", "only the first sender was told the key");
    let results: Vec<_> = rig.gateway.calls().iter().map(|seen| seen.result).collect();
    assert_eq!(results, [Code::Ok, Code::AlreadyExists]);
}

#[tokio::test]
async fn a_key_used_for_another_payload_is_refused() {
    let rig = Rig::start("").await;
    rig.send(&publish(1).key("e1")).await.expect(200);
    let reply = rig.send(&publish(2).key("e1")).await.expect(422);
    assert!(reply.detail().contains("another payload"), "{}", reply.detail());
    assert_eq!(rig.calls().len(), 1);
}

#[tokio::test]
async fn a_request_that_was_refused_does_not_use_its_key_up() {
    let rig = Rig::start("").await;
    let wrong = Request::post("/v2/messages/publication", &json!({"name": "x", "y": 1})).by_flows();
    rig.send(&wrong.key("e1")).await.expect(400);
    rig.gateway.script(Rpc::Publish, 1, Fault::Refuse(Status::resource_exhausted("busy")));
    rig.send(&publish(1).key("e1")).await.expect(503);
    rig.send(&publish(2).key("e1")).await.expect(200);
}

#[tokio::test]
async fn a_lost_answer_is_503_and_the_repetition_succeeds_once() {
    let rig = Rig::start("").await;
    rig.gateway.script(Rpc::Publish, 1, Fault::LoseAnswer(Code::DeadlineExceeded));
    let reply = rig.send(&publish(1).key("e1")).await.expect(503);
    assert!(reply.header("retry-after").is_some());
    assert!(reply.detail().contains("whether it was done is unknown"), "{}", reply.detail());
    rig.send(&publish(2).key("e1")).await.expect(422);
    let again = rig.send(&publish(1).key("e1")).await.expect(200);
    assert!(replayed(&again));
}

#[tokio::test]
async fn a_silent_gateway_is_503_and_never_success() {
    let rig = Rig::start("").await;
    rig.gateway.script(Rpc::Publish, 1, Fault::Silence);
    rig.gateway.script(Rpc::Create, 1, Fault::Silence);
    let (publish, start) = (publish(1), start());
    let (published, started) = tokio::join!(rig.send(&publish), rig.send(&start));
    for reply in [published, started] {
        let reply = reply.expect(503);
        assert_eq!(reply.title(), "UNAVAILABLE");
        assert!(reply.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn a_gateway_that_is_briefly_away_costs_a_message_with_a_key_no_failure() {
    let rig = Rig::start("").await;
    rig.gateway.script(Rpc::Publish, 2, Fault::LoseAnswer(Code::Unavailable));
    rig.send(&publish(1).key("e1")).await.expect(200);
    let results: Vec<_> = rig.gateway.calls().iter().map(|seen| seen.result).collect();
    assert_eq!(results, [Code::Ok, Code::AlreadyExists, Code::AlreadyExists]);
    // Without a key a repetition could be a second message.
    rig.gateway.script(Rpc::Publish, 1, Fault::LoseAnswer(Code::Unavailable));
    rig.send(&publish(1)).await.expect(503);
    assert_eq!(rig.calls().len(), 4);
}

#[tokio::test]
async fn a_start_with_a_key_that_nothing_guards_is_refused_with_the_ways_out() {
    let rig = Rig::start("").await;
    let reply = rig.send(&start().key("e1")).await.expect(501);
    for way in ["once = \"wrapper\"", "business_id_unique", "at_least_once"] {
        assert!(reply.detail().contains(way), "{way}: {}", reply.detail());
    }
    let signal = Request::post("/v2/signals/broadcast", &json!({"signalName": "s"})).by_flows();
    rig.send(&signal.key("e1")).await.expect(501);
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn where_twice_is_fine_a_repetition_that_is_remembered_is_still_not_done_again() {
    let rig = Rig::start("idempotency = { at_least_once = [\"start\", \"signal\"] }").await;
    let first = rig.send(&start().key("e1")).await.expect(200);
    let second = rig.send(&start().key("e1")).await.expect(200);
    assert_eq!(first.body, second.body);
    assert_eq!(rig.running(), ["order"]);
}

#[tokio::test]
async fn a_business_id_holds_a_second_start_off_where_the_cluster_enforces_it() {
    let settings =
        format!("[inbound]\nidempotency = {{ business_id_unique = true }}\n{CREDENTIALS}");
    let gateway = Settings { version: "8.9.2".to_owned(), ..Settings::default() };
    let rig = Rig::with(&settings, gateway).await;
    let replica = Endpoint::start(&settings, &rig.gateway).await;
    let first = until_the_version_is_known(&rig.endpoint, &start().key("e1")).await.expect(200);
    assert_eq!(first.body["businessId"], "flows:start:e1");
    let copy = until_the_version_is_known(&replica, &start().key("e1")).await.expect(409);
    assert_eq!(copy.title(), "ALREADY_EXISTS");
    assert!(replayed(&rig.send(&start().key("e1")).await.expect(200)));
    assert_eq!(rig.running(), ["order"]);
}

/// The endpoint asks for the cluster's version by itself; before the answer it refuses.
async fn until_the_version_is_known(endpoint: &Endpoint, request: &Request) -> Reply {
    loop {
        let reply = endpoint.send(request).await;
        if !(reply.status == 503 && reply.detail().contains("has not answered yet")) {
            return reply;
        }
    }
}

#[tokio::test]
async fn a_gateway_that_would_drop_the_business_id_in_silence_is_not_trusted_with_it() {
    let settings =
        format!("[inbound]\nidempotency = {{ business_id_unique = true }}\n{CREDENTIALS}");
    let gateway = Settings { version: "8.8.0".to_owned(), ..Settings::default() };
    let rig = Rig::with(&settings, gateway).await;
    let reply = until_the_version_is_known(&rig.endpoint, &start().key("e1")).await.expect(501);
    assert!(
        reply.detail().contains("needs Camunda 8.9; the gateway is 8.8.0"),
        "{}",
        reply.detail()
    );
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn a_route_with_a_business_id_answers_a_copy_as_success() {
    let settings = format!(
        "[inbound]\n{CREDENTIALS}\n[[inbound.routes]]\nname = \"order\"\ndo = \"start\"\n\
         process = \"order\"\nonce = \"business_id\"\nkey = \"$.id\"\n"
    );
    let gateway = Settings { version: "8.9.0".to_owned(), ..Settings::default() };
    let rig = Rig::with(&settings, gateway).await;
    let replica = Endpoint::start(&settings, &rig.gateway).await;
    let request = Request::post("/inbound/order", &json!({"id": "e1"})).by_flows();
    let first = until_the_version_is_known(&rig.endpoint, &request).await.expect(200);
    assert_eq!(first.body["processInstanceKey"], rig.running_key());
    let copy = until_the_version_is_known(&replica, &request).await.expect(200);
    assert_eq!(copy.body, json!({"result": "started", "duplicate": true}));
    assert_eq!(rig.running(), ["order"]);
}

#[tokio::test]
async fn the_wrapper_is_deployed_once_and_takes_the_start_as_a_message() {
    let rig = Rig::start(WRAPPED).await;
    let hostile = json!({"total": 1, wrapper::VARIABLE: {"processId": "secret-process"}});
    let request = Request::post("/inbound/order", &hostile).by_flows();
    let reply = rig.send(&request.clone().key("INC1:3")).await.expect(200);
    assert_eq!(reply.body, json!({"result": "started", "duplicate": false}));
    rig.send(&request.key("INC1:4")).await.expect(200);
    let calls = rig.calls();
    let [Call::Create(_), Call::Deploy(deployed), Call::Publish(message), Call::Publish(_)] =
        &calls[..]
    else {
        panic!("{calls:?}")
    };
    assert_eq!(deployed.resources[0].name, wrapper::RESOURCE);
    assert_eq!(message.name, wrapper::MESSAGE);
    assert_eq!(message.message_id, "flows:route:order:INC1:3");
    assert_eq!(message.correlation_key, message.message_id);
    let variables: Value = serde_json::from_str(&message.variables).unwrap();
    let start = json!({"processId": "order", "route": "order", "key": "INC1:3"});
    assert_eq!(variables[wrapper::VARIABLE], start, "the caller does not choose the process");
    assert_eq!(variables["total"], 1);
    assert_eq!(rig.running(), [wrapper::PROCESS_ID, "order", wrapper::PROCESS_ID, "order"]);
    let order = &rig.gateway.engine().instances()[1];
    assert_eq!(order.variables["total"], 1);
}

#[tokio::test]
async fn nothing_is_published_for_a_wrapper_that_is_not_there() {
    let rig = Rig::start(WRAPPED).await;
    let request = Request::post("/inbound/order", &json!({})).by_flows().key("e1");
    rig.gateway.script(Rpc::Deploy, 1, Fault::Refuse(Status::unavailable("no leader")));
    let reply = rig.send(&request).await.expect(503);
    assert!(reply.detail().contains("wrapper"), "{}", reply.detail());
    assert!(!rig.calls().iter().any(|call| matches!(call, Call::Publish(_))));
    rig.send(&request).await.expect(200);
}

#[tokio::test]
async fn a_wrapped_start_of_a_process_that_is_not_deployed_is_404_until_it_is() {
    let rig = Rig::start(&WRAPPED.replace("process = \"order\"", "process = \"late\"")).await;
    let request = Request::post("/inbound/order", &json!({})).by_flows().key("e1");
    let reply = rig.send(&request).await.expect(404);
    assert_eq!(reply.title(), "NOT_FOUND");
    assert!(reply.detail().contains("process ID 'late'"), "{}", reply.detail());
    assert!(rig.running().is_empty(), "nothing is left to become an incident");
    let engine = rig.gateway.engine();
    engine.deploy("late.bpmn", bpmn::one_task("late").as_bytes()).unwrap();
    rig.send(&request).await.expect(200);
    assert_eq!(rig.running(), [wrapper::PROCESS_ID, "late"]);
}

#[tokio::test]
async fn a_gateway_that_may_not_say_whether_there_is_a_process_holds_no_start_up() {
    let rig = Rig::start(WRAPPED).await;
    let request = Request::post("/inbound/order", &json!({})).by_flows();
    rig.gateway.script(Rpc::Create, 1, Fault::Refuse(Status::permission_denied("no right")));
    rig.send(&request.clone().key("e1")).await.expect(200);
    rig.gateway.script(Rpc::Create, 1, Fault::Refuse(Status::unavailable("no leader")));
    let reply = rig.send(&request.clone().key("e2")).await.expect(503);
    assert!(reply.detail().contains("start of a process instance"), "{}", reply.detail());
    rig.send(&request.key("e2")).await.expect(200);
    assert_eq!(rig.running(), [wrapper::PROCESS_ID, "order", wrapper::PROCESS_ID, "order"]);
}

#[tokio::test]
async fn a_cancellation_that_was_in_doubt_counts_as_done_when_the_instance_is_gone() {
    let rig = Rig::start("").await;
    let started = rig.send(&start()).await.expect(200);
    let key = started.body["processInstanceKey"].as_str().unwrap();
    let path = format!("/v2/process-instances/{key}/cancellation");
    let cancel = Request::new("POST", &path).by_flows().key("c1");
    rig.gateway.script(Rpc::Cancel, 1, Fault::LoseAnswer(Code::Unavailable));
    rig.send(&cancel).await.expect(503);
    rig.send(&cancel).await.expect(204);
    assert!(replayed(&rig.send(&cancel).await.expect(204)));
    rig.send(&Request::new("POST", &path).by_flows().key("c2")).await.expect(404);
}

#[tokio::test]
async fn a_key_may_stand_in_the_body_of_a_rest_call() {
    let rig = Rig::start("idempotency = { body = \"$.variables.snEventId\" }").await;
    let body = json!({"name": "paid", "variables": {"snEventId": "e7"}});
    let request = Request::post("/v2/messages/publication", &body).by_flows();
    rig.send(&request).await.expect(200);
    assert!(replayed(&rig.send(&request).await.expect(200)));
    // As the Spoke writes variables: text.
    let text = json!({"name": "paid", "variables": "{\"snEventId\": \"e8\"}"});
    rig.send(&Request::post("/v2/messages/publication", &text).by_flows()).await.expect(200);
    let ids: Vec<_> = rig
        .calls()
        .into_iter()
        .map(|call| match call {
            Call::Publish(message) => message.message_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, ["flows:publish:e7", "flows:publish:e8"]);
}
