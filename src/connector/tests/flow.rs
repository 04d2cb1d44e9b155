//! Starting flows.

use serde_json::{Value, json};

use crate::{
    connector::{
        Effect,
        testing::{Run, answer, flow_job, refusal, run, secrets, silence},
    },
    job::Job,
    servicenow::{NoAnswerCause, Reply},
};

fn start(variables: Value, replies: impl IntoIterator<Item = Reply>) -> Run {
    let headers = json!({"resultVariable": "r"});
    let custom_headers = headers.as_object().unwrap().clone();
    run(Job { custom_headers, ..flow_job(variables) }, replies)
}

#[test]
fn a_payload_goes_to_the_path_and_the_execution_id_comes_back() {
    let started = answer(200, json!({"result": {"executionId": "e1", "status": "queued"}}));
    let variables = json!({
        "path": "/api/x_acme/v1/onboard", "payload": {"user": "ann", "tags": [1, {"a": null}]},
        "queryParameters": {"mode": "fast", "n": 2, "none": null},
    });
    let run = start(variables, [started]);
    assert_eq!(run.targets(), ["POST /api/x_acme/v1/onboard?mode=fast&n=2"]);
    assert_eq!(run.requests[0].body, Some(json!({"user": "ann", "tags": [1, {"a": null}]})));
    assert_eq!(
        run.completed()["r"],
        json!({"outcome": "started", "executionId": "e1", "warnings": []})
    );
    assert_eq!(run.finished.summary.effect, Some(Effect::Created));
    assert_eq!(run.finished.summary.operation, "start");
}

#[test]
fn execution_ids_are_found_where_endpoints_put_them() {
    let id = "6816f79cc0a8016401c5a33be04be441";
    for body in [
        json!({"result": {"execution_id": id}}),
        json!({"result": {"contextId": id}}),
        json!({"executionId": id}),
        json!({"result": id}),
    ] {
        let run = start(json!({"path": "/api/x/y"}), [answer(200, body)]);
        assert_eq!(run.completed()["r"]["executionId"], id);
    }
    let run = start(json!({"path": "/api/x/y"}), [answer(200, json!({"result": "ok"}))]);
    assert_eq!(run.completed()["r"].get("executionId"), None);
}

#[test]
fn a_202_with_an_answer_is_a_start_here() {
    let run =
        start(json!({"path": "/api/x/y"}), [answer(202, json!({"result": {"executionId": "e"}}))]);
    assert_eq!(run.completed()["r"]["outcome"], "started");
}

#[test]
fn every_attempt_carries_the_same_key() {
    let key = |run: &Run| run.requests[0].headers[0].clone();
    let run = || start(json!({"path": "/api/x/y"}), [answer(503, json!({}))]);
    let first = run();
    assert_eq!(first.requests[0].headers.len(), 1);
    assert_eq!(key(&first).0, "idempotency-key");
    assert_eq!(key(&first), key(&run()));
    let own = json!({"path": "/api/x/y", "headers": {"Idempotency-Key": "mine"}});
    let run = start(own, [answer(503, json!({}))]);
    assert_eq!(run.requests[0].headers, [("idempotency-key".to_owned(), "mine".to_owned())]);
}

#[test]
fn a_lost_answer_leaves_the_start_unknown() {
    for doubt in [silence(NoAnswerCause::Timeout, true), answer(504, json!({}))] {
        let run = start(json!({"path": "/api/x/y"}), [doubt]);
        assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
        assert_eq!(run.finished.summary.effect, Some(Effect::Unknown));
    }
    let run = start(json!({"path": "/api/x/y"}), [answer(202, json!(null))]);
    assert!(run.handed_back().starts_with("SN_BUSY"), "a bare 202 was dropped");
    let run = start(json!({"path": "/api/x/y"}), [silence(NoAnswerCause::Timeout, false)]);
    assert!(run.handed_back().starts_with("SN_TIMEOUT"));
}

#[test]
fn a_wrong_path_is_said_by_servicenow() {
    let reply = refusal(400, "Requested URI does not represent any resource", "/x/y");
    let run = start(json!({"path": "/api/x/y"}), [reply]);
    assert!(run.incident().starts_with("SN_TABLE_NOT_FOUND: start: "), "{}", run.incident());
}

#[test]
fn a_template_renders_the_payload_and_the_payload_wins() {
    let variables = json!({
        "path": "/api/x/y", "payloadTemplate": "{\"user\": \"{{name}}\", \"n\": {{json n}}}",
        "templateData": {"name": "A \"B\"", "n": [1]}, "payload": {"n": 2},
    });
    let run = start(variables, [answer(200, json!({}))]);
    assert_eq!(run.requests[0].body, Some(json!({"user": "A \"B\"", "n": 2})));
}

#[test]
fn headers_may_hold_secrets_but_not_take_over_the_request() {
    let variables =
        json!({"path": "/api/x/y", "headers": {"X-Token": "t {{secrets.SN_PASSWORD}}"}});
    let run = start(variables, [answer(200, json!({}))]);
    assert_eq!(run.requests[0].headers[0], ("x-token".to_owned(), "t correct horse".to_owned()));
    assert!(secrets().contains_key("SN_PASSWORD"));
    for name in ["Authorization", "Host", "cookie", "X-HTTP-Method-Override", "X-UserToken"] {
        let run = start(json!({"path": "/api/x/y", "headers": {name: "x"}}), []);
        assert!(run.incident().contains("cannot be set"), "{name}");
    }
    for (name, value) in [("bad name", "x"), ("x", "a\r\nb: c"), ("", "x")] {
        let run = start(json!({"path": "/api/x/y", "headers": {name: value}}), []);
        assert!(run.incident().contains("is no header"), "{name}");
    }
}

#[test]
fn paths_stay_below_the_namespaces_of_applications() {
    for path in [
        "/api/now/table/sys_user",
        "/api/x/../now/table/incident",
        "/api/x/%2e%2e/y",
        "/api/x//y",
        "/api/x/y?a=b",
        "/api/x/y#z",
        "/api/x",
        "/oauth_token.do",
        "https://evil.example/api/x/y",
        "/api/x/y\\z",
    ] {
        let run = start(json!({ "path": path }), []);
        assert!(run.incident().starts_with("SN_INVALID_INPUT: path "), "{}", run.incident());
    }
    let run = start(json!({}), []);
    assert!(run.incident().contains("path is missing"));
}

#[test]
fn wrong_inputs_are_said() {
    for (variables, said) in [
        (json!({"path": "/api/x/y", "method": "TRACE"}), "method 'TRACE' is not known"),
        (json!({"path": "/api/x/y", "method": "GET", "payload": {}}), "takes no payload"),
        (json!({"path": "/api/x/y", "payload": "text"}), "payload is a text"),
        (json!({"path": "/api/x/y", "queryParameters": {"a": []}}), "'a' is a list"),
        (json!({"path": "/api/x/y", "headers": "x"}), "headers is a text"),
        (
            json!({"path": "/api/x/y", "payload": [1], "payloadTemplate": "{}"}),
            "payloadTemplate is given too",
        ),
    ] {
        let run = start(variables, []);
        assert!(run.incident().contains(said), "{}", run.incident());
    }
}
