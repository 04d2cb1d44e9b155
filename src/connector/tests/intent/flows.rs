//! Flows are started as often as their author wants.

use serde_json::{Value, json};

use super::{LATER, activated_again, attempt, failed_with, has_intent, killed_after, lost};
use crate::{
    connector::{
        SecretScope, Secrets, finished_by_panic,
        testing::{NOW, Run, answer, config, flow_job, raw, refusal, run_at, silence},
    },
    job::Job,
    outcome::Outcome,
    servicenow::{NoAnswerCause, Reason, Reply},
};

fn job(more: Value) -> Job {
    let mut variables = json!({"path": "/api/x/y", "payload": {"a": 1}});
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    flow_job(variables)
}

fn once() -> Job {
    job(json!({"delivery": "at_most_once"}))
}

fn started() -> Reply {
    answer(200, json!({"result": {"executionId": "e"}}))
}

#[test]
fn at_least_once_carries_its_key_in_the_payload_too_and_never_over_the_authors() {
    let key = |run: &Run| run.requests[0].headers[0].1.clone();
    let run = attempt(NOW, &job(json!({"delivery": "at_least_once"})), [started()]);
    assert_eq!(run.requests[0].body, Some(json!({"a": 1, "idempotencyKey": key(&run)})));
    assert_eq!(run.notes, [None]);
    let own = json!({"delivery": "at_least_once", "payload": {"idempotencyKey": 7}});
    let run = attempt(NOW, &job(own), [started()]);
    assert_eq!(run.requests[0].body, Some(json!({"idempotencyKey": 7})));
    let header = json!({"delivery": "at_least_once", "headers": {"Idempotency-Key": "mine"}});
    let run = attempt(NOW, &job(header), [started()]);
    assert_eq!(run.requests[0].body.as_ref().unwrap()["idempotencyKey"], "mine");
    for payload in [json!([1]), json!(null)] {
        let run = attempt(
            NOW,
            &job(json!({"delivery": "at_least_once", "payload": payload})),
            [started()],
        );
        assert!(!run.requests[0].body.clone().unwrap_or_default().is_object());
    }
}

#[test]
fn a_payload_stays_as_it_is_unless_its_delivery_was_chosen() {
    for more in [json!({}), json!({"delivery": "at_most_once"}), json!({"delivery": " "})] {
        let run = attempt(NOW, &job(more), [started()]);
        assert_eq!(run.requests[0].body, Some(json!({"a": 1})));
        assert_eq!(run.requests[0].headers[0].0, "idempotency-key");
    }
}

#[test]
fn at_most_once_is_noted_before_it_starts() {
    let run = attempt(NOW, &once(), [started()]);
    let intent = &run.notes[0].as_ref().unwrap()["serviceNowIntent"];
    assert_eq!(intent["operation"], "start");
    assert_eq!(intent["target"], "https://dev1.service-now.com/api/x/y");
    assert!(matches!(run.finished.outcome, Outcome::Complete { .. }));
}

#[test]
fn what_may_have_been_started_is_never_started_again_unasked() {
    let first = attempt(NOW, &once(), [started()]);
    let job = killed_after(&once(), &first, 0);
    let run = attempt(LATER, &job, []);
    let said = "SN_OUTCOME_UNKNOWN: start: it may have been started at 2026-06-01T12:00:00Z";
    assert!(run.incident().starts_with(said), "{}", run.incident());
    assert!(run.incident().contains("https://dev1.service-now.com/api/x/y"));
    // Resolving the incident is the person's word that it may be started afresh.
    let resolved = failed_with(&job, &run);
    assert!(!has_intent(&resolved));
    let run = attempt(LATER, &resolved, [started()]);
    assert_eq!(run.methods(), ["POST"]);
    assert!(run.notes[0].is_some());
}

#[test]
fn a_doubtful_answer_ends_it_at_once() {
    let doubts = [
        lost(),
        silence(NoAnswerCause::Timeout, true),
        answer(500, json!({})),
        answer(503, json!({})),
        answer(202, json!(null)),
        answer(408, json!({})),
        raw(200, "text/html", &[], "<html>of a proxy".to_owned()),
    ];
    for doubt in doubts {
        let run = attempt(NOW, &once(), [doubt.clone()]);
        assert!(run.incident().starts_with("SN_OUTCOME_UNKNOWN: start: "), "{doubt:?}");
        assert!(run.incident().contains("resolving this incident starts it again"));
        let time = "it is not known whether it started, at 2026-06-01T12:00:00Z or soon after (";
        assert!(run.incident().contains(time), "{}", run.incident());
        let next = failed_with(&once(), &run);
        assert!(!has_intent(&next));
        assert_eq!(next.variables["error"]["retryable"], false);
    }
}

#[test]
fn an_answer_that_surely_did_nothing_is_tried_again() {
    let page = raw(200, "text/html", &[], "<html>hibernating".to_owned());
    for refused in [answer(429, json!({})), silence(NoAnswerCause::Unreachable, false), page] {
        let run = attempt(NOW, &once(), [refused]);
        assert!(!run.handed_back().is_empty());
        let next = failed_with(&once(), &run);
        assert_eq!(attempt(LATER, &next, [started()]).methods(), ["POST"]);
    }
    let run = attempt(NOW, &once(), [answer(401, json!({}))]);
    assert!(run.incident().starts_with("SN_UNAUTHENTICATED"));
    assert!(!has_intent(&failed_with(&once(), &run)));
}

#[test]
fn a_call_that_was_held_back_says_nothing_of_what_others_have_announced() {
    let held = || {
        let cause = NoAnswerCause::HeldBack { reason: Reason::Unreachable, retry_after: None };
        silence(cause, false)
    };
    let refused = attempt(NOW, &once(), [answer(429, json!({}))]);
    let next = failed_with(&once(), &refused);
    let run = attempt(LATER, &next, [held()]);
    assert!(!run.handed_back().is_empty());
    let last = failed_with(&next, &Run { notes: Vec::new(), ..run });
    assert_eq!(last.variables["serviceNowIntentEnd"], next.variables["serviceNowIntentEnd"]);
    assert_eq!(attempt(LATER, &last, [started()]).methods(), ["POST"]);
}

#[test]
fn a_failure_of_an_earlier_holder_that_comes_late_starts_nothing_again() {
    let earlier = attempt(NOW, &once(), [answer(429, json!({}))]);
    let holder = activated_again(&once());
    let started = attempt(LATER, &holder, [lost()]);
    // The engine gets the later note first, then the earlier failure.
    let mut next = killed_after(&holder, &started, 0);
    let Outcome::Fail { variables, .. } = earlier.finished.outcome else { panic!("not failed") };
    next.variables.extend(variables);
    assert!(attempt(LATER, &next, []).incident().starts_with("SN_OUTCOME_UNKNOWN"));
}

#[test]
fn a_refusal_that_is_final_keeps_its_own_reason() {
    let run = attempt(NOW, &once(), [refusal(403, "not allowed", "by the script")]);
    assert!(run.incident().starts_with("SN_FORBIDDEN: start: "), "{}", run.incident());
}

#[test]
fn an_error_expression_that_retries_does_not_start_it_again() {
    let headers = json!({"errorExpression": "=jobError(\"later\", {}, 3, @\"PT1S\")"});
    let once = Job { custom_headers: headers.as_object().unwrap().clone(), ..once() };
    let run = attempt(NOW, &once, [lost()]);
    assert!(matches!(run.finished.outcome, Outcome::Fail { retries: 3, .. }));
    let job = failed_with(&once, &run);
    assert!(has_intent(&job));
    assert!(attempt(LATER, &job, []).requests.is_empty());
}

#[test]
fn a_start_whose_result_cannot_be_used_is_not_repeated() {
    let headers = json!({"resultExpression": "=1"});
    let once = Job { custom_headers: headers.as_object().unwrap().clone(), ..once() };
    let run = attempt(NOW, &once, [started()]);
    assert!(run.incident().contains("the flow was started"), "{}", run.incident());
    let run = attempt(LATER, &failed_with(&once, &run), []);
    assert!(run.incident().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.incident());
}

#[test]
fn reasons_named_in_bpmn_errors_are_thrown_and_a_star_is_final_here() {
    for named in ["*", "SN_OUTCOME_UNKNOWN"] {
        let headers = json!({ "bpmnErrors": named });
        let once = Job { custom_headers: headers.as_object().unwrap().clone(), ..once() };
        let run = attempt(NOW, &once, [lost()]);
        let Outcome::ThrowError { code, .. } = run.finished.outcome else { panic!("{named}") };
        assert_eq!(code, "SN_OUTCOME_UNKNOWN");
    }
}

#[test]
fn failures_that_say_nothing_of_the_start_keep_the_intent() {
    let first = attempt(NOW, &once(), [started()]);
    let job = killed_after(&once(), &first, 0);
    let Outcome::Fail { variables, .. } = finished_by_panic(&job, "oops").outcome else {
        panic!("not failed")
    };
    assert!(variables.keys().all(|name| !name.starts_with("serviceNowIntent")));
    let mut broken = job;
    broken.variables.insert("payload".to_owned(), "text".into());
    let run = attempt(LATER, &broken, []);
    assert!(run.incident().contains("payload is a text"));
    let mut mended = failed_with(&broken, &run);
    mended.variables.insert("payload".to_owned(), json!({"a": 1}));
    assert!(attempt(LATER, &mended, []).incident().starts_with("SN_OUTCOME_UNKNOWN"));
}

#[test]
fn a_get_starts_nothing_and_needs_no_note() {
    let job = flow_job(json!({"path": "/api/x/y", "method": "GET", "delivery": "at_most_once"}));
    let run = attempt(NOW, &job, [answer(503, json!({}))]);
    assert_eq!(run.notes, [None]);
    assert!(run.handed_back().starts_with("SN_BUSY"));
}

#[test]
fn a_wrong_delivery_is_said() {
    let run = attempt(NOW, &job(json!({"delivery": "once"})), []);
    let said = "delivery 'once' is not known: use at_least_once or at_most_once";
    assert!(run.incident().contains(said), "{}", run.incident());
}

#[test]
fn a_secret_in_the_path_is_not_noted() {
    let mut config = config();
    config.secret_scope = SecretScope::Inputs;
    let variables = json!({"path": "/api/x/{{secrets.WORD}}", "delivery": "at_most_once"});
    let secrets = || {
        Secrets::from([
            ("SN_PASSWORD".to_owned(), "correct".into()),
            ("WORD".to_owned(), "hush-hush".into()),
        ])
    };
    let first = flow_job(variables);
    let run = run_at(NOW, config.clone(), secrets(), first.clone(), [started()]);
    let intent = &run.notes[0].as_ref().unwrap()["serviceNowIntent"];
    assert_eq!(intent["target"], "https://dev1.service-now.com/api/x/***");
    let run = run_at(LATER, config, secrets(), killed_after(&first, &run, 0), []);
    assert!(run.incident().contains("/api/x/***"), "{}", run.incident());
}
