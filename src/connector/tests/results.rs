//! Results on their way to variables, expressions aside.

use serde_json::{Value, json};

use crate::{
    connector::testing::{Run, answer, config, job_with, run, run_with, secrets},
    servicenow::Reply,
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn found() -> Reply {
    let rows = json!([{"sys_id": ID, "number": "INC1"}, {"sys_id": "b", "number": "INC2"}]);
    answer(200, json!({ "result": rows }))
}

fn find(headers: Value) -> Run {
    let variables = json!({"operation": "find", "table": "incident", "limit": 2});
    run(job_with(variables, headers), [found()])
}

#[test]
fn without_headers_a_job_completes_with_nothing() {
    assert_eq!(find(json!({})).completed(), json!({}));
}

#[test]
fn paths_pick_variables_out_of_the_result() {
    let paths = json!({"first": "$.records[0].number", "all": "$.records[*].number",
        "none": "$.records[9].number"});
    let run = find(json!({"resultPaths": paths.to_string(), "resultVariable": "r"}));
    let completed = run.completed();
    assert_eq!(completed["first"], "INC1");
    assert_eq!(completed["all"], json!(["INC1", "INC2"]));
    assert_eq!(completed["none"], Value::Null);
    let warning = completed["r"]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("'none' leads to nothing"), "{warning}");
    assert_eq!(run.finished.summary.warnings.len(), 1);
}

#[test]
fn paths_lie_over_a_result_variable_of_the_same_name() {
    let headers = json!({"resultPaths": "{\"r\": \"$.count\"}", "resultVariable": "r"});
    assert_eq!(find(headers).completed(), json!({"r": 2}));
}

#[test]
fn a_result_too_large_for_the_engine_ends_in_a_clear_incident() {
    let config = crate::connector::Config { max_result_bytes: 300, ..config() };
    let fields = json!({"description": "x".repeat(400)});
    let job = job_with(
        json!({"operation": "create", "table": "incident", "fields": fields}),
        json!({"resultVariable": "r"}),
    );
    let record = json!({"sys_id": ID, "description": "x".repeat(400)});
    let run = run_with(config, secrets(), job, [answer(201, json!({"result": record}))]);
    let message = run.incident();
    assert!(message.starts_with("SN_RESPONSE_TOO_LARGE: the record was created"), "{message}");
    assert!(message.contains(ID) && message.contains("of 300 allowed"), "{message}");
}

#[test]
fn the_summary_names_the_record() {
    let variables = json!({"operation": "get", "table": "incident", "sysId": ID});
    let reply = answer(200, json!({"result": {"sys_id": ID, "number": "INC1"}}));
    let summary = run(job_with(variables, json!({})), [reply]).finished.summary;
    assert_eq!(summary.operation, "get");
    assert_eq!(summary.table.as_deref(), Some("incident"));
    assert_eq!(summary.result, Ok("read"));
    assert_eq!(summary.sys_id.as_deref(), Some(ID));
    assert_eq!(summary.number.as_deref(), Some("INC1"));
    assert_eq!(summary.calls, 1);
    assert_eq!(summary.connection, "default");
}
