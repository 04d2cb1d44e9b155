//! upsert: update the one that matches, or create it.

use serde_json::{Value, json};

use crate::{
    connector::{
        Effect,
        testing::{Run, answer, job_with, no_record, run, silence},
    },
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
