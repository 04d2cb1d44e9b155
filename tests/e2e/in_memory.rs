//! The odd gateway: no long polling, a stream that wants to hear the tenant, a movable clock.

use serde_json::{Value, json};

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

#[tokio::test]
async fn the_main_path_works() {
    let stage = Stage::in_memory().await;
    let mut worker = stage.worker();

    let variables = stage.client.run("mapping", &json!({"title": "in memory"})).await;

    assert_eq!(variables["result"]["outcome"], "created", "{variables}");
    assert_eq!(variables["ticket"], variables["result"]["number"]);
    let records = stage.sandbox.incidents("short_description", "in memory");
    assert_eq!(records.len(), 1);
    eventually("a job is pushed", seconds(30), async || {
        stage
            .client
            .run("record", &json!({"operation": "count", "table": "incident", "query": ""}))
            .await;
        let pushed = worker.figures().await.sum("snc_jobs_activated_total", &["source=\"push\""]);
        (pushed >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_incident_carries_the_reason_and_the_name_of_what_is_wrong() {
    let stage = Stage::in_memory().await;
    let _worker = stage.worker();
    let inputs = json!({"operation": "create", "table": "no such table", "fields": {}});

    let instance = stage.client.start("record", &inputs).await;

    let incident = eventually("an incident", seconds(20), async || {
        let incidents = stage.engine.events("INCIDENT", "CREATED").await;
        incidents.into_iter().find(|incident| incident["processInstanceKey"] == instance)
    })
    .await;
    assert_eq!(incident["errorType"], "JOB_NO_RETRIES", "{incident}");
    let message = incident["errorMessage"].as_str().unwrap();
    assert!(message.contains("SN_INVALID_INPUT") && message.contains("table"), "{message}");
}

#[tokio::test]
async fn an_outage_keeps_the_retries_and_the_job_comes_back_after_the_time_asked_for() {
    let stage = Stage::in_memory().await;
    let worker = stage.worker();
    stage.sandbox.refuse_one_insert(503, 3600);
    let instance = stage
        .client
        .start("batch", &json!({"title": "postponed", "reportType": "e2e:postponed"}))
        .await;
    let failed = eventually("a failure", seconds(20), async || {
        let failures = stage.engine.events("JOB", "FAILED").await;
        failures.into_iter().find(|job| job["processInstanceKey"] == instance)
    })
    .await;
    assert_eq!(failed["retries"], 3, "{failed}");
    assert!(failed["retryBackoff"].as_u64().unwrap() >= 3_600_000, "{failed}");

    // The engine's clock can be set, the worker's cannot: it would hold its calls back for the
    // whole hour. A worker that starts after it does not.
    drop(worker);
    // Back-offs are stretched a little, so that jobs do not come back all at once.
    stage.engine.increase_time("PT2H").await;
    let _worker = stage.worker();

    let job = eventually("the job is done", seconds(20), async || {
        stage.client.take("e2e:postponed", 1).await.pop()
    })
    .await;
    assert_eq!(job.variables["result"]["outcome"], "created");
    stage.client.complete(&job).await;
}

#[tokio::test]
async fn a_gateway_that_answers_polls_at_once_is_not_asked_without_pause() {
    let stage = Stage::in_memory().await;
    let before = polls(&stage).await.len();
    let _worker = stage.worker();

    let times = eventually("some polls", seconds(60), async || {
        let times = polls(&stage).await.split_off(before);
        (times.len() >= 8).then_some(times)
    })
    .await;

    let took = times[7] - times[0];
    assert!(took >= 500, "eight polls for one job type within {took} ms");
}

/// When the engine was asked for record jobs, in milliseconds.
async fn polls(stage: &Stage) -> Vec<u64> {
    let commands = stage.engine.commands("JOB_BATCH", "ACTIVATE").await;
    let ours = commands.iter().filter(|command| command["value"]["type"] == "servicenow:record:1");
    ours.map(|command: &Value| command["timestamp"].as_u64().unwrap()).collect()
}
