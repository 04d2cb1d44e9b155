//! Killed in the middle of what ServiceNow would do twice: it is done once.

use serde_json::json;

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

#[tokio::test]
async fn a_worker_killed_in_the_update_of_a_work_note_leaves_one_note() {
    let stage = Stage::on_the_broker().await;
    let incident = stage.sandbox.incident("noted").await;
    let mut worker = stage.worker();
    stage.sandbox.answer_one_update_late();
    let inputs = json!({"operation": "update", "table": "incident", "sysId": incident["sys_id"],
        "fields": {"work_notes": "called\nback", "urgency": 1}});
    let kill = async {
        eventually("the note is written", seconds(30), async || {
            (!stage.sandbox.notes(&incident["sys_id"]).is_empty()).then_some(())
        })
        .await;
        worker.crash_and_restart().await;
    };

    let (mut variables, ()) = tokio::join!(stage.client.run("record", &inputs), kill);

    let result = variables["result"].take();
    assert_eq!(result["outcome"], "updated", "{result}");
    assert!(result["warnings"].to_string().contains("by an earlier attempt"), "{result}");
    assert_eq!(stage.sandbox.notes(&incident["sys_id"]), [json!("called\nback")]);
    assert_eq!(stage.sandbox.incidents("short_description", "noted")[0]["urgency"], "1");
    assert_eq!(variables.get("serviceNowIntent"), None, "it stays with the task");
}

#[tokio::test]
async fn a_worker_killed_in_a_start_at_most_once_starts_nothing_again() {
    let stage = Stage::on_the_broker().await;
    let mut worker = stage.worker();
    let path = "/api/x_acme/onboarding/once";
    stage.sandbox.answer_one_start_late(path);
    let inputs = json!({"path": path, "payload": {"employee": "e-7"}, "delivery": "at_most_once"});
    let instance = stage.client.start("flow", &inputs).await;
    eventually("the flow starts", seconds(30), async || {
        (stage.sandbox.starts(path) > 0).then_some(())
    })
    .await;

    worker.crash_and_restart().await;

    eventually("the job fails", seconds(60), async || {
        worker.log().contains("SN_OUTCOME_UNKNOWN").then_some(())
    })
    .await;
    assert_eq!(stage.sandbox.starts(path), 1);
    stage.client.cancel(instance).await;
}
