//! The open endpoint, for development.

use serde_json::json;

use super::{rig::Rig, wire::Request};
use crate::support::gateway::Settings;

#[tokio::test]
async fn an_open_endpoint_takes_everybody_and_whatever_credentials_clients_bring() {
    let rig = Rig::with("[inbound]\nopen = true", Settings::default()).await;
    let start = Request::post("/v2/process-instances", &json!({"processDefinitionId": "order"}));
    for request in [
        start.clone(),
        start.clone().header("authorization", ""),
        start.clone().header("authorization", "Bearer whatever"),
        start.basic("demo", "demo"),
    ] {
        rig.send(&request).await.expect(200);
    }
    let await_it =
        json!({"processDefinitionId": "echo", "awaitCompletion": true, "tenantId": "hr"});
    rig.send(&Request::post("/v2/process-instances", &await_it)).await.expect(200);
}
