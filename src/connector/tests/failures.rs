//! Failures on their way to the engine.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    connector::{
        Connector, finished_by_panic,
        testing::{
            self, NOW, Run, answer, answer_with, config, job, job_with, no_record, refusal, run,
            run_at, secrets, silence,
        },
    },
    job::Job,
    outcome::{MAX_MESSAGE_CHARS, Outcome},
    servicenow::{Error, NoAnswerCause, Reason, Reply},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn get(headers: Value) -> Job {
    job_with(json!({"operation": "get", "table": "incident", "sysId": ID}), headers)
}

fn fail(run: &Run) -> (i32, &str, Duration, Value) {
    match &run.finished.outcome {
        Outcome::Fail { retries, message, retry_backoff, variables } => {
            (*retries, message, *retry_backoff, Value::Object(variables.clone()))
        }
        other => panic!("not failed: {other:?}"),
    }
}

#[test]
fn a_permanent_failure_ends_with_retries_0_and_tells_everything() {
    let run = run(get(json!({})), [no_record()]);
    let (retries, message, _, variables) = fail(&run);
    assert_eq!(retries, 0);
    assert!(message.starts_with("SN_RECORD_NOT_FOUND: get incident: "), "{message}");
    let error = &variables["error"];
    assert_eq!(error["code"], "404");
    assert_eq!(error["status"], 404);
    assert_eq!(error["reason"], "SN_RECORD_NOT_FOUND");
    assert_eq!(error["type"], "ServiceNowError");
    assert_eq!(error["retryable"], false);
    assert_eq!(error["variables"]["response"]["body"]["error"]["message"], "No Record found");
    assert_eq!(error.get("outage"), None);
    assert!(message.ends_with(error["message"].as_str().unwrap()));
}

#[test]
fn a_transient_failure_keeps_the_retries_and_remembers_since_when() {
    let run = run(get(json!({})), [silence(NoAnswerCause::Unreachable, false)]);
    let (retries, message, backoff, variables) = fail(&run);
    assert_eq!(retries, 3);
    assert!(message.contains("no retry is used up"), "{message}");
    assert!((2.0..=2.5).contains(&backoff.as_secs_f64()), "{backoff:?}");
    let error = &variables["error"];
    assert_eq!(error["outage"], json!({"jobKey": "2251799813685255", "since": NOW}));
    assert_eq!(error["retryable"], true);
    assert_eq!(error.get("code"), None);
    assert_eq!(error["status"], Value::Null);
}

fn outage(job_key: &str, since: &str, now: &str) -> Run {
    let mut job = get(json!({}));
    job.variables.insert(
        "error".to_owned(),
        json!({"reason": "SN_BUSY", "outage": {"jobKey": job_key, "since": since}}),
    );
    run_at(now, config(), secrets(), job, [answer(503, json!({}))])
}

#[test]
fn an_outage_is_remembered_from_attempt_to_attempt() {
    let run = outage("2251799813685255", NOW, "2026-06-01T12:01:40Z");
    let (retries, _, backoff, variables) = fail(&run);
    assert_eq!(retries, 3);
    assert!((100.0..=125.0).contains(&backoff.as_secs_f64()), "{backoff:?}");
    assert_eq!(variables["error"]["outage"]["since"], NOW);
}

#[test]
fn an_outage_that_lasts_too_long_ends_in_an_incident_that_can_be_resolved() {
    let run = outage("2251799813685255", NOW, "2026-06-02T12:00:00Z");
    let (retries, message, _, variables) = fail(&run);
    assert_eq!(retries, 0);
    assert!(message.contains("24 hours"), "{message}");
    // Resolving the incident must not meet the old outage again.
    assert_eq!(variables["error"].get("outage"), None);
}

#[test]
fn what_another_job_left_behind_is_not_our_outage() {
    let later = "2026-06-09T12:00:00Z";
    let run = outage("1", NOW, later);
    assert_eq!(fail(&run).0, 3);
    for odd in ["yesterday", "2030-01-01T00:00:00Z"] {
        assert_eq!(fail(&outage("2251799813685255", odd, later)).0, 3);
    }
    let mut job = get(json!({}));
    job.variables.insert("error".to_owned(), json!("a text of somebody else"));
    let run = testing::run(job, [answer(503, json!({}))]);
    assert_eq!(fail(&run).0, 3);
}

#[test]
fn servicenows_own_wait_is_kept_to() {
    let headers = [("X-RateLimit-Rule", "r"), ("Retry-After", "600")];
    let run = run(get(json!({"retryBackoff": "PT1S"})), [answer_with(429, &headers, json!({}))]);
    let backoff = fail(&run).2.as_secs();
    assert!((600..=750).contains(&backoff), "{backoff}");
    assert_eq!(run.finished.summary.result, Err(Reason::RateLimited));
}

#[test]
fn the_header_lengthens_the_wait() {
    let run = run(get(json!({"retryBackoff": "PT10M"})), [answer(503, json!({}))]);
    let backoff = fail(&run).2.as_secs();
    assert!((600..=750).contains(&backoff), "{backoff}");
}

fn thrown(run: &Run) -> (&str, &Value) {
    match &run.finished.outcome {
        Outcome::ThrowError { code, variables, .. } => (code, &variables["error"]),
        other => panic!("not thrown: {other:?}"),
    }
}

#[test]
fn reasons_named_in_bpmn_errors_are_thrown() {
    let run = run(get(json!({"bpmnErrors": "SN_CONFLICT, SN_RECORD_NOT_FOUND"})), [no_record()]);
    let (code, error) = thrown(&run);
    assert_eq!(code, "SN_RECORD_NOT_FOUND");
    assert_eq!(error["code"], "404");
    let other = testing::run(get(json!({"bpmnErrors": "SN_CONFLICT"})), [no_record()]);
    assert!(other.incident().starts_with("SN_RECORD_NOT_FOUND"));
}

#[test]
fn a_star_throws_what_is_final_and_leaves_the_rest_to_the_back_off() {
    let star = || get(json!({"bpmnErrors": "*"}));
    assert_eq!(thrown(&run(star(), [no_record()])).0, "SN_RECORD_NOT_FOUND");
    assert_eq!(fail(&run(star(), [answer(503, json!({}))])).0, 3);
    let named = get(json!({"bpmnErrors": "SN_BUSY"}));
    assert_eq!(thrown(&run(named, [answer(503, json!({}))])).0, "SN_BUSY");
    let input = job_with(json!({"operation": "get"}), json!({"bpmnErrors": "*"}));
    assert_eq!(thrown(&run(input, [])).0, "SN_INVALID_INPUT");
}

#[test]
fn a_panic_costs_one_retry() {
    let finished = finished_by_panic(&get(json!({"retryBackoff": "PT7S"})), "index out of bounds");
    let Outcome::Fail { retries, message, retry_backoff, .. } = finished.outcome else {
        panic!("a failure")
    };
    assert_eq!((retries, retry_backoff), (2, Duration::from_secs(7)));
    assert!(message.contains("index out of bounds"));
}

#[test]
fn errors_from_outside_end_a_job_like_any_other() {
    let plan = Connector::new(config()).plan(Arc::new(get(json!({"bpmnErrors": "*"})))).unwrap();
    let error = Error::new(Reason::InvalidInput, "secret 'X' cannot be read");
    let finished = plan.fail(error, NOW.parse().unwrap());
    assert!(matches!(finished.outcome, Outcome::ThrowError { .. }));
    let plan = Connector::new(config()).plan(Arc::new(get(json!({})))).unwrap();
    let (mut exchange, _) = plan.start(secrets(), NOW.parse().unwrap());
    let error = Error::new(Reason::Timeout, "no time left");
    let finished = exchange.fail(error, NOW.parse().unwrap());
    assert!(matches!(finished.outcome, Outcome::Fail { retries: 3, .. }));
    assert_eq!(finished.summary.operation, "get");
}

#[test]
fn the_job_timeout_is_known_before_the_start() {
    let plan = |headers| Connector::new(config()).plan(Arc::new(get(headers))).unwrap();
    assert_eq!(plan(json!({"jobTimeout": "PT2M"})).job_timeout(), Some(Duration::from_mins(2)));
    assert_eq!(plan(json!({"jobTimeout": " "})).job_timeout(), None);
}

#[test]
fn a_reply_after_the_end_ends_it_again() {
    let plan = Connector::new(config()).plan(Arc::new(get(json!({})))).unwrap();
    let now = NOW.parse().unwrap();
    let (mut exchange, _) = plan.start(secrets(), now);
    let reply = || -> Reply { answer(200, json!({"result": {"sys_id": ID}})) };
    assert!(matches!(exchange.resume(reply(), now), crate::connector::Step::Done(_)));
    assert!(matches!(exchange.resume(reply(), now), crate::connector::Step::Done(_)));
}

#[test]
fn messages_are_cut_to_what_the_engine_takes() {
    let labels = format!("Data Policy Exception: {}", "label, ".repeat(5_000));
    let run = run(get(json!({})), [refusal(403, "Operation Failed", &labels)]);
    assert!(run.incident().chars().count() <= MAX_MESSAGE_CHARS);
    let long = "x".repeat(50_000);
    let run = testing::run(job(json!({"operation": "get", "table": long})), []);
    assert!(run.incident().chars().count() <= 400, "{}", run.incident().chars().count());
}
