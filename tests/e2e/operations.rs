//! Every operation, from a process instance to a record and back into its variables.

use serde_json::{Value, json};

use crate::support::stage::Stage;

/// Runs the generic process and gives the result.
async fn run(stage: &Stage, inputs: Value) -> Value {
    stage.client.run("record", &inputs).await["result"].take()
}

#[tokio::test]
async fn create_makes_one_record_with_the_fields_given() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let fields = json!({"short_description": "Ärger \"quoted\" & <tagged>", "urgency": 1});
    let inputs = json!({"operation": "create", "table": "incident", "fields": fields});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "created", "{result}");
    assert!(result["number"].as_str().unwrap().starts_with("INC"), "{result}");
    let records = stage.sandbox.incidents("short_description", "Ärger \"quoted\" & <tagged>");
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["sys_id"], result["sysId"]);
    assert_eq!(records[0]["urgency"], "1");
    assert_ne!(records[0]["correlation_id"], "");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_adopts_the_record_that_is_there() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    stage.sandbox.lose_one_answer();
    let inputs = json!({"operation": "create", "table": "incident",
        "fields": {"short_description": "said once"}});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "adopted", "{result}");
    let records = stage.sandbox.incidents("short_description", "said once");
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["sys_id"], result["sysId"]);
}

#[tokio::test]
async fn a_template_renders_the_fields_and_explicit_ones_win() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let template = r#"{"short_description": "{{title}}", "urgency": "{{urgency}}"}"#;
    let inputs = json!({"operation": "create", "table": "incident", "fieldsTemplate": template,
        "templateData": {"title": "a \"quoted\" title", "urgency": 3},
        "fields": {"urgency": 1}});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "created", "{result}");
    let records = stage.sandbox.incidents("short_description", "a \"quoted\" title");
    assert_eq!(records[0]["urgency"], "1", "{records:?}");
}

#[tokio::test]
async fn an_update_to_what_is_there_already_is_unchanged() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let incident = stage.sandbox.incident("as it was").await;
    let inputs = json!({"operation": "update", "table": "incident", "number": incident["number"],
        "fields": {"short_description": "as it was"}});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "unchanged", "{result}");
}

#[tokio::test]
async fn a_field_that_servicenow_drops_is_a_warning_in_the_result() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let inputs = json!({"operation": "create", "table": "incident",
        "fields": {"short_description": "warned", "u_nowhere": "x"}});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "created", "{result}");
    assert!(result["warnings"][0].as_str().unwrap().contains("u_nowhere"), "{result}");
}

#[tokio::test]
async fn get_reads_a_record_by_id_and_by_number() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let incident = stage.sandbox.incident("printer on fire").await;

    let by_id = json!({"operation": "get", "table": "incident", "sysId": incident["sys_id"]});
    let by_number = json!({"operation": "get", "table": "incident", "number": incident["number"],
        "select": ["short_description", "state"], "displayValue": "all"});
    let (by_id, by_number) = (run(&stage, by_id).await, run(&stage, by_number).await);

    assert_eq!(by_id["outcome"], "read", "{by_id}");
    assert_eq!(by_id["record"]["short_description"], "printer on fire", "{by_id}");
    assert_eq!(by_number["sysId"], incident["sys_id"], "{by_number}");
    assert_eq!(by_number["record"]["state"]["display_value"], "New", "{by_number}");
}

#[tokio::test]
async fn find_pages_through_all_matches_up_to_the_limit() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    for number in 0..25 {
        stage.sandbox.incident(&format!("leak {number:02}")).await;
    }
    let inputs = |limit| {
        json!({"operation": "find", "table": "incident", "limit": limit,
            "query": [{"field": "short_description", "op": "startsWith", "value": "leak "}],
            "orderBy": "short_description desc", "select": ["short_description"]})
    };

    let (all, some) = (run(&stage, inputs(1000)).await, run(&stage, inputs(7)).await);

    assert_eq!(all["outcome"], "found", "{all}");
    assert_eq!(all["records"].as_array().unwrap().len(), 25);
    assert_eq!(all["records"][0]["short_description"], "leak 24", "{all}");
    assert_eq!(some["records"].as_array().unwrap().len(), 7);
    assert_eq!(some["count"], 7, "{some}");
}

#[tokio::test]
async fn update_changes_the_fields_given_and_no_others() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let incident = stage.sandbox.incident("slow").await;
    let id = incident["sys_id"].as_str().unwrap();
    let inputs = json!({"operation": "update", "table": "incident", "sysId": id,
        "fields": {"urgency": "2", "work_notes": "looked at it"}});

    let result = run(&stage, inputs).await;

    assert_eq!(result["outcome"], "updated", "{result}");
    let records = stage.sandbox.incidents("sys_id", id);
    assert_eq!(records[0]["urgency"], "2");
    assert_eq!(records[0]["short_description"], "slow");
}

#[tokio::test]
async fn upsert_creates_first_and_updates_then() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let inputs = |urgency| {
        json!({"operation": "upsert", "table": "incident", "matchOn": ["correlation_id"],
            "fields": {"correlation_id": "order-4711", "short_description": "once", "urgency": urgency}})
    };

    let (first, second) = (run(&stage, inputs("3")).await, run(&stage, inputs("1")).await);

    assert_eq!((&first["outcome"], &second["outcome"]), (&json!("created"), &json!("updated")));
    assert_eq!(first["sysId"], second["sysId"]);
    let records = stage.sandbox.incidents("correlation_id", "order-4711");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["urgency"], "1");
}

#[tokio::test]
async fn delete_of_a_record_that_is_gone_succeeds_as_well() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let incident = stage.sandbox.incident("obsolete").await;
    let id = incident["sys_id"].as_str().unwrap();
    let inputs = json!({"operation": "delete", "table": "incident", "sysId": id});

    let (first, second) = (run(&stage, inputs.clone()).await, run(&stage, inputs).await);

    assert_eq!((&first["outcome"], &second["outcome"]), (&json!("deleted"), &json!("absent")));
    assert!(stage.sandbox.incidents("sys_id", id).is_empty());
}

#[tokio::test]
async fn count_counts_what_the_query_finds() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    for _ in 0..3 {
        stage.sandbox.incident("counted").await;
    }
    let inputs = json!({"operation": "count", "table": "incident",
        "query": {"short_description": "counted", "active": true}});

    let result = run(&stage, inputs).await;

    assert_eq!((&result["outcome"], &result["count"]), (&json!("counted"), &json!(3)), "{result}");
}

#[tokio::test]
async fn a_flow_starts_with_its_payload_and_answers_its_execution() {
    let stage = Stage::on_the_broker().await;
    let _worker = stage.worker();
    let inputs = json!({"path": "/api/x_acme/onboarding/start",
        "payload": {"employee": "e-7", "amount": 12.50, "tags": ["a", "b"]}});

    let mut variables = stage.client.run("flow", &inputs).await;

    let result = variables["result"].take();
    assert_eq!(result["outcome"], "started", "{result}");
    let execution = result["executionId"].as_str().unwrap();
    let payload = stage.sandbox.flow_payload(execution).unwrap();
    assert_eq!(payload["employee"], "e-7", "{payload}");
    assert_eq!(payload["tags"], json!(["a", "b"]), "{payload}");
}
