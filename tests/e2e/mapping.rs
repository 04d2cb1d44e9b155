//! What a task's headers make of a result or an error.

use serde_json::{Value, json};

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

/// A well-formed id of no record.
const NOBODY: &str = "00000000000000000000000000000000";

#[tokio::test]
async fn a_result_is_mapped_by_variable_expression_and_path() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();

    let variables = stage.client.run("mapping", &json!({"title": "mapped"})).await;

    let result = &variables["result"];
    assert_eq!(result["outcome"], "created", "{variables}");
    assert_eq!(variables["ticket"], result["number"]);
    assert_eq!(variables["id"], result["sysId"]);
    assert_eq!(variables["prioritized"], "planning");
    assert_eq!(variables["state"], "1");
    let url = variables["address"].as_str().unwrap();
    assert!(url.starts_with(&stage.sandbox.address), "{url}");
}

#[tokio::test]
async fn a_boundary_event_catches_an_error_by_its_reason() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();

    let variables = stage.client.run("error-by-reason", &json!({"sysId": NOBODY})).await;

    assert_eq!(variables["caught"], "SN_RECORD_NOT_FOUND", "{variables}");
}

#[tokio::test]
async fn a_boundary_event_catches_what_an_expression_throws_with_its_variables() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();

    let variables = stage.client.run("error-by-expression", &json!({"sysId": NOBODY})).await;

    assert_eq!(variables["caught"], "SN_RECORD_NOT_FOUND", "{variables}");
}

#[tokio::test]
async fn an_expression_can_end_the_job_in_spite_of_an_error() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();

    let variables = stage.client.run("ignore-error", &json!({"sysId": NOBODY})).await;

    assert_eq!(variables["ignored"], "SN_RECORD_NOT_FOUND", "{variables}");
}

#[tokio::test]
async fn a_job_error_is_tried_again_after_its_back_off_and_can_succeed() {
    let stage = Stage::on_the_broker().await;
    let worker = stage.worker();
    let id = "0123456789abcdef0123456789abcdef";
    let before = failures(&stage).await;
    let running = {
        let client = stage.client.clone();
        tokio::spawn(async move { client.run("job-error", &json!({"sysId": id})).await })
    };
    eventually("a first failure", seconds(20), async || {
        (failures(&stage).await > before).then_some(())
    })
    .await;

    stage.sandbox.insert("incident", json!({"sys_id": id, "short_description": "late"})).await;

    let variables: Value = running.await.unwrap();
    assert_eq!(variables["result"]["sysId"], id, "{variables}\n{}", worker.log());
}

/// How many failures of our jobs the broker has counted.
async fn failures(stage: &Stage) -> f64 {
    let labels = &["action=\"failed\"", "type=\"servicenow:record:1\""];
    stage.engine.figures().await.sum("zeebe_job_events_total", labels)
}
