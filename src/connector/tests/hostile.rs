//! Whatever comes in, a job ends in an outcome, within few steps.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    connector::{
        Config, Connector, Finished, SecretScope, Step, job_types,
        testing::{NOW, config, job, raw, secrets},
    },
    job::Job,
    servicenow::Reply,
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

const OPERATIONS: [(&str, &str); 8] = [
    ("servicenow:record:1", "create"),
    ("servicenow:record:1", "get"),
    ("servicenow:record:1", "find"),
    ("servicenow:record:1", "update"),
    ("servicenow:record:1", "upsert"),
    ("servicenow:record:1", "delete"),
    ("servicenow:record:1", "count"),
    ("servicenow:flow:1", "start"),
];

/// A job that is right in all inputs.
fn right(job_type: &str, operation: &str) -> Job {
    let variables = json!({
        "operation": operation, "table": "incident", "sysId": ID, "fields": {"urgency": "1"},
        "matchOn": "urgency", "path": "/api/x/y",
    });
    let headers = json!({
        "resultVariable": "r", "resultPaths": "{\"a\": \"$..sys_id\", \"b\": \"$.record\"}",
    });
    Job {
        job_type: job_type.to_owned(),
        custom_headers: headers.as_object().unwrap().clone(),
        ..job(variables)
    }
}

fn odd_values() -> Vec<Value> {
    let deep = (0..100).fold(json!("x"), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        serde_json::from_str("123456789012345678901234567890").unwrap(),
        json!(""),
        json!(" "),
        json!("^"),
        json!("\u{0}\r\n"),
        json!("{{secrets.SN_PASSWORD}}"),
        json!("{{#if a}}"),
        json!("x".repeat(100_000)),
        json!("\u{202e}\u{1f4a5}é"),
        json!([]),
        json!([null, [], {}]),
        json!({}),
        json!({"": null}),
        json!({"a": {"b": {}}}),
        json!({"type": "basic"}),
        json!({"field": "a", "op": "in", "value": []}),
        deep,
    ]
}

/// Runs a job with one reply again and again.
fn finish(config: Config, job: Job, reply: &Reply) -> Finished {
    let now = NOW.parse().unwrap();
    let plan = match Connector::new(config).plan(Arc::new(job)) {
        Ok(plan) => plan,
        Err(finished) => return *finished,
    };
    let (mut exchange, mut step) = plan.start(secrets(), now);
    for _ in 0..1_000 {
        match step {
            Step::Done(finished) => return *finished,
            Step::Send(_) => step = exchange.resume(reply.clone(), now),
        }
    }
    panic!("no end");
}

#[test]
fn no_input_is_too_odd() {
    let reply = raw(200, "application/json", &[], json!({"result": {"sys_id": ID}}).to_string());
    for (job_type, operation) in OPERATIONS {
        let kind = job_types().into_iter().find(|kind| kind.name == job_type).unwrap();
        for name in kind.variables {
            for value in odd_values() {
                for secret_scope in [SecretScope::Credentials, SecretScope::Inputs] {
                    let mut job = right(job_type, operation);
                    job.variables.insert(name.to_owned(), value.clone());
                    let config = Config { secret_scope, ..config() };
                    let finished = finish(config, job, &reply);
                    assert!(!format!("{finished:?}").contains("correct horse"), "{name} {value}");
                }
            }
        }
    }
}

#[test]
fn no_answer_is_too_odd() {
    for body in [
        "",
        "null",
        "7",
        "[]",
        "{}",
        r#"{"result": null}"#,
        r#"{"result": []}"#,
        r#"{"result": {}}"#,
        r#"{"result": [null]}"#,
        r#"{"result": [[]]}"#,
        r#"{"result": "text"}"#,
        r#"{"result": {"sys_id": 7, "number": {}}}"#,
        r#"{"result": {"sys_id": "../../x", "number": ""}}"#,
        r#"{"result": [{"sys_id": "x^NQ"}]}"#,
        r#"{"result": [{"sys_id": "", "urgency": "1"}]}"#,
        r#"{"result": [{"sys_id": "../x", "urgency": "1"}]}"#,
        r#"{"result": {"stats": {"count": "-1"}}}"#,
        r#"{"error": {}}"#,
        r#"{"error": [], "status": 7}"#,
        "<html>",
        "\u{feff}{}",
    ] {
        for status in [100, 200, 201, 202, 204, 302, 400, 403, 404, 429, 500, 999] {
            let next = "<https://x>;rel=\"next\"";
            let headers = [("Link", next), ("Retry-After", "-1"), ("X-RateLimit-Reset", "x")];
            let reply = raw(status, "application/json", &headers, body.to_owned());
            for (job_type, operation) in OPERATIONS {
                let finished = finish(config(), right(job_type, operation), &reply);
                assert!(finished.summary.calls >= 1, "{operation} {status} {body}");
            }
        }
    }
}

#[test]
fn a_sys_id_from_an_answer_never_changes_the_path() {
    let rows = json!({"result": [{"sys_id": "../sys_user/x", "urgency": "1"}]});
    let reply = raw(200, "application/json", &[], rows.to_string());
    let finished = finish(config(), right("servicenow:record:1", "upsert"), &reply);
    assert_eq!(finished.summary.calls, 1);
}
