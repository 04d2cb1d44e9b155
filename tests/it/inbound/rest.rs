//! Camunda's REST shapes: what reaches the broker, and what comes back.

use serde_json::{Value, json};
use servicenow_worker::zeebe::proto::{
    self, process_instance_creation_runtime_instruction::Instruction,
};

use super::{
    rig::{CREDENTIALS, Endpoint, Rig},
    wire::Request,
};
use crate::support::{
    eventually,
    gateway::{Call, Rpc, ScriptedGateway, Settings},
};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_start_by_id_carries_everything_and_answers_with_every_field() {
    let rig = Rig::start("").await;
    rig.deploy_order_again();
    rig.deploy_order_again();
    let reply = rig
        .post(
            "/v2/process-instances",
            &json!({
                "processDefinitionId": "order", "processDefinitionVersion": 2,
                "variables": {"n": 1}, "tenantId": "hr", "operationReference": 17,
                "tags": ["urgent"],
            }),
        )
        .await
        .expect(200);
    assert_eq!(
        keys(&reply.body),
        [
            "processDefinitionId",
            "processDefinitionVersion",
            "processDefinitionKey",
            "processInstanceKey",
            "tenantId",
            "variables",
            "tags",
            "businessId"
        ]
    );
    assert_eq!(reply.body["processInstanceKey"], rig.running_key());
    assert_eq!(
        (&reply.body["processDefinitionVersion"], &reply.body["tenantId"]),
        (&json!(2), &json!("hr"))
    );
    assert!(reply.engine_key("processDefinitionKey") < reply.engine_key("processInstanceKey"));
    assert_eq!(reply.body["variables"], json!({}));
    assert_eq!(
        (&reply.body["tags"], &reply.body["businessId"]),
        (&json!(["urgent"]), &Value::Null)
    );
    let calls = rig.calls();
    let [Call::Create(request)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((request.bpmn_process_id.as_str(), request.version), ("order", 2));
    assert_eq!((request.variables.as_str(), request.tenant_id.as_str()), (r#"{"n":1}"#, "hr"));
    assert_eq!(
        (request.operation_reference, &request.tags[..]),
        (Some(17), &["urgent".to_owned()][..])
    );
}

#[tokio::test]
async fn instructions_reach_the_broker_and_its_refusal_the_caller() {
    let rig = Rig::start("").await;
    let body = json!({
        "processDefinitionId": "order",
        "startInstructions": [{"elementId": "here"}],
        "runtimeInstructions": [
            {"type": "TERMINATE_PROCESS_INSTANCE", "afterElementId": "there"},
        ],
    });
    let reply = rig.post("/v2/process-instances", &body).await.expect(400);
    assert_eq!(reply.title(), "INVALID_ARGUMENT");
    assert!(reply.detail().contains("the dev engine begins at the start"), "{}", reply.detail());
    let calls = rig.calls();
    let [Call::Create(request)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(request.start_instructions[0].element_id, "here");
    let there = proto::TerminateProcessInstanceInstruction { after_element_id: "there".to_owned() };
    assert_eq!(request.runtime_instructions[0].instruction, Some(Instruction::Terminate(there)));
    assert!(rig.running().is_empty());
}

#[tokio::test]
async fn what_official_clients_send_unasked_is_taken() {
    let rig = Rig::start("").await;
    let node = json!({
        "processDefinitionId": "order", "processDefinitionVersion": -1, "awaitCompletion": false,
        "requestTimeout": 0, "tenantId": "<default>",
    });
    let reply = rig.post("/v2/process-instances", &node).await.expect(200);
    let key = reply.engine_key("processDefinitionKey");
    let spoke = json!({
        "processDefinitionId": "order", "processDefinitionVersion": "", "tenantId": "",
        "operationReference": "42", "awaitCompletion": "false", "variables": "{\"n\": \"1\"}",
    });
    rig.post("/v2/process-instances", &spoke).await.expect(200);
    let by_key = json!({"processDefinitionKey": key.to_string()});
    rig.post("/v2/process-instances", &by_key).await.expect(200);
    let by_number = json!({"processDefinitionKey": key});
    rig.post("/v2/process-instances", &by_number).await.expect(200);
    let versions: Vec<_> = rig
        .calls()
        .into_iter()
        .map(|call| match call {
            Call::Create(request) => (request.version, request.process_definition_key),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(versions, [(-1, 0), (-1, 0), (0, key), (0, key)]);
}

#[tokio::test]
async fn an_awaited_start_brings_the_variables_and_waits_no_longer_than_the_limit() {
    let rig = Rig::start("limits = { await_completion = \"5s\" }").await;
    let body = r#"{"processDefinitionId": "echo", "awaitCompletion": true,
                   "requestTimeout": 60000, "variables": {"total": 12.50, "n": 1},
                   "fetchVariables": ["total"]}"#;
    let body: Value = serde_json::from_str(body).unwrap();
    let reply = rig.post("/v2/process-instances", &body).await.expect(200);
    // As brokers keep it: a double.
    assert_eq!(reply.body["variables"].to_string(), r#"{"total":12.5}"#);
    let calls = rig.calls();
    let [Call::CreateWithResult(request)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(
        (request.request_timeout, &request.fetch_variables[..]),
        (5_000, &["total".to_owned()][..])
    );
    let sent = request.request.as_ref().unwrap();
    assert_eq!(sent.variables, r#"{"total":12.50,"n":1}"#, "digit for digit");

    let endless = json!({
        "processDefinitionId": "order", "awaitCompletion": "true", "requestTimeout": 50,
    });
    let reply = rig.post("/v2/process-instances", &endless).await.expect(504);
    assert_eq!(reply.title(), "DEADLINE_EXCEEDED");
    assert!(reply.detail().contains("goes on"), "{}", reply.detail());
    assert_eq!(rig.running(), ["order"]);
}

#[tokio::test]
async fn a_cancellation_needs_no_body_and_says_when_there_is_nothing_to_cancel() {
    let rig = Rig::start("").await;
    let started = rig
        .post("/v2/process-instances", &json!({"processDefinitionId": "order"}))
        .await
        .expect(200);
    let path = format!(
        "/v2/process-instances/{}/cancellation",
        started.body["processInstanceKey"].as_str().unwrap()
    );
    let reply = rig.send(&Request::new("POST", &path).by_flows()).await.expect(204);
    assert_eq!(reply.body, Value::Null);
    assert!(rig.running().is_empty());
    let reply = rig.post(&path, &json!({"operationReference": "7"})).await.expect(404);
    assert_eq!(reply.title(), "NOT_FOUND");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.body["instance"], path);
}

#[tokio::test]
async fn a_publication_and_a_signal_answer_with_their_keys() {
    let rig = Rig::start("").await;
    let body = json!({
        "name": "paid", "correlationKey": "INC1", "timeToLive": 60_000, "messageId": "m1",
        "variables": {"ok": true}, "tenantId": "hr",
    });
    let reply = rig.post("/v2/messages/publication", &body).await.expect(200);
    let key = reply.engine_key("messageKey").to_string();
    assert_eq!(reply.body, json!({"tenantId": "hr", "messageKey": key}));
    let reply = rig
        .post("/v2/signals/broadcast", &json!({"signalName": "alarm", "variables": {"a": 1}}))
        .await
        .expect(200);
    let key = reply.engine_key("signalKey").to_string();
    assert_eq!(reply.body, json!({"tenantId": "<default>", "signalKey": key}));
    let expected = proto::PublishMessageRequest {
        name: "paid".to_owned(),
        correlation_key: "INC1".to_owned(),
        time_to_live: 60_000,
        message_id: "m1".to_owned(),
        variables: r#"{"ok":true}"#.to_owned(),
        tenant_id: "hr".to_owned(),
        business_id: None,
    };
    let signal = proto::BroadcastSignalRequest {
        signal_name: "alarm".to_owned(),
        variables: r#"{"a":1}"#.to_owned(),
        tenant_id: "<default>".to_owned(),
    };
    assert_eq!(rig.calls(), [Call::Publish(expected), Call::Broadcast(signal)]);
}

#[tokio::test]
async fn a_correlation_becomes_a_message_that_waits_and_says_so() {
    let rig = Rig::start("").await;
    let body = json!({"name": "approved", "correlationKey": "abc", "tenantId": "<default>"});
    let reply = rig.post("/v2/messages/correlation", &body).await.expect(200);
    assert_eq!(reply.header("x-correlation-mode"), Some("buffered"));
    assert_eq!(keys(&reply.body), ["tenantId", "messageKey", "processInstanceKey"]);
    let calls = rig.calls();
    let [Call::Publish(request)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(request.time_to_live, 24 * 3_600 * 1_000);
    assert!(!request.message_id.is_empty(), "it can be sent again by us");
}

#[tokio::test]
async fn a_correlation_is_refused_where_the_setting_says_so() {
    let rig = Rig::start("correlation = \"refuse\"").await;
    let body = json!({"name": "approved", "correlationKey": "abc"});
    let reply = rig.post("/v2/messages/correlation", &body).await.expect(501);
    assert!(reply.detail().contains("publish them"), "{}", reply.detail());
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn the_topology_has_the_fields_of_old_and_new_clients() {
    let gateway = Settings { version: "8.8.0".to_owned(), ..Settings::default() };
    let rig = Rig::with(&format!("[inbound]\n{CREDENTIALS}"), gateway).await;
    let reply = rig.send(&Request::new("GET", "/v2/topology").by_flows()).await.expect(200);
    let expected = json!({
        "brokers": [{
            "nodeId": 0, "brokerId": "0", "host": "", "port": 0, "version": "8.8.0",
            "partitions": [
                {"partitionId": 1, "role": "leader", "health": "healthy", "state": "active"},
            ],
        }],
        "clusterId": null, "clusterSize": 1, "partitionsCount": 1, "replicationFactor": 1,
        "gatewayVersion": "8.8.0", "lastCompletedChangeId": "-1",
    });
    assert_eq!(reply.body, expected);
}

#[tokio::test]
async fn license_and_status_need_no_credential_and_ask_nobody() {
    let rig = Rig::start("").await;
    let reply = rig.send(&Request::new("GET", "/v2/license")).await.expect(200);
    assert_eq!(keys(&reply.body), ["validLicense", "licenseType", "isCommercial", "expiresAt"]);
    // The endpoint asks for the topology by itself, once at its start.
    let status = Request::new("GET", "/v2/status");
    loop {
        let reply = rig.send(&status).await;
        if reply.status == 204 {
            break;
        }
        reply.expect(503);
    }
    let before = rig.gateway.counters().topologies.get();
    for _ in 0..20 {
        rig.send(&status).await.expect(204);
    }
    assert_eq!(rig.gateway.counters().topologies.get(), before);
}

#[tokio::test]
async fn the_status_is_503_before_the_gateway_has_answered() {
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    gateway.go_away().await;
    let endpoint = Endpoint::start(&format!("[inbound]\n{CREDENTIALS}"), &gateway).await;
    let reply = endpoint.send(&Request::new("GET", "/v2/status")).await.expect(503);
    assert_eq!(reply.title(), "UNAVAILABLE");
    assert!(reply.header("retry-after").is_some());
}

#[tokio::test]
async fn the_path_prefix_stands_before_every_path() {
    let rig = Rig::start("path_prefix = \"/camunda/sn/\"").await;
    rig.send(&Request::new("GET", "/camunda/sn/v2/license")).await.expect(200);
    rig.send(&Request::new("GET", "/v2/license")).await.expect(404);
}

#[tokio::test]
async fn what_the_broker_says_reaches_the_caller_with_the_status_that_clients_know() {
    use crate::support::gateway::Fault::Refuse;
    use tonic::Status;
    let rig = Rig::start("").await;
    let table = [
        (Status::invalid_argument("variables"), 400, "INVALID_ARGUMENT"),
        (Status::failed_precondition("no none start event"), 409, "INVALID_STATE"),
        (Status::resource_exhausted("back-pressure"), 503, "RESOURCE_EXHAUSTED"),
        (Status::unavailable("no leader"), 503, "UNAVAILABLE"),
        (Status::permission_denied("tenant"), 403, "FORBIDDEN"),
        (Status::unauthenticated("token"), 502, "UNAUTHENTICATED"),
        (Status::internal("oops"), 503, "UNAVAILABLE"),
    ];
    for (status, code, title) in table {
        rig.gateway.script(Rpc::Create, 1, Refuse(status));
        let body = json!({"processDefinitionId": "order"});
        let reply = rig.post("/v2/process-instances", &body).await.expect(code);
        assert_eq!(reply.title(), title);
        assert_eq!(reply.header("retry-after").is_some(), code == 503, "{reply:?}");
    }
}

#[tokio::test]
async fn every_call_is_counted() {
    let rig = Rig::start("").await;
    rig.send(&Request::new("GET", "/v2/license")).await.expect(200);
    rig.send(&Request::new("GET", "/nowhere")).await.expect(404);
    let metrics = &rig.endpoint.metrics;
    eventually("the figures show both", || {
        let text = metrics.encode().unwrap();
        let count = "snc_inbound_request_duration_seconds_count";
        text.contains(&format!(r#"{count}{{operation="license",status="200"}} 1"#))
            && text.contains(&format!(r#"{count}{{operation="none",status="404"}} 1"#))
    })
    .await;
}
