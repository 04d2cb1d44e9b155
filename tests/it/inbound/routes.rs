//! Plain routes: what the configuration fixes, and what a request brings.

use serde_json::{Value, json};

use super::{
    rig::Rig,
    wire::{Reply, Request},
};
use crate::support::gateway::Call;

const ROUTES: &str = r#"
[[inbound.routes]]
name = "approved"
do = "message"
message = "approval"
correlation_key = "$.record.sys_id"
key = "=body.record.sys_id + \":\" + string(body.record.sys_mod_count)"
variables = "={approved: body.record.state = \"approved\", by: headers.`x-user`, via: query.via}"
response = "={ok: true, twice: result.duplicate, message: result.messageKey, for: body.record.sys_id}"

[[inbound.routes]]
name = "ticket"
do = "start_or_correlate"
message = "ticket"
correlation_key = "=body.number"
ttl = "48h"

[[inbound.routes]]
name = "order"
do = "start"
process = "order"
version = 2
once = "at_least_once"
tenant = "hr"

[[inbound.routes]]
name = "await"
do = "start"
process = "echo"
once = "at_least_once"
await = true
response = "$.nothing"

[[inbound.routes]]
name = "alarm"
do = "signal"
signal = "alarm"
once = "at_least_once"
variables = "$.data"

[[inbound.routes]]
name = "stop"
do = "cancel"
instance = "=body.key"
"#;

async fn rig() -> Rig {
    Rig::start(&format!("open = false\n{ROUTES}")).await
}

fn record(count: i64) -> Value {
    json!({"record": {"sys_id": "abc", "sys_mod_count": count, "state": "approved"}})
}

async fn approve(rig: &Rig, body: &Value) -> Reply {
    let request = Request::post("/inbound/approved?via=flow", body).by_flows();
    rig.send(&request.header("x-user", "amy")).await
}

#[tokio::test]
async fn a_message_route_picks_key_correlation_variables_and_answer() {
    let rig = rig().await;
    let reply = approve(&rig, &record(3)).await.expect(200);
    let key = reply.engine_key("message").to_string();
    let expected = json!({"ok": true, "twice": false, "message": key, "for": "abc"});
    assert_eq!(reply.body, expected);
    let calls = rig.calls();
    let [Call::Publish(message)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((&*message.name, &*message.correlation_key), ("approval", "abc"));
    assert_eq!(message.message_id, "flows:route:approved:abc:3");
    assert_eq!(message.variables, r#"{"approved":true,"by":"amy","via":"flow"}"#);
    assert_eq!(message.time_to_live, 24 * 3_600 * 1_000);
}

#[tokio::test]
async fn what_the_body_lacks_is_said_in_words_for_its_author() {
    let rig = rig().await;
    let reply = approve(&rig, &json!({"record": {"sys_id": "", "sys_mod_count": 1}})).await;
    assert!(
        reply.clone().expect(400).detail().contains("correlation_key is empty: $.record.sys_id"),
        "{reply:?}"
    );
    let reply = approve(&rig, &json!({"record": {"sys_id": "abc"}})).await.expect(400);
    assert!(reply.detail().contains("needs an idempotency key"), "{}", reply.detail());
    assert!(reply.detail().contains("place in the body is empty"), "{}", reply.detail());
    assert!(reply.detail().contains("no key 'sys_mod_count'"), "{}", reply.detail());
    let list = json!({"record": {"sys_id": ["abc"], "sys_mod_count": 1}});
    let reply = approve(&rig, &list).await.expect(400);
    let ticket = Request::post("/inbound/ticket", &json!({"number": {"a": 1}})).by_flows();
    let other = rig.send(&ticket.key("k")).await.expect(400);
    assert!(other.detail().contains("correlation_key: gives an object"), "{}", other.detail());
    let list = Request::post("/inbound/order", &json!([1])).by_flows();
    let other = rig.send(&list).await.expect(400);
    assert_eq!(other.detail(), "the body is a list, not an object");
    let unknown = rig.post("/inbound/unknown", &json!({})).await.expect(404);
    assert_eq!(unknown.detail(), "there is no route 'unknown'");
    assert!(rig.calls().is_empty(), "{reply:?}");
}

#[tokio::test]
async fn start_or_correlate_is_a_message_with_a_key_that_waits() {
    let rig = rig().await;
    let request = Request::post("/inbound/ticket", &json!({"number": "INC1", "n": 1})).by_flows();
    let reply = rig.send(&request.clone().key("INC1:1")).await.expect(200);
    let key = reply.engine_key("messageKey").to_string();
    let expected = json!({"result": "published", "messageKey": key, "duplicate": false});
    assert_eq!(reply.body, expected);
    let reply = rig.send(&request).await.expect(400);
    assert!(reply.detail().contains("send the header Idempotency-Key"), "{}", reply.detail());
    let calls = rig.calls();
    let [Call::Publish(message)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(message.time_to_live, 48 * 3_600 * 1_000);
    assert_eq!(message.variables, r#"{"number":"INC1","n":1}"#);
}

#[tokio::test]
async fn a_start_route_fixes_process_version_and_tenant() {
    let rig = rig().await;
    rig.deploy_order_again();
    rig.deploy_order_again();
    let body = json!({"processDefinitionId": "other", "tenantId": "other"});
    let reply = rig.post("/inbound/order", &body).await.expect(200);
    assert_eq!(reply.body["result"], "started");
    assert_eq!(reply.body["processInstanceKey"], rig.running_key());
    assert_eq!(rig.gateway.engine().instances()[0].version, 2);
    let reply = rig
        .post("/inbound/await", &serde_json::from_str(r#"{"total": 1.50}"#).unwrap())
        .await
        .expect(200);
    assert_eq!(reply.body["result"], "completed", "a response that fails is no failure");
    assert_eq!(reply.body["variables"].to_string(), r#"{"total":1.5}"#);
    let calls = rig.calls();
    let [Call::Create(request), Call::CreateWithResult(_)] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (&*request.bpmn_process_id, request.version, &*request.tenant_id),
        ("order", 2, "hr")
    );
}

#[tokio::test]
async fn signal_and_cancel_routes_do_what_they_say() {
    let rig = rig().await;
    let reply = rig.post("/inbound/alarm", &json!({"data": {"a": 1}})).await.expect(200);
    assert_eq!(reply.body["result"], "broadcast");
    let reply = rig.post("/inbound/alarm", &json!({"data": [1]})).await.expect(400);
    assert_eq!(reply.detail(), "the route's variables are a list, not an object");
    rig.deploy_order_again();
    let started = rig.post("/inbound/order", &json!({})).await.expect(200);
    let key = json!({"key": started.body["processInstanceKey"]});
    let reply = rig.post("/inbound/stop", &key).await.expect(200);
    assert_eq!(reply.body["result"], "cancelled");
    assert!(rig.running().is_empty());
    rig.post("/inbound/stop", &key).await.expect(404);
    let reply = rig.post("/inbound/stop", &json!({"key": "INC1"})).await.expect(400);
    assert!(reply.detail().contains("digits only"), "{}", reply.detail());
}

#[tokio::test]
async fn expressions_see_no_credentials() {
    let rig = Rig::start(
        "[[inbound.routes]]\nname = \"all\"\ndo = \"message\"\nmessage = \"m\"\n\
         once = \"at_least_once\"\nvariables = \"={h: headers}\"",
    )
    .await;
    let request = Request::post("/inbound/all", &json!({})).by_flows().header("cookie", "c=1");
    rig.send(&request.header("x-api-key", "new-key").header("x-shown", "yes")).await.expect(200);
    let calls = rig.calls();
    let [Call::Publish(message)] = &calls[..] else { panic!("{calls:?}") };
    let seen: Value = serde_json::from_str(&message.variables).unwrap();
    assert_eq!(seen["h"]["x-shown"], "yes");
    for hidden in ["authorization", "cookie", "x-api-key"] {
        assert!(seen["h"].get(hidden).is_none(), "{seen}");
    }
}
