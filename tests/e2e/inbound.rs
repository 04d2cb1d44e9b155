//! Round trips through the inbound endpoint: HTTP in, instances on the real broker out.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::{Notify, RwLock};
use tokio_util::sync::CancellationToken;

use crate::support::{
    endpoint::Endpoint,
    gateway::Taken,
    http,
    patience::{eventually, seconds},
    stage::Stage,
};

/// A name that no earlier run has used: the broker remembers keys.
fn fresh(name: &str) -> String {
    format!("{name}-{:08x}", fastrand::u32(..))
}

async fn endpoint(stage: &Stage, name: &str) -> Endpoint {
    Endpoint::start(stage.directory(), name, stage.engine.gateway()).await
}

/// All instances that report, until there are no more; completed, so that none is left.
async fn reports(stage: &Stage, report_type: &str) -> Vec<Taken> {
    let mut reports = eventually("a first report", seconds(30), async || {
        let jobs = stage.client.take(report_type, 100).await;
        (!jobs.is_empty()).then_some(jobs)
    })
    .await;
    // Each question waits at the broker.
    for _ in 0..4 {
        reports.extend(stage.client.take(report_type, 100).await);
    }
    for job in &reports {
        stage.client.complete(job).await;
    }
    reports
}

async fn one_report(stage: &Stage, report_type: &str) -> Taken {
    let mut reports = reports(stage, report_type).await;
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

/// No instance reports.
async fn no_report(stage: &Stage, report_type: &str) {
    for _ in 0..4 {
        let jobs = stage.client.take(report_type, 1).await;
        assert!(jobs.is_empty(), "{jobs:?}");
    }
}

#[tokio::test]
async fn an_instance_is_started_awaited_and_cancelled() {
    let stage = Stage::on_the_broker().await;
    let endpoint = endpoint(&stage, "one").await;
    let report = fresh("start");
    let start = json!({
        "processDefinitionId": "inbound-plain", "processDefinitionVersion": "",
        "variables": {"reportType": report, "n": 1},
    });
    let (status, started) = endpoint.post("/v2/process-instances", None, &start).await;
    assert_eq!(status, 200, "{started}");
    let job = one_report(&stage, &report).await;
    assert_eq!(started["processInstanceKey"], job.process_instance_key.to_string());
    assert_eq!(job.variables["n"], 1);

    let echo = json!({
        "processDefinitionId": "inbound-echo", "awaitCompletion": true,
        "variables": "{\"total\": 12}",
    });
    let (status, ended) = endpoint.post("/v2/process-instances", None, &echo).await;
    assert_eq!((status, ended["variables"].to_string().as_str()), (200, r#"{"total":12}"#));

    let (_, started) = endpoint.post("/v2/process-instances", None, &start).await;
    let path = format!(
        "/v2/process-instances/{}/cancellation",
        started["processInstanceKey"].as_str().unwrap()
    );
    assert_eq!(endpoint.post(&path, None, &json!({})).await.0, 204);
    no_report(&stage, &report).await;
    let (status, problem) = endpoint.post(&path, None, &json!({})).await;
    assert_eq!((status, &problem["title"]), (404, &json!("NOT_FOUND")));

    let missing = json!({"processDefinitionId": "there-is-none"});
    let (status, problem) = endpoint.post("/v2/process-instances", None, &missing).await;
    assert_eq!((status, &problem["title"]), (404, &json!("NOT_FOUND")));
    let message_start = json!({"processDefinitionId": "inbound-message"});
    let (status, problem) = endpoint.post("/v2/process-instances", None, &message_start).await;
    assert_eq!((status, &problem["title"]), (409, &json!("INVALID_STATE")), "{problem}");
}

#[tokio::test]
async fn a_message_published_twice_with_one_key_starts_one_instance_even_after_its_end() {
    let stage = Stage::on_the_broker().await;
    let (one, two) = (endpoint(&stage, "one").await, endpoint(&stage, "two").await);
    let (report, key) = (fresh("publish"), fresh("key"));
    let message = json!({"name": "e2e.started", "variables": {"reportType": report}});
    let path = "/v2/messages/publication";
    let (status, first) = one.post(path, Some(&key), &message).await;
    assert_eq!(status, 200, "{first}");
    let (status, copy) = two.post(path, Some(&key), &message).await;
    assert_eq!((status, &copy["messageKey"]), (200, &json!("-1")));
    one_report(&stage, &report).await;
    // The instance has ended; the broker still knows the message.
    assert_eq!(two.post(path, Some(&key), &message).await.0, 200);
    no_report(&stage, &report).await;
}

#[tokio::test]
async fn a_callback_that_comes_before_its_catch_event_is_not_lost() {
    let stage = Stage::on_the_broker().await;
    let endpoint = endpoint(&stage, "one").await;
    let (report, gate, ticket) = (fresh("callback"), fresh("gate"), fresh("ticket"));
    let variables = json!({"reportType": report, "gateType": gate, "ticket": ticket});
    let start = json!({"processDefinitionId": "inbound-callback", "variables": variables});
    assert_eq!(endpoint.post("/v2/process-instances", None, &start).await.0, 200);
    let at_the_gate = eventually("the instance is at the gate", seconds(30), async || {
        stage.client.take(&gate, 1).await.pop()
    })
    .await;
    let callback =
        json!({"name": "e2e.callback", "correlationKey": ticket, "variables": {"state": "closed"}});
    let (status, answer) = endpoint.post("/v2/messages/correlation", None, &callback).await;
    assert_eq!((status, &answer["processInstanceKey"]), (200, &json!("-1")), "{answer}");
    stage.client.complete(&at_the_gate).await;
    assert_eq!(one_report(&stage, &report).await.variables["state"], "closed");
}

#[tokio::test]
async fn a_ticket_is_started_by_its_first_event_and_found_by_the_next() {
    let stage = Stage::on_the_broker().await;
    let endpoint = endpoint(&stage, "one").await;
    let (report, number) = (fresh("ticket"), fresh("INC"));
    let event = |count: i64| json!({"number": number, "count": count, "reportType": report});
    assert_eq!(endpoint.post("/inbound/ticket", None, &event(1)).await.0, 200);
    no_report(&stage, &report).await;
    assert_eq!(endpoint.post("/inbound/ticket", None, &event(1)).await.1["duplicate"], true);
    no_report(&stage, &report).await;
    assert_eq!(endpoint.post("/inbound/ticket", None, &event(2)).await.0, 200);
    assert_eq!(one_report(&stage, &report).await.variables["count"], 2);
}

#[tokio::test]
async fn a_signal_starts_who_waits_for_it() {
    let stage = Stage::on_the_broker().await;
    let endpoint = endpoint(&stage, "one").await;
    let report = fresh("signal");
    let signal = json!({"signalName": "e2e.alarm", "variables": {"reportType": report}});
    let (status, answer) = endpoint.post("/v2/signals/broadcast", None, &signal).await;
    assert_eq!(status, 200, "{answer}");
    one_report(&stage, &report).await;
}

#[tokio::test]
async fn the_wrapper_starts_a_process_with_a_plain_start_event_once() {
    let stage = Stage::on_the_broker().await;
    let (one, two) = (endpoint(&stage, "one").await, endpoint(&stage, "two").await);
    let report = fresh("wrapped");
    let order = json!({"event": fresh("event"), "reportType": report, "total": 12});
    let (status, first) = one.post("/inbound/wrapped", None, &order).await;
    assert_eq!((status, &first), (200, &json!({"result": "started", "duplicate": false})));
    let (status, copy) = two.post("/inbound/wrapped", None, &order).await;
    assert_eq!((status, &copy), (200, &json!({"result": "started", "duplicate": true})));
    let job = one_report(&stage, &report).await;
    assert_eq!(job.variables["total"], 12);
    assert_eq!(job.variables["servicenowStart"]["processId"], "inbound-plain");
    assert_eq!(two.post("/inbound/wrapped", None, &order).await.0, 200);
    no_report(&stage, &report).await;
    let (status, problem) = one.post("/inbound/wrapped-nothing", None, &order).await;
    assert_eq!((status, &problem["title"]), (404, &json!("NOT_FOUND")), "{problem}");
}

#[tokio::test]
async fn a_correlation_that_goes_on_to_the_cluster_finds_who_waits_and_says_when_nobody_does() {
    let stage = Stage::on_the_broker().await;
    let (gateway, rest) = (stage.engine.gateway(), stage.engine.rest());
    let endpoint = Endpoint::with_rest(stage.directory(), gateway, rest).await;
    let (report, gate, ticket) = (fresh("forward"), fresh("gate"), fresh("ticket"));
    let path = "/v2/messages/correlation";
    let callback = json!({"name": "e2e.callback", "correlationKey": ticket});
    let (status, problem) = endpoint.post(path, None, &callback).await;
    assert_eq!(status, 404, "{problem}");
    let variables = json!({"reportType": report, "gateType": gate, "ticket": ticket});
    let start = json!({"processDefinitionId": "inbound-callback", "variables": variables});
    let (_, started) = endpoint.post("/v2/process-instances", None, &start).await;
    let at_the_gate = eventually("the instance is at the gate", seconds(30), async || {
        stage.client.take(&gate, 1).await.pop()
    })
    .await;
    stage.client.complete(&at_the_gate).await;
    let answer = eventually("somebody waits for it", seconds(30), async || {
        let (status, answer) = endpoint.post(path, None, &callback).await;
        (status == 200).then_some(answer)
    })
    .await;
    assert_eq!(answer["processInstanceKey"], started["processInstanceKey"]);
    one_report(&stage, &report).await;
}

/// Sends 100 copies of one event to two replicas, of which one is killed in the middle and
/// started again: after the tenth answer, before the second half is sent. Every sender goes
/// on until it is told of success.
async fn a_hundred_copies(stage: &Stage, path: &str, body: &Value) {
    let first = RwLock::new(endpoint(stage, "first").await);
    let second = endpoint(stage, "second").await;
    let (answered, tenth, killing) = (AtomicUsize::new(0), Notify::new(), CancellationToken::new());
    let copy = async |number: usize| {
        if number >= 50 {
            killing.cancelled().await;
        }
        eventually("a copy is answered", seconds(60), async || {
            let address = if number.is_multiple_of(2) {
                first.read().await.address.clone()
            } else {
                second.address.clone()
            };
            match http::post(&format!("{address}{path}"), None, body).await {
                Some((200, _)) => Some(()),
                Some((503, _)) | None => None,
                Some(other) => panic!("{other:?}"),
            }
        })
        .await;
        if answered.fetch_add(1, Ordering::Relaxed) == 9 {
            tenth.notify_one();
        }
    };
    let copies = stream::iter(0..100).map(copy).buffer_unordered(20);
    let crash = async {
        tenth.notified().await;
        let mut first = first.write().await;
        killing.cancel();
        first.crash_and_restart().await;
    };
    let (done, ()) = tokio::join!(copies.count(), crash);
    assert_eq!(done, 100);
}

#[tokio::test]
async fn a_hundred_copies_of_a_message_start_with_a_kill_in_the_middle_start_one_instance() {
    let stage = Stage::on_the_broker().await;
    let report = fresh("copies");
    let body = json!({"event": fresh("event"), "reportType": report});
    a_hundred_copies(&stage, "/inbound/started", &body).await;
    one_report(&stage, &report).await;
}

#[tokio::test]
async fn a_hundred_copies_of_a_wrapped_start_with_a_kill_in_the_middle_start_one_instance() {
    let stage = Stage::on_the_broker().await;
    let report = fresh("wrapped-copies");
    let body = json!({"event": fresh("event"), "reportType": report});
    a_hundred_copies(&stage, "/inbound/wrapped", &body).await;
    one_report(&stage, &report).await;
}
