//! resultExpression and errorExpression.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    connector::testing::{Run, answer, answer_with, job_with, no_record, run},
    outcome::Outcome,
    servicenow::Reply,
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn create(headers: Value) -> Run {
    let fields = json!({"short_description": "down", "urgency": 2});
    let variables = json!({"operation": "create", "table": "incident", "fields": fields});
    let record = json!({"sys_id": ID, "number": "INC1", "short_description": "down",
        "urgency": "2"});
    let reply = answer_with(201, &[("X-Transaction-ID", "t1")], json!({"result": record}));
    run(job_with(variables, headers), [reply])
}

fn get(headers: Value, reply: Reply) -> Run {
    let variables = json!({"operation": "get", "table": "incident", "sysId": ID});
    run(job_with(variables, headers), [reply])
}

fn fail(run: &Run) -> (i32, &str, Duration, Value) {
    match &run.finished.outcome {
        Outcome::Fail { retries, message, retry_backoff, variables } => {
            (*retries, message, *retry_backoff, Value::Object(variables.clone()))
        }
        other => panic!("not failed: {other:?}"),
    }
}

fn thrown(run: &Run) -> (&str, &str, Value) {
    match &run.finished.outcome {
        Outcome::ThrowError { code, message, variables } => {
            (code, message, Value::Object(variables.clone()))
        }
        other => panic!("not thrown: {other:?}"),
    }
}

#[test]
fn both_ways_to_the_result_work() {
    let run = create(json!({
        "resultExpression":
            "={short: sysId, rest: response.body.result.sys_id, number: response.number, \
              status: response.status, code: status, word: outcome, \
              id: response.headers.`X-Transaction-ID`, urgency: record.urgency}",
    }));
    assert_eq!(
        run.completed(),
        json!({"short": ID, "rest": ID, "number": "INC1", "status": 201, "code": 201,
            "word": "created", "id": "t1", "urgency": "2"})
    );
}

#[test]
fn an_expression_lies_over_a_result_variable_of_the_same_name() {
    let run = create(json!({"resultVariable": "r", "resultExpression": "={r: number}"}));
    assert_eq!(run.completed(), json!({"r": "INC1"}));
    let run = create(json!({"resultVariable": "r", "resultExpression": "={ticket: number}"}));
    assert_eq!(run.completed()["r"]["number"], "INC1");
    assert_eq!(run.completed()["ticket"], "INC1");
}

#[test]
fn null_gives_no_variables_and_missing_keys_give_warnings() {
    assert_eq!(create(json!({"resultExpression": "=null"})).completed(), json!({}));
    let run = create(json!({"resultVariable": "r", "resultExpression": "={a: recrod.number}"}));
    assert_eq!(run.completed()["a"], Value::Null);
    let warnings = run.completed()["r"]["warnings"].to_string();
    assert!(warnings.contains("recrod"), "{warnings}");
}

#[test]
fn a_result_that_is_no_context_is_an_incident_that_names_the_record() {
    for expression in ["=number", "=[1]", "=1 + 1", "=true"] {
        let run = create(json!({ "resultExpression": expression }));
        let message = run.incident();
        assert!(message.contains("the record was created"), "{message}");
        assert!(message.contains(ID) && message.contains("a context is needed"), "{message}");
    }
}

#[test]
fn a_broken_expression_costs_no_call() {
    for header in ["resultExpression", "errorExpression"] {
        let variables = json!({"operation": "create", "table": "incident", "fields": {"a": 1}});
        let run = run(job_with(variables, json!({ header: "={a: (1 +}" })), []);
        assert!(
            run.incident().contains(&format!("header {header} is no FEEL")),
            "{}",
            run.incident()
        );
        assert_eq!(run.finished.summary.calls, 0);
    }
}

#[test]
fn an_error_can_become_a_bpmn_error() {
    let expression = "=if error.reason = \"SN_RECORD_NOT_FOUND\" then bpmnError(\"GONE\", \"not there: \" + \
         error.code, {left: job.retries}) else null";
    let run = get(json!({ "errorExpression": expression }), no_record());
    assert_eq!(thrown(&run), ("GONE", "not there: 404", json!({"left": 3})));
}

#[test]
fn the_code_alone_is_enough_for_a_bpmn_error() {
    let expression = "=if error.code = \"404\" then bpmnError(\"GONE\") else null";
    let run = get(json!({ "errorExpression": expression }), no_record());
    assert_eq!(thrown(&run).0, "GONE");
}

#[test]
fn a_job_error_sets_retries_back_off_and_variables() {
    let expression =
        "=jobError(\"later\", {a: 1, error: \"mine\"}, job.retries - 1, duration(\"PT10S\"))";
    let run = get(json!({ "errorExpression": expression }), answer(503, json!({})));
    let (retries, message, backoff, variables) = fail(&run);
    assert_eq!((retries, message, backoff), (2, "later", Duration::from_secs(10)));
    assert_eq!(variables, json!({"a": 1, "error": "later"}));
    let run = get(json!({"errorExpression": "=jobError(\"stop\")"}), answer(503, json!({})));
    assert_eq!(fail(&run).0, 0);
}

#[test]
fn an_error_can_be_ignored() {
    let expression = "=if response.error.status = 404 then ignoreError({found: false}) else null";
    let run = get(json!({ "errorExpression": expression }), no_record());
    assert_eq!(run.completed(), json!({"found": false}));
}

#[test]
fn null_leaves_an_error_to_the_usual_rules() {
    let run = get(json!({"errorExpression": "=null"}), answer(503, json!({})));
    assert!(run.handed_back().starts_with("SN_BUSY"));
    let headers = json!({"errorExpression": "=null", "bpmnErrors": "*"});
    assert_eq!(thrown(&get(headers, no_record())).0, "SN_RECORD_NOT_FOUND");
}

#[test]
fn successes_are_seen_too() {
    let headers = json!({
        "resultVariable": "r",
        "errorExpression": "=if r.record.urgency = \"2\" and response.r.number = number and \
                            response.status = 201 then bpmnError(\"URGENT\", number) else null",
    });
    let run = create(headers);
    assert_eq!(thrown(&run), ("URGENT", "INC1", json!({})));
    assert_eq!(run.finished.summary.result, Ok("created"));
    let headers = json!({"resultVariable": "r", "errorExpression": "=if error != null then \
        bpmnError(\"E\") else null"});
    assert_eq!(create(headers).completed()["r"]["outcome"], "created");
}

#[test]
fn an_error_expression_of_another_kind_is_an_incident() {
    let run = create(json!({"errorExpression": "=\"text\""}));
    assert!(run.incident().contains("the operation worked (sysId "), "{}", run.incident());
    assert!(run.incident().contains("gives a text"));
    let run = get(json!({"errorExpression": "={a: 1}"}), no_record());
    assert!(run.incident().starts_with("SN_RECORD_NOT_FOUND"), "{}", run.incident());
    assert!(run.incident().contains("no errorType"));
}

#[test]
fn contexts_in_the_older_spelling_are_read() {
    let expression = "={errorType: \"bpmnError\", code: \"OLD\", message: \"m\"}";
    let run = get(json!({ "errorExpression": expression }), no_record());
    assert_eq!(thrown(&run), ("OLD", "m", json!({})));
}

#[test]
fn an_error_expression_that_became_null_by_mistake_is_told_in_the_incident() {
    let expression = "=if error.code = \"404\" then bpmnErr(\"GONE\", error.message) else null";
    let run = get(json!({ "errorExpression": expression }), no_record());
    let (retries, message, _, variables) = fail(&run);
    assert_eq!(retries, 0);
    let clause = "; besides, errorExpression decides nothing: no function 'bpmnErr'; did you mean \
                  'bpmnError'?";
    assert!(message.ends_with(clause), "{message}");
    assert!(!variables["error"]["message"].to_string().contains("besides"), "{variables}");
}

#[test]
fn an_error_expression_that_means_null_adds_nothing() {
    let plain = get(json!({}), no_record());
    for expression in ["=null", "=if error.code = \"500\" then bpmnErr() else null"] {
        let run = get(json!({ "errorExpression": expression }), no_record());
        assert_eq!(fail(&run).1, fail(&plain).1);
    }
    let headers = json!({"errorExpression": "=bpmnErr(1)", "bpmnErrors": "*"});
    assert!(!thrown(&get(headers, no_record())).1.contains("besides"));
    let run = get(json!({"errorExpression": "=bpmnErr(1)"}), answer(503, json!({})));
    assert!(fail(&run).0 == 3 && !fail(&run).1.contains("besides"));
}
