//! A record that an earlier attempt created, met again: whose it is and whether it is what
//! the job asks for now.

use serde_json::{Value, json};

use crate::{
    connector::{
        Config, Effect, IdentityRule, OnMismatch,
        testing::{Run, answer, config, job_with, no_record, refusal, run_with, secrets, silence},
    },
    job::Job,
    servicenow::{NoAnswerCause, Reply},
};

const TAKEN: &str = "Unique Key violation detected by database";

fn create_job(table: &str, fields: Value) -> Job {
    job_with(
        json!({"operation": "create", "table": table, "fields": fields}),
        json!({"resultVariable": "r"}),
    )
}

fn settings(on_mismatch: OnMismatch) -> Config {
    let mut config = config();
    config.connections.get_mut("default").unwrap().on_mismatch = on_mismatch;
    config
}

fn run(on_mismatch: OnMismatch, job: Job, replies: impl IntoIterator<Item = Reply>) -> Run {
    run_with(settings(on_mismatch), secrets(), job, replies)
}

/// What an attempt with these fields sends, as the record it leaves.
fn left_by(table: &str, fields: Value) -> Value {
    let refused = refusal(401, "User Not Authenticated", "");
    let run = run(OnMismatch::Fail, create_job(table, fields), [refused]);
    let mut record = run.requests[0].body.clone().unwrap();
    record["number"] = "INC0010001".into();
    record
}

fn record(record: &Value) -> Reply {
    answer(200, json!({ "result": record }))
}

fn taken() -> Reply {
    refusal(403, TAKEN, "Duplicate entry")
}

#[test]
fn row_16_a_changed_payload_is_a_conflict_that_names_both_values_and_the_ways_out() {
    let old = left_by("incident", json!({"short_description": "down", "urgency": 2}));
    let job = create_job("incident", json!({"short_description": "down", "urgency": 1}));
    let run = run(OnMismatch::Fail, job, [taken(), record(&old)]);
    assert_eq!(run.methods(), ["POST", "GET"]);
    let message = run.incident();
    assert!(message.starts_with("SN_CONFLICT: create incident: the record INC0010001 (sys_id "));
    for part in [
        "'urgency' is '2' and is asked to be '1'",
        "put the old values back",
        "on_mismatch = \"patch\"",
        "update task",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("short_description"), "{message}");
}

#[test]
fn row_16_a_changed_payload_is_written_where_the_operator_wants_it() {
    let old = left_by("incident", json!({"short_description": "down", "urgency": 2}));
    let new = left_by("incident", json!({"short_description": "down", "urgency": 1}));
    let job = create_job("incident", json!({"short_description": "down", "urgency": 1}));
    let run = run(OnMismatch::Patch, job, [taken(), record(&old), record(&new)]);
    assert_eq!(run.methods(), ["POST", "GET", "PATCH"]);
    let id = old["sys_id"].as_str().unwrap();
    assert!(run.targets()[2].starts_with(&format!("PATCH /api/now/table/incident/{id}?")));
    assert_eq!(
        run.requests[2].body,
        Some(json!({
            "short_description": "down", "urgency": "1",
            "correlation_display": new["correlation_display"],
        }))
    );
    assert_ne!(old["correlation_display"], new["correlation_display"]);
    let result = &run.completed()["r"];
    assert_eq!(result["outcome"], "adopted");
    let warning = result["warnings"][0].as_str().unwrap();
    assert!(warning.contains("was changed to the present ones"), "{warning}");
    assert!(warning.contains("'urgency' is '2' and is asked to be '1'"), "{warning}");
    assert_eq!(run.finished.summary.effect, Some(Effect::Adopted));
}

#[test]
fn a_lost_answer_to_that_change_keeps_the_retries_and_is_no_doubt_about_the_record() {
    let old = left_by("incident", json!({"urgency": 2}));
    for lost in [silence(NoAnswerCause::Broken, true), answer(503, json!({}))] {
        let job = create_job("incident", json!({"urgency": 1}));
        let run = run(OnMismatch::Patch, job, [taken(), record(&old), lost]);
        run.handed_back();
        assert_eq!(run.finished.summary.effect, None);
    }
    // The next attempt finds the change done, or does it again.
    let new = left_by("incident", json!({"urgency": 1}));
    let job = create_job("incident", json!({"urgency": 1}));
    let run = run(OnMismatch::Patch, job, [taken(), record(&new)]);
    assert_eq!(run.completed()["r"]["warnings"], json!([]));
}

#[test]
fn a_note_is_left_out_of_the_change_and_that_is_said() {
    let old = left_by("incident", json!({"urgency": 2, "work_notes": "called"}));
    let fields = json!({"urgency": 1, "work_notes": "called", "comments": "hello"});
    let new = left_by("incident", fields.clone());
    let replies = [taken(), record(&old), record(&new)];
    let run = run(OnMismatch::Patch, create_job("incident", fields), replies);
    let body = run.requests[2].body.as_ref().unwrap().as_object().unwrap();
    assert_eq!(body.keys().collect::<Vec<_>>(), ["urgency", "correlation_display"]);
    let warnings = run.completed()["r"]["warnings"].to_string();
    for field in ["'work_notes' was left out", "'comments' was left out"] {
        assert!(warnings.contains(field), "{warnings}");
    }
}

#[test]
fn a_note_that_may_have_changed_is_no_less_a_conflict() {
    let old = left_by("incident", json!({"urgency": 2, "work_notes": "called"}));
    let job = create_job("incident", json!({"urgency": 2, "work_notes": "called twice"}));
    let run = run(OnMismatch::Fail, job, [taken(), record(&old)]);
    assert!(run.incident().contains("'work_notes' cannot be compared"), "{}", run.incident());
    assert!(!run.incident().contains("called twice"), "{}", run.incident());
}

#[test]
fn a_record_that_was_brought_in_line_by_hand_is_adopted_and_the_change_is_said() {
    let mut old = left_by("incident", json!({"urgency": 2}));
    old["urgency"] = "1".into();
    let job = create_job("incident", json!({"urgency": 1}));
    let run = run(OnMismatch::Fail, job, [taken(), record(&old)]);
    let warnings = &run.completed()["r"]["warnings"];
    assert!(warnings[0].as_str().unwrap().contains("has the present ones by now"), "{warnings}");
}

#[test]
fn what_people_and_rules_changed_since_is_a_warning_and_stays() {
    for on_mismatch in [OnMismatch::Fail, OnMismatch::Patch] {
        let mut old = left_by("incident", json!({"urgency": 2}));
        old["urgency"] = "3".into();
        let job = create_job("incident", json!({"urgency": 2}));
        let run = run(on_mismatch, job, [taken(), record(&old)]);
        assert_eq!(run.methods(), ["POST", "GET"]);
        assert_eq!(
            run.completed()["r"]["warnings"],
            json!(["field 'urgency' was asked to be '2' and is '3'"])
        );
    }
}

#[test]
fn without_a_fingerprint_a_difference_is_a_warning_with_both_values_or_written() {
    let displays =
        [json!("camunda:2251799813685249"), json!("changed by a rule"), json!(""), Value::Null];
    for display in displays {
        let mut old = left_by("incident", json!({"urgency": 2, "category": "network"}));
        old["correlation_display"] = display;
        let job = || create_job("incident", json!({"urgency": 1, "category": "network"}));
        let kept = run(OnMismatch::Fail, job(), [taken(), record(&old)]);
        assert_eq!(
            kept.completed()["r"]["warnings"],
            json!(["field 'urgency' was asked to be '1' and is '2'"])
        );
        let mut new = old.clone();
        new["urgency"] = "1".into();
        let patched = run(OnMismatch::Patch, job(), [taken(), record(&old), record(&new)]);
        assert_eq!(patched.requests[2].body, Some(json!({"urgency": "1"})));
        let warnings = &patched.completed()["r"]["warnings"];
        assert!(warnings[0].as_str().unwrap().contains("'urgency' is '2'"), "{warnings}");
    }
}

#[test]
fn on_a_table_without_marks_the_fields_are_compared() {
    let old = left_by("u_order", json!({"u_name": "a", "u_nope": "x"}));
    let mut old = old.as_object().unwrap().clone();
    old.remove("u_nope");
    let old = Value::Object(old);
    let job = || create_job("u_order", json!({"u_name": "b", "u_nope": "x"}));
    let kept = run(OnMismatch::Fail, job(), [taken(), record(&old)]);
    assert_eq!(kept.completed()["r"]["warnings"].as_array().unwrap().len(), 2);
    let mut new = old.clone();
    new["u_name"] = "b".into();
    let patched = run(OnMismatch::Patch, job(), [taken(), record(&old), record(&new)]);
    assert_eq!(patched.requests[2].body, Some(json!({"u_name": "b"})), "the dropped field is not");
}

#[test]
fn row_15_a_record_with_another_jobs_mark_is_never_adopted() {
    for on_mismatch in [OnMismatch::Fail, OnMismatch::Patch] {
        let mut old = left_by("incident", json!({"urgency": 2}));
        old["correlation_id"] = "ab".repeat(32).into();
        let job = create_job("incident", json!({"urgency": 2}));
        let run = run(on_mismatch, job, [taken(), record(&old)]);
        assert!(run.incident().starts_with("SN_CONFLICT"), "{}", run.incident());
        assert!(run.incident().contains("the mark of another job"), "{}", run.incident());
    }
}

#[test]
fn a_mark_that_a_rule_wrote_over_is_told_and_the_id_decides() {
    let mut old = left_by("incident", json!({"urgency": 2}));
    old["correlation_id"] = "SAP-4711".into();
    let job = create_job("incident", json!({"urgency": 2}));
    let run = run(OnMismatch::Fail, job, [taken(), record(&old)]);
    assert_eq!(
        run.completed()["r"]["warnings"],
        json!(["correlation_id of the adopted record is 'SAP-4711', not the mark of this job"])
    );
}

#[test]
fn a_record_under_an_authors_id_is_ours_by_the_mark_and_compared_as_any_other() {
    let id = "aaaabbbbccccddddeeeeffff00001111";
    let old = left_by("incident", json!({"sys_id": id, "urgency": 2}));
    let job = create_job("incident", json!({"sys_id": id, "urgency": 1}));
    let run = run(OnMismatch::Fail, job, [taken(), record(&old)]);
    assert!(run.incident().contains("'urgency' is '2'"), "{}", run.incident());
}

#[test]
fn a_connections_rules_hold_for_its_instance_however_it_is_named() {
    let mut settings = settings(OnMismatch::Patch);
    let rule = IdentityRule::new("u_order", Some("u_external_id"), true).unwrap();
    settings.connections.get_mut("default").unwrap().identity = vec![rule];
    let mut job = create_job("u_order", json!({"u_name": "a"}));
    job.variables.insert(
        "authentication".to_owned(),
        json!({"instance": "dev1", "type": "bearer", "token": "t"}),
    );
    let run = run_with(settings, secrets(), job, [refusal(401, "User Not Authenticated", "")]);
    assert_eq!(run.requests[0].body.as_ref().unwrap()["u_external_id"].as_str().unwrap().len(), 64);
}

#[test]
fn a_record_that_is_gone_again_when_it_is_to_be_changed_is_told() {
    let old = left_by("incident", json!({"urgency": 2}));
    let job = create_job("incident", json!({"urgency": 1}));
    let run = run(OnMismatch::Patch, job, [taken(), record(&old), no_record()]);
    assert!(run.incident().starts_with("SN_RECORD_NOT_FOUND"), "{}", run.incident());
}
