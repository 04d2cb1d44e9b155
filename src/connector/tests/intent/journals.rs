//! Journal entries are written once.

use serde_json::{Value, json};

use super::{ID, LATER, attempt, failed_with, has_intent, killed_after, lost};
use crate::{
    connector::testing::{
        NOW, answer, answer_with, config, job_with, no_record, refusal, run_at, secrets, silence,
    },
    job::Job,
    outcome::Outcome,
    servicenow::{NoAnswerCause, Reply},
};

fn job(fields: Value) -> Job {
    let variables =
        json!({"operation": "update", "table": "incident", "sysId": ID, "fields": fields});
    job_with(variables, json!({"resultVariable": "r"}))
}

fn note() -> Job {
    job(json!({"state": 2, "work_notes": "called\nback"}))
}

fn updated() -> Reply {
    answer(200, json!({"result": {"sys_id": ID, "state": "2"}}))
}

fn entry(element: &str, text: &str, created: &str) -> Value {
    json!({"element_id": ID, "element": element, "value": text, "sys_created_on": created})
}

fn entries(rows: Value) -> Reply {
    let count = rows.as_array().unwrap().len().to_string();
    answer_with(200, &[("X-Total-Count", &count)], json!({ "result": rows }))
}

/// The next attempt of a job that was killed in the middle of its write.
fn killed(job: &Job) -> Job {
    let run = attempt(NOW, job, [lost()]);
    killed_after(job, &run, 0)
}

/// The one after that: it has looked too early, and been away until the write is over.
fn back(job: &Job) -> Job {
    let job = killed(job);
    failed_with(&job, &attempt(NOW, &job, [entries(json!([]))]))
}

#[test]
fn a_write_without_journal_entries_needs_no_note() {
    for fields in [json!({"state": 2}), json!({"state": 2, "comments": " "})] {
        let run = attempt(NOW, &job(fields), [updated()]);
        assert_eq!(run.notes, [None]);
    }
}

#[test]
fn every_field_that_appends_is_an_entry() {
    for field in ["comments", "work_notes", "comments_and_work_notes", "approval_history"] {
        let run = attempt(NOW, &job(json!({ field: "x" })), [updated()]);
        assert!(run.notes[0].is_some(), "{field}");
    }
    let mut own = config();
    own.connections.get_mut("default").unwrap().journal_fields = vec!["u_log".to_owned()];
    let logged = job(json!({"state": 2, "u_log": "called"}));
    let run = run_at(NOW, own.clone(), secrets(), logged.clone(), [lost()]);
    let again = killed_after(&logged, &run, 0);
    let there = entries(json!([entry("u_log", "called", "2026-06-01 12:00:00")]));
    let run = run_at(LATER, own, secrets(), again, [there, updated()]);
    assert_eq!(run.requests[1].body, Some(json!({"state": "2"})));
    assert_eq!(run.methods(), ["GET", "PATCH"]);
    // Of a field that is not known as a journal, what comes back tells.
    let plain = attempt(NOW, &logged, [updated()]);
    assert_eq!(plain.notes, [None]);
    let warnings = plain.completed()["r"]["warnings"].to_string();
    assert!(warnings.contains("u_log"), "{warnings}");
}

#[test]
fn a_write_with_entries_is_noted_first_and_costs_no_other_call() {
    let run = attempt(NOW, &note(), [updated()]);
    assert_eq!(run.methods(), ["PATCH"]);
    let intent = &run.notes[0].as_ref().unwrap()["serviceNowIntent"];
    assert_eq!(intent["jobKey"], "2251799813685255");
    assert_eq!(intent["operation"], "update");
    let target = format!("https://dev1.service-now.com/incident.do?sys_id={ID}");
    assert_eq!(intent["target"], target);
    assert_eq!((&intent["at"], &intent["since"]), (&json!(NOW), &json!(NOW)));
}

#[test]
fn an_entry_that_is_there_is_not_written_again_and_the_rest_is() {
    let job = killed(&note());
    let there = entries(json!([entry("work_notes", " called\r\nback", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [there, updated()]);
    assert_eq!(run.methods(), ["GET", "PATCH"]);
    let query = "sysparm_query=element_id%3D6816f79cc0a8016401c5a33be04be441\
                 %5EelementINwork_notes%5Esys_created_on%3E%3D2026-05-31%2021%3A55%3A00\
                 %5EORDERBYDESCsys_created_on&sysparm_limit=500&sysparm_fields=";
    let target = format!("GET /api/now/table/sys_journal_field?{query}");
    assert!(run.targets()[0].starts_with(&target), "{}", run.targets()[0]);
    assert_eq!(run.requests[1].body, Some(json!({"state": "2"})));
    assert_eq!(run.notes, [None, None]);
    let result = &run.completed()["r"];
    assert_eq!(result["outcome"], "updated");
    let warning = "work_notes was written by an earlier attempt of this job and not again";
    assert_eq!(result["warnings"], json!([warning]));
}

#[test]
fn a_write_of_nothing_but_an_entry_that_is_there_reads_the_record() {
    let job = killed(&job(json!({"work_notes": "called"})));
    let there = entries(json!([entry("work_notes", "called", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [there, updated()]);
    assert_eq!(run.methods(), ["GET", "GET"]);
    assert!(run.targets()[1].starts_with(&format!("GET /api/now/table/incident/{ID}?")));
    assert_eq!(run.completed()["r"]["sysId"], ID);
}

#[test]
fn an_entry_that_is_not_there_is_written_and_noted_anew() {
    let job = back(&note());
    let others = entries(json!([
        entry("work_notes", "called", "2026-06-01 12:00:01"),
        entry("comments", "called\nback", "2026-06-01 12:00:01"),
        entry("work_notes", "called\nback", "2026-06-01 11:54:59"),
        {"element_id": "b", "element": "work_notes", "value": "called\nback",
            "sys_created_on": "2026-06-01 12:00:01"},
    ]));
    let run = attempt(LATER, &job, [others, updated()]);
    assert_eq!(run.methods(), ["GET", "PATCH"]);
    assert_eq!(run.requests[1].body, Some(json!({"state": "2", "work_notes": "called\nback"})));
    let intent = &run.notes[1].as_ref().unwrap()["serviceNowIntent"];
    assert_eq!((&intent["at"], &intent["since"]), (&json!(LATER), &json!(LATER)));
    assert_eq!(run.completed()["r"]["warnings"], json!([]));
}

#[test]
fn a_look_that_comes_too_early_to_see_it_is_repeated_when_the_request_is_over() {
    // Whatever the clock says: another worker may have written the time down, by its own.
    for clock in [NOW, "2026-06-01T11:58:00Z", "2026-06-01T18:00:00Z"] {
        let job = killed(&note());
        let run = attempt(clock, &job, [entries(json!([]))]);
        assert!(run.handed_back().contains("may still be writing work_notes"));
        let Outcome::Fail { retry_backoff, .. } = run.finished.outcome else {
            panic!("not failed")
        };
        assert!((125..=157).contains(&retry_backoff.as_secs()), "{retry_backoff:?}");
        let job = failed_with(&job, &run);
        let there = entries(json!([entry("work_notes", "called\nback", "2026-06-01 12:01:00")]));
        assert_eq!(
            attempt(clock, &job, [there, updated()]).requests[1].body,
            Some(json!({"state": "2"}))
        );
        let run = attempt(clock, &job, [entries(json!([])), updated()]);
        assert_eq!(run.methods(), ["GET", "PATCH"]);
        assert_ne!(
            run.notes[1].as_ref().unwrap()["serviceNowIntent"]["attempt"],
            job.variables["serviceNowIntent"]["attempt"],
            "a new attempt, of which nothing has been said"
        );
    }
}

#[test]
fn an_error_expression_does_not_bring_a_job_back_before_the_request_is_over() {
    let headers = json!({"errorExpression": "=jobError(\"soon\", {}, 3, @\"PT1S\")"});
    let hasty = Job { custom_headers: headers.as_object().unwrap().clone(), ..killed(&note()) };
    let run = attempt(NOW, &hasty, [entries(json!([]))]);
    let Outcome::Fail { retries: 3, retry_backoff, .. } = run.finished.outcome else {
        panic!("not failed")
    };
    assert_eq!(retry_backoff.as_secs(), 125);
    let run = attempt(LATER, &failed_with(&hasty, &run), [entries(json!([])), updated()]);
    assert_eq!(run.methods(), ["GET", "PATCH"]);
}

#[test]
fn of_two_entries_the_missing_one_is_written_and_the_first_attempt_still_counts() {
    let job = back(&job(json!({"work_notes": "w", "comments": "c"})));
    let there = entries(json!([entry("work_notes", "w", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [there, answer(429, json!({}))]);
    assert_eq!(run.requests[1].body, Some(json!({"comments": "c"})));
    let intent = &run.notes[1].as_ref().unwrap()["serviceNowIntent"];
    assert_eq!((&intent["at"], &intent["since"]), (&json!(LATER), &json!(NOW)));
    let next = failed_with(&job, &run);
    assert!(has_intent(&next), "w would be written again");
}

/// Ways in which ServiceNow keeps entries from a user.
fn unreadable() -> [Reply; 4] {
    let hidden = answer_with(200, &[("X-Total-Count", "2")], json!({"result": []}));
    let bare = answer(200, json!({"result": [{"element_id": ID}]}));
    [refusal(403, "x", "y"), no_record(), hidden, bare]
}

/// The record with its journals, shown two hours ahead of UTC.
fn shown(work_notes: &str) -> Reply {
    answer(
        200,
        json!({"result": {
            "sys_updated_on":
                {"display_value": "2026-06-01 14:00:01", "value": "2026-06-01 12:00:01"},
            "work_notes": {"display_value": work_notes, "value": ""},
        }}),
    )
}

#[test]
fn entries_that_cannot_be_read_are_looked_for_where_the_record_shows_them() {
    let there = "2026-06-01 14:00:01 - Worker (Work notes)\ncalled\nback\n\n";
    let older = "2026-06-01 13:54:59 - Worker (Work notes)\ncalled\nback\n\n";
    for unreadable in unreadable() {
        let job = killed(&note());
        let run = attempt(LATER, &job, [unreadable.clone(), shown(there), updated()]);
        assert_eq!(run.methods(), ["GET", "GET", "PATCH"]);
        let target = format!(
            "GET /api/now/table/incident/{ID}?sysparm_fields=work_notes%2Csys_updated_on\
             &sysparm_display_value=all&"
        );
        assert!(run.targets()[1].starts_with(&target), "{}", run.targets()[1]);
        assert_eq!(run.requests[2].body, Some(json!({"state": "2"})));
        let run = attempt(LATER, &back(&note()), [unreadable, shown(older), updated()]);
        assert_eq!(run.requests[2].body.as_ref().unwrap()["work_notes"], "called\nback");
        assert_eq!(run.completed()["r"]["warnings"], json!([]));
    }
}

#[test]
fn entries_that_can_be_read_nowhere_are_written_again_with_a_warning() {
    let nowhere = [answer(200, json!({"result": {}})), shown("01/06/26 - x"), no_record()];
    for (unreadable, nowhere) in unreadable().into_iter().zip(nowhere) {
        let job = killed(&note());
        let run = attempt("2026-06-01T12:00:20Z", &job, [unreadable, nowhere, updated()]);
        assert_eq!(run.methods(), ["GET", "GET", "PATCH"]);
        assert_eq!(run.requests[2].body.as_ref().unwrap()["work_notes"], "called\nback");
        let intent = &run.notes[2].as_ref().unwrap()["serviceNowIntent"];
        assert_eq!(intent["since"], NOW, "the first attempt still counts");
        let warnings = run.completed()["r"]["warnings"].to_string();
        assert!(warnings.contains("work_notes may be there twice"), "{warnings}");
        assert!(warnings.contains("sys_journal_field"), "{warnings}");
    }
}

#[test]
fn a_connection_that_may_not_read_the_entries_looks_at_the_record_alone() {
    let job = killed(&note());
    let mut config = config();
    let tables = &mut config.connections.get_mut("default").unwrap().tables;
    tables.read = vec!["incident".to_owned()];
    let run = run_at(LATER, config, secrets(), job, [answer(200, json!({})), updated()]);
    assert_eq!(run.methods(), ["GET", "PATCH"]);
    assert!(run.targets()[0].contains(&format!("/incident/{ID}")));
    let warnings = run.completed()["r"]["warnings"].to_string();
    assert!(warnings.contains("tables forbid it"), "{warnings}");
}

#[test]
fn a_look_that_fails_for_now_leaves_everything_for_later() {
    for busy in [answer(503, json!({})), silence(NoAnswerCause::Timeout, true)] {
        let job = killed(&note());
        let twice = attempt(LATER, &job, [refusal(403, "x", "y"), busy.clone()]);
        let once = attempt(LATER, &job, [busy]);
        for run in [once, twice] {
            assert!(run.methods().iter().all(|method| *method == "GET"));
            assert!(!run.handed_back().is_empty());
            assert!(has_intent(&failed_with(&job, &run)));
        }
    }
}

#[test]
fn a_lost_answer_keeps_the_intent_and_a_sure_refusal_takes_it_away() {
    for (reply, stays) in [
        (lost(), true),
        (answer(503, json!({})), true),
        (answer(429, json!({})), false),
        (no_record(), false),
        (silence(NoAnswerCause::Unreachable, false), false),
    ] {
        let job = note();
        let run = attempt(NOW, &job, [reply.clone()]);
        let next = failed_with(&job, &run);
        assert_eq!(has_intent(&next), stays, "{reply:?}");
        if !stays {
            assert_eq!(attempt(LATER, &next, [updated()]).methods(), ["PATCH"]);
        }
    }
}

#[test]
fn an_intent_for_another_record_is_none_for_this_one() {
    let mut job = killed(&note());
    job.variables["sysId"] = "0000000000000000000000000000000b".into();
    assert_eq!(attempt(LATER, &job, [updated()]).methods(), ["PATCH"]);
}

#[test]
fn a_record_found_by_its_number_is_noted_by_its_sys_id() {
    let mut first = note();
    first.variables.remove("sysId");
    first.variables.insert("number".to_owned(), "INC1".into());
    let row = || answer(200, json!({"result": [{"sys_id": ID, "number": "INC1"}]}));
    let run = attempt(NOW, &first, [row(), lost()]);
    assert!(run.notes[0].is_none() && run.notes[1].is_some());
    let job = killed_after(&first, &run, 1);
    let there = entries(json!([entry("work_notes", "called\nback", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [row(), there, updated()]);
    assert_eq!(run.methods(), ["GET", "GET", "PATCH"]);
    assert_eq!(run.requests[2].body, Some(json!({"state": "2"})));
}

#[test]
fn an_upsert_writes_entries_of_a_record_that_is_there_once_too() {
    let variables = json!({
        "operation": "upsert", "table": "u_case", "matchOn": "u_order",
        "fields": {"u_order": "A-7", "work_notes": "seen"},
    });
    let first = job_with(variables, json!({}));
    let row = || answer(200, json!({"result": [{"sys_id": ID, "u_order": "A-7"}]}));
    let run = attempt(NOW, &first, [row(), lost()]);
    let job = killed_after(&first, &run, 1);
    let there = entries(json!([entry("work_notes", "seen", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [row(), there, updated()]);
    assert_eq!(run.methods(), ["GET", "GET", "PATCH"]);
    assert_eq!(run.requests[2].body, Some(json!({"u_order": "A-7"})));
    let created = answer(201, json!({"result": {"sys_id": ID, "u_order": "A-7"}}));
    let run = attempt(NOW, &first, [answer(200, json!({"result": []})), created]);
    assert_eq!(run.notes, [None, None], "an insert is once by its sys_id");
}

#[test]
fn an_entry_of_the_merged_journal_may_be_in_either() {
    let job = killed(&job(json!({"comments_and_work_notes": "both"})));
    let there = entries(json!([entry("comments", "both", "2026-06-01 12:00:01")]));
    let run = attempt(LATER, &job, [there, updated()]);
    assert!(run.targets()[0].contains("comments%2Ccomments_and_work_notes%2Cwork_notes"));
    assert_eq!(run.methods(), ["GET", "GET"]);
}
