use serde_json::{Value, json};

use super::{Answer, Instance};

#[tokio::test]
async fn a_flow_trigger_records_its_payload_and_answers_an_execution_id() {
    let instance = Instance::start().await;
    let payload = json!({"item": "laptop", "count": 2});
    let answer = instance.send("POST", "/api/x_acme/onboarding/start?dry=1", payload.clone()).await;
    assert_eq!(answer.status, 200);
    let id = answer.result()["executionId"].as_str().unwrap().to_owned();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");

    let flows = instance.sandbox.flows();
    let flow = &flows[0];
    assert_eq!((&flow.execution_id, &flow.payload), (&id, &payload));
    assert_eq!(flow.path, "/api/x_acme/onboarding/start");
    assert_eq!(
        (flow.method.as_str(), flow.query.as_str(), flow.user.as_str()),
        ("POST", "dry=1", "admin")
    );

    let context = instance.get(&format!("/api/now/table/sys_flow_context/{id}")).await.result();
    assert_eq!(context["state"], "COMPLETE");
    assert_eq!(context["name"], "/api/x_acme/onboarding/start");
}

#[tokio::test]
async fn any_verb_and_any_body_start_a_flow() {
    let instance = Instance::start().await;
    for (verb, body, payload) in [
        ("GET", "", Value::Null),
        ("PUT", "plain text", json!("plain text")),
        ("DELETE", "[1]", json!([1])),
    ] {
        let request = instance.request(verb, "/api/global/v1/flow").body(body);
        assert_eq!(Answer::of(request).await.status, 200, "{verb}");
        assert_eq!(instance.sandbox.flows().last().unwrap().payload, payload, "{verb}");
    }
}

#[tokio::test]
async fn the_admin_endpoint_lists_flows() {
    let instance = Instance::start().await;
    instance.send("POST", "/api/acme/flow", json!({"a": "b"})).await;
    let flows = Answer::of(instance.bare_request("GET", "/sandbox/flows")).await.json();
    assert_eq!(flows["flows"][0]["payload"], json!({"a": "b"}));
    assert_eq!(flows["flows"][0]["at"], "2026-03-02T12:00:00Z");
}
