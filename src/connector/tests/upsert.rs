//! upsert: update the one that matches, or create it.

use serde_json::{Value, json};

use crate::{
    connector::{
        Effect,
        testing::{Run, answer, job_with, no_record, refusal, run, silence},
    },
    job::Job,
    servicenow::{NoAnswerCause, Reply},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn upsert(replies: impl IntoIterator<Item = Reply>) -> Run {
    upsert_with(json!("u_order"), replies)
}

fn upsert_with(match_on: Value, replies: impl IntoIterator<Item = Reply>) -> Run {
    let variables = json!({
        "operation": "upsert", "table": "u_case", "matchOn": match_on,
        "fields": {"u_order": "A-7", "state": 2},
    });
    run(job_with(variables, json!({"resultVariable": "r"})), replies)
}

fn rows(rows: Value) -> Reply {
    answer(200, json!({"result": rows}))
}

fn echoed(id: &str) -> Value {
    json!({"sys_id": id, "u_order": "A-7", "state": "2", "sys_mod_count": "1"})
}

#[test]
fn no_match_creates_with_the_jobs_own_id() {
    let lost = upsert([rows(json!([])), answer(429, json!({}))]);
    let body = lost.requests[1].body.clone().unwrap();
    let id = body["sys_id"].as_str().unwrap();
    let run = upsert([rows(json!([])), answer(201, json!({"result": echoed(id)}))]);
    assert!(
        run.targets()[0].starts_with(
            "GET /api/now/table/u_case?sysparm_query=u_order%3DA-7%5EORDERBYsys_id&sysparm_limit=2"
        ),
        "{:?}",
        run.targets()
    );
    assert_eq!(run.methods(), ["GET", "POST"]);
    assert_eq!(run.completed()["r"]["outcome"], "created");
    assert_eq!(run.finished.summary.effect, Some(Effect::Created));
}

#[test]
fn one_match_is_updated() {
    let found = rows(json!([{"sys_id": ID, "u_order": "A-7", "sys_mod_count": "0"}]));
    let run = upsert([found, rows(echoed(ID))]);
    assert_eq!(run.methods(), ["GET", "PATCH"]);
    assert!(run.targets()[1].starts_with(&format!("PATCH /api/now/table/u_case/{ID}?")));
    assert_eq!(run.completed()["r"]["outcome"], "updated");
}

#[test]
fn a_record_that_an_earlier_attempt_created_is_adopted() {
    let lost = upsert([rows(json!([])), answer(429, json!({}))]);
    let id = lost.requests[1].body.as_ref().unwrap()["sys_id"].as_str().unwrap().to_owned();
    let run = upsert([rows(json!([echoed(&id)])), rows(echoed(&id))]);
    assert_eq!(run.methods(), ["GET", "GET"]);
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
}

#[test]
fn a_lost_insert_is_looked_up_by_id() {
    let lost = silence(NoAnswerCause::Broken, true);
    let run =
        upsert([rows(json!([])), lost, no_record(), answer(201, json!({"result": echoed(ID)}))]);
    assert_eq!(run.methods(), ["GET", "POST", "GET", "POST"]);
}

#[test]
fn several_matches_are_ambiguous() {
    let found = rows(json!([{"sys_id": "a", "u_order": "A-7"}, {"sys_id": "b", "u_order": "a-7"}]));
    let run = upsert([found]);
    assert!(run.incident().starts_with("SN_AMBIGUOUS"), "{}", run.incident());
    assert!(run.incident().contains("u_order 'A-7'"));
}

#[test]
fn a_row_that_does_not_match_is_never_patched() {
    for row in [json!({"sys_id": ID}), json!({"sys_id": ID, "u_order": "B-1"})] {
        let run = upsert([rows(json!([row]))]);
        assert_eq!(run.methods(), ["GET"]);
        assert!(run.incident().contains("'u_order' cannot be searched"), "{}", run.incident());
    }
}

#[test]
fn match_on_needs_names_with_values() {
    for (match_on, said) in [
        (json!(null), "matchOn is missing"),
        (json!([]), "matchOn is missing"),
        (json!(["u_nope"]), "matchOn names 'u_nope'"),
        (json!(7), "matchOn is a number"),
        (json!("a^b"), "'a^b' is no field name"),
    ] {
        let run = upsert_with(match_on, []);
        assert!(run.incident().contains(said), "{}", run.incident());
    }
}

/// The same on a table that has room for our marks.
fn ticket(urgency: u8) -> Job {
    let variables = json!({
        "operation": "upsert", "table": "incident", "matchOn": "u_order",
        "fields": {"u_order": "A-7", "urgency": urgency, "work_notes": "seen"},
    });
    job_with(variables, json!({"resultVariable": "r"}))
}

/// What an attempt leaves behind.
fn left_by(job: Job) -> Value {
    let refused = refusal(401, "User Not Authenticated", "");
    run(job, [rows(json!([])), refused]).requests[1].body.clone().unwrap()
}

#[test]
fn an_upsert_whose_insert_was_lost_adopts_its_record_and_writes_no_note_again() {
    let left = left_by(ticket(2));
    let replies = [rows(json!([left])), rows(left.clone())];
    let run = run(ticket(2), replies);
    assert_eq!(run.methods(), ["GET", "GET"]);
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
    assert_eq!(run.completed()["r"]["warnings"], json!([]));
    assert_eq!(run.finished.summary.effect, Some(Effect::Adopted));
}

#[test]
fn an_upsert_whose_update_was_lost_does_the_same_again() {
    let found = || rows(json!([{"sys_id": ID, "u_order": "A-7", "sys_mod_count": "0"}]));
    let lost = upsert([found(), silence(NoAnswerCause::Broken, true)]);
    assert!(lost.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", lost.handed_back());
    assert_eq!(lost.finished.summary.effect, None, "it created nothing");
    let again = upsert([found(), rows(echoed(ID))]);
    assert_eq!(again.requests[1].body, lost.requests[1].body);
    assert_eq!(again.completed()["r"]["outcome"], "updated");
}

#[test]
fn an_upsert_of_changed_fields_changes_its_own_record_as_any_other() {
    let (old, new) = (left_by(ticket(2)), left_by(ticket(1)));
    let replies = [rows(json!([old])), rows(old.clone()), rows(new.clone())];
    let run = run(ticket(1), replies);
    assert_eq!(run.methods(), ["GET", "GET", "PATCH"]);
    let body = run.requests[2].body.as_ref().unwrap();
    assert_eq!((&body["urgency"], body.get("work_notes")), (&json!("1"), None));
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
}

#[test]
fn an_upsert_knows_its_record_by_the_mark_where_the_id_was_not_honoured() {
    let mut left = left_by(ticket(2));
    left["sys_id"] = ID.into();
    let run = run(ticket(2), [rows(json!([left])), rows(left.clone())]);
    assert_eq!(run.methods(), ["GET", "GET"]);
    assert!(run.targets()[1].starts_with(&format!("GET /api/now/table/incident/{ID}?")));
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
}
