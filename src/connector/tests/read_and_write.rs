//! get, update, delete and count.

use serde_json::{Value, json};

use crate::{
    connector::testing::{Run, answer, job_with, no_record, refusal, run, silence},
    servicenow::{NoAnswerCause, Reply},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn with(operation: &str, more: Value, replies: impl IntoIterator<Item = Reply>) -> Run {
    let mut variables = json!({"operation": operation, "table": "incident"});
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run(job_with(variables, json!({"resultVariable": "r"})), replies)
}

fn rows(rows: Value) -> Reply {
    answer(200, json!({"result": rows}))
}

#[test]
fn get_by_sys_id_asks_for_the_selected_fields() {
    let record = json!({"sys_id": ID, "number": "INC1", "state": "1"});
    let run = with("get", json!({"sysId": ID, "select": ["state"]}), [rows(record.clone())]);
    assert_eq!(
        run.targets(),
        [format!(
            "GET /api/now/table/incident/{ID}?sysparm_fields=state%2Csys_id%2Cnumber\
             &sysparm_exclude_reference_link=true"
        )]
    );
    let result = &run.completed()["r"];
    assert_eq!(result["outcome"], "read");
    assert_eq!(result["record"], record);
    assert_eq!(result["number"], "INC1");
}

#[test]
fn get_by_number_searches_for_two_to_know_of_one() {
    let found = rows(json!([{"sys_id": ID, "number": "INC0010001"}]));
    let run = with("get", json!({"number": "inc0010001", "displayValue": "all"}), [found]);
    assert_eq!(
        run.targets(),
        ["GET /api/now/table/incident?sysparm_query=number%3Dinc0010001%5EORDERBYsys_id\
          &sysparm_limit=2&sysparm_no_count=true&sysparm_display_value=all\
          &sysparm_exclude_reference_link=true"]
    );
    assert_eq!(run.completed()["r"]["sysId"], ID);
}

#[test]
fn a_selected_field_that_is_not_in_the_answer_is_said() {
    let said = "field 'numbr' was selected and is not in the answer: table 'incident' has no such \
                field, or the worker's user may not read it";
    let record = json!({"sys_id": ID, "number": "INC1", "state": "1"});
    let selecting = |operation, more: Value, reply| {
        let mut all = json!({"select": "numbr,state"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with(operation, all, [reply]).completed()["r"]["warnings"].clone()
    };
    let one = answer(200, json!({ "result": record.clone() }));
    assert_eq!(selecting("get", json!({"sysId": ID}), one.clone()), json!([said]));
    assert_eq!(selecting("get", json!({"number": "INC1"}), rows(json!([record]))), json!([said]));
    let fields = json!({"sysId": ID, "fields": {"state": "1"}});
    assert_eq!(selecting("update", fields, one.clone()), json!([said]));
    let created = selecting("create", json!({"fields": {"state": "1"}}), one);
    assert!(created.as_array().unwrap().contains(&json!(said)), "{created}");
}

#[test]
fn several_records_with_one_number_are_ambiguous() {
    let found = rows(json!([{"sys_id": ID, "number": "INC1"}, {"sys_id": "b", "number": "INC1"}]));
    let run = with("get", json!({"number": "INC1"}), [found]);
    assert!(run.incident().starts_with("SN_AMBIGUOUS"), "{}", run.incident());
}

#[test]
fn rows_that_do_not_match_betray_a_query_that_was_dropped() {
    let found = rows(json!([{"sys_id": ID}, {"sys_id": "b"}]));
    let run = with("get", json!({"number": "INC1"}), [found]);
    assert!(run.incident().contains("'number' cannot be searched"), "{}", run.incident());
}

#[test]
fn a_missing_record_is_an_error_or_null_as_the_author_likes() {
    for (which, reply) in
        [(json!({"sysId": ID}), no_record()), (json!({"number": "INC1"}), rows(json!([])))]
    {
        let run = with("get", which.clone(), [reply.clone()]);
        assert!(run.incident().starts_with("SN_RECORD_NOT_FOUND"), "{}", run.incident());
        assert!(run.incident().contains("incident"));
        let mut lenient = which;
        lenient["onMissing"] = "null".into();
        let run = with("get", lenient, [reply]);
        assert_eq!(run.completed()["r"]["outcome"], "absent");
        assert_eq!(run.completed()["r"]["record"], Value::Null);
    }
}

#[test]
fn update_patches_the_given_fields_only() {
    let echoed = json!({"sys_id": ID, "number": "INC1", "state": "2", "sys_mod_count": "5"});
    let run = with(
        "update",
        json!({"sysId": ID, "fields": {"state": 2, "work_notes": "seen", "close_code": null, "close_notes": {}}}),
        [rows(echoed)],
    );
    assert_eq!(run.methods(), ["PATCH"]);
    assert_eq!(run.requests[0].body, Some(json!({"state": "2", "work_notes": "seen"})));
    assert_eq!(run.completed()["r"]["outcome"], "updated");
    assert_eq!(
        run.completed()["r"]["warnings"],
        json!(["field 'close_code' is null and was left out"])
    );
}

#[test]
fn update_by_number_looks_it_up_and_tells_what_changed_nothing() {
    let found = || rows(json!([{"sys_id": ID, "number": "INC1", "sys_mod_count": "5"}]));
    let echoed = |count: &str| {
        rows(json!({"sys_id": ID, "number": "INC1", "state": "2", "sys_mod_count": count}))
    };
    let inputs = json!({"number": "INC1", "fields": {"state": "2"}});
    for (count, outcome) in [("5", "unchanged"), ("6", "updated")] {
        let run = with("update", inputs.clone(), [found(), echoed(count)]);
        assert_eq!(run.methods(), ["GET", "PATCH"]);
        assert_eq!(run.completed()["r"]["outcome"], outcome);
    }
}

#[test]
fn update_of_a_missing_record_is_an_error() {
    let run = with("update", json!({"sysId": ID, "fields": {"state": "2"}}), [no_record()]);
    assert!(run.incident().starts_with("SN_RECORD_NOT_FOUND: update incident: "));
    let run =
        with("update", json!({"number": "INC9", "fields": {"state": "2"}}), [rows(json!([]))]);
    assert!(run.incident().contains("'INC9'"), "{}", run.incident());
}

#[test]
fn a_lost_update_comes_back_later() {
    let lost = silence(NoAnswerCause::Broken, true);
    let run = with("update", json!({"sysId": ID, "fields": {"state": "2"}}), [lost]);
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"));
    assert_eq!(run.finished.summary.effect, None);
}

#[test]
fn delete_counts_an_absent_record_as_done() {
    let deleted = answer(204, json!(null));
    for (reply, outcome) in [(deleted, "deleted"), (no_record(), "absent")] {
        let run = with("delete", json!({"sysId": ID}), [reply]);
        assert_eq!(run.targets(), [format!("DELETE /api/now/table/incident/{ID}")]);
        assert_eq!(run.completed()["r"]["outcome"], outcome);
        assert_eq!(run.completed()["r"]["sysId"], ID);
    }
    let run = with("delete", json!({"sysId": ID}), [refusal(400, "Invalid table incident", "")]);
    assert!(run.incident().starts_with("SN_TABLE_NOT_FOUND"));
}

#[test]
fn delete_by_number_looks_it_up() {
    let found = rows(json!([{"sys_id": ID, "number": "INC1"}]));
    let run = with("delete", json!({"number": "INC1"}), [found, answer(204, json!(null))]);
    assert_eq!(run.methods(), ["GET", "DELETE"]);
    assert_eq!(run.completed()["r"]["outcome"], "deleted");
    let run = with("delete", json!({"number": "INC1"}), [rows(json!([]))]);
    assert_eq!(run.completed()["r"]["outcome"], "absent");
}

#[test]
fn a_delete_whose_answer_was_lost_is_done_when_it_is_repeated() {
    for which in [json!({"sysId": ID}), json!({"number": "INC1"})] {
        let by_number = which.get("number").is_some();
        let found = || by_number.then(|| rows(json!([{"sys_id": ID, "number": "INC1"}])));
        let lost = silence(NoAnswerCause::Broken, true);
        let first = with("delete", which.clone(), found().into_iter().chain([lost]));
        assert!(first.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", first.handed_back());
        let gone = if by_number { rows(json!([])) } else { no_record() };
        let again = with("delete", which.clone(), [gone]);
        assert_eq!(again.completed()["r"]["outcome"], "absent");
        let between = with("delete", which, found().into_iter().chain([no_record()]));
        assert_eq!(between.completed()["r"]["outcome"], "absent");
    }
}

#[test]
fn an_empty_204_is_an_answer_for_delete() {
    let empty = Ok(crate::servicenow::Response {
        status: 204,
        headers: Vec::new(),
        body: bytes::Bytes::new(),
    });
    let run = with("delete", json!({"sysId": ID}), [empty]);
    assert_eq!(run.completed()["r"]["outcome"], "deleted");
}

#[test]
fn count_gives_a_number() {
    let reply = answer(200, json!({"result": {"stats": {"count": "42"}}}));
    let run = with("count", json!({"query": {"active": true}}), [reply]);
    assert_eq!(
        run.targets(),
        ["GET /api/now/stats/incident?sysparm_count=true&sysparm_query=active%3Dtrue"]
    );
    assert_eq!(
        run.completed()["r"],
        json!({"outcome": "counted", "table": "incident", "count": 42, "warnings": []})
    );
    let run = with("count", json!({}), [answer(200, json!({"result": {}}))]);
    assert!(run.incident().starts_with("SN_UNEXPECTED_RESPONSE"));
}

#[test]
fn a_field_that_became_null_is_left_out_and_said() {
    let record = json!({"sys_id": ID, "number": "INC1", "impact": "2", "correlation_id": "x"});
    let fields = json!({
        "fields": {"short_description": null, "impact": 2, "urgency": {}},
        "otherFields": null, "sysId": ID, "matchOn": "impact",
    });
    for (operation, replies) in [
        ("create", vec![answer(201, json!({ "result": record.clone() }))]),
        ("update", vec![answer(200, json!({ "result": record.clone() }))]),
        ("upsert", vec![rows(json!([record])), answer(200, json!({ "result": record }))]),
    ] {
        let run = with(operation, fields.clone(), replies);
        let body = run.requests.last().unwrap().body.clone().unwrap();
        assert_eq!(body["impact"], "2");
        assert!(body.get("short_description").is_none() && body.get("urgency").is_none());
        let result = run.completed();
        let warnings = result["r"]["warnings"].as_array().unwrap();
        for said in [
            "field 'short_description' is null and was left out",
            "otherFields is null and was left out",
        ] {
            assert!(warnings.contains(&json!(said)), "{operation}: {warnings:?}");
        }
        let all = result["r"]["warnings"].to_string();
        assert!(!all.contains("urgency"), "{operation}: {all}");
    }
}
