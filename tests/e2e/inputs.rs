//! What is wrong in a process ends in an incident with retries 0, at once and without a call.

use serde_json::{Value, json};

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

/// Starts an instance that must end in one more incident, and takes it away again.
async fn raises_an_incident(stage: &Stage, inputs: Value) {
    let before = incidents(stage).await;
    let instance = stage.client.start("record", &inputs).await;
    eventually("an incident", seconds(20), async || {
        let now = incidents(stage).await;
        assert!(now <= before + 1.0, "more than one incident");
        (now > before).then_some(())
    })
    .await;
    stage.client.cancel(instance).await;
}

async fn incidents(stage: &Stage) -> f64 {
    let created = &["action=\"created\""];
    stage.engine.figures().await.sum("zeebe_incident_events_total", created)
}

#[tokio::test]
async fn wrong_inputs_raise_an_incident_whose_message_names_them() {
    let stage = Stage::on_the_broker().await;
    let worker = stage.worker();
    let wrong = [
        (json!({"operation": "create", "fields": {}}), "table"),
        (json!({"operation": "create", "table": "../sys_user", "fields": {}}), "table"),
        (json!({"operation": "get", "table": "incident", "sysId": "zzz"}), "sysId"),
        (json!({"operation": "get", "table": "incident"}), "number"),
        (json!({"operation": "explode", "table": "incident"}), "operation"),
        (json!({"operation": "count", "table": "incident", "connection": "nowhere"}), "connection"),
    ];
    for (inputs, named) in wrong {
        raises_an_incident(&stage, inputs.clone()).await;
        let log = worker.log();
        let line = log.lines().rfind(|line| line.contains("SN_INVALID_INPUT"));
        let line = line.unwrap_or_else(|| panic!("no such reason for {inputs}:\n{log}"));
        assert!(line.contains(named), "'{named}' is not named for {inputs}: {line}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_there_raises_an_incident_without_further_attempts() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let sys_id = "00000000000000000000000000000000";

    raises_an_incident(&stage, json!({"operation": "get", "table": "incident", "sysId": sys_id}))
        .await;
}
