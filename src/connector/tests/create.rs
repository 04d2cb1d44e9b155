//! One record per job.

use serde_json::{Value, json};

use crate::{
    connector::{
        Connector, Effect,
        testing::{
            NOW, Run, answer, answer_with, config, job, job_with, no_record, raw, refusal, run,
            run_on, secrets, silence,
        },
    },
    job::Job,
    servicenow::{NoAnswerCause, Reason, Reply},
};

/// The id that this job always asks for.
fn own_id() -> String {
    let run = run(incident(), [refusal(401, "User Not Authenticated", "")]);
    run.requests[0].body.as_ref().unwrap()["sys_id"].as_str().unwrap().to_owned()
}

fn incident() -> Job {
    let fields = json!({"short_description": "down", "urgency": 2});
    job_with(
        json!({"operation": "create", "table": "incident", "fields": fields}),
        json!({"resultVariable": "r"}),
    )
}

/// The record as ServiceNow answers it.
fn row(id: &str, marker: &Value) -> Value {
    json!({"result": {
        "sys_id": id, "number": "INC0010001", "short_description": "down", "urgency": "2",
        "correlation_id": marker,
    }})
}

fn created() -> Reply {
    answer(201, row(&own_id(), &json!("")))
}

fn there() -> Reply {
    answer(200, row(&own_id(), &marker()))
}

/// No record has the mark.
fn none() -> Reply {
    answer(200, json!({"result": []}))
}

fn marker() -> Value {
    let run = run(incident(), [refusal(401, "User Not Authenticated", "")]);
    run.requests[0].body.as_ref().unwrap()["correlation_id"].clone()
}

fn create(replies: impl IntoIterator<Item = Reply>) -> Run {
    run(incident(), replies)
}

#[test]
fn one_request_creates_the_record_with_identity_and_marks() {
    let run = create([created()]);
    assert_eq!(
        run.targets(),
        ["POST /api/now/table/incident?sysparm_fields=sys_id%2Cnumber%2Cshort_description\
          %2Curgency%2Ccorrelation_id%2Ccorrelation_display&sysparm_exclude_reference_link=true"]
    );
    let body = run.requests[0].body.as_ref().unwrap();
    assert_eq!(body["short_description"], "down");
    assert_eq!(body["urgency"], "2");
    assert_eq!(body["correlation_display"], "camunda:2251799813685249:a653c172");
    assert_eq!(body["correlation_id"].as_str().unwrap().len(), 64);
    let result = &run.completed()["r"];
    assert_eq!(result["outcome"], "created");
    assert_eq!(result["sysId"], own_id());
    assert_eq!(result["number"], "INC0010001");
    assert_eq!(result["table"], "incident");
    assert_eq!(
        result["url"],
        format!("https://dev1.service-now.com/incident.do?sys_id={}", own_id())
    );
    assert_eq!(result["warnings"], json!([]));
    assert_eq!(run.finished.summary.effect, Some(Effect::Created));
    assert_eq!(run.finished.summary.calls, 1);
}

#[test]
fn a_lost_answer_does_not_create_a_second_record() {
    for doubt in [
        silence(NoAnswerCause::Timeout, true),
        silence(NoAnswerCause::Broken, true),
        silence(NoAnswerCause::TooLarge, true),
        answer(202, json!({})),
        answer(500, json!({})),
        refusal(403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
        refusal(500, "Unique Key violation detected by database", "Duplicate entry"),
        answer(409, json!({})),
        answer(201, json!({"result": {}})),
        raw(201, "application/json", &[], "{\"result\": {\"sys".to_owned()),
        answer(200, json!({"result": {}, "error": {"message": "Transaction cancelled"}})),
    ] {
        let run = create([doubt, there()]);
        assert_eq!(run.methods(), ["POST", "GET"]);
        assert!(run.targets()[1].starts_with(&format!("GET /api/now/table/incident/{}", own_id())));
        assert_eq!(run.completed()["r"]["outcome"], "adopted");
        assert_eq!(run.completed()["r"]["warnings"], json!([]));
        assert_eq!(run.finished.summary.effect, Some(Effect::Adopted));
    }
}

#[test]
fn the_same_insert_goes_out_once_more_when_the_first_left_nothing() {
    let run = create([silence(NoAnswerCause::Timeout, true), no_record(), none(), created()]);
    assert_eq!(run.methods(), ["POST", "GET", "GET", "POST"]);
    assert_eq!(run.requests[0].body, run.requests[3].body);
    assert_eq!(run.completed()["r"]["outcome"], "created");
}

#[test]
fn an_insert_taken_for_an_update_is_an_adoption_and_writes_no_entry_again() {
    let connector = Connector::new(config());
    let plain = |replies: Vec<Reply>| run_on(&connector, NOW, secrets(), incident(), replies);
    let run = plain(vec![there()]);
    assert_eq!(run.methods(), ["POST"]);
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
    assert_eq!(run.finished.summary.effect, Some(Effect::Adopted));
    let warnings = run.completed()["r"]["warnings"].to_string();
    assert!(warnings.contains("took the insert for an update"), "{warnings}");
    assert_eq!(plain(vec![created()]).methods(), ["POST"]);

    let mut noting = incident();
    noting.variables["fields"]["work_notes"] = "called".into();
    let noting = |replies: Vec<Reply>| run_on(&connector, NOW, secrets(), noting.clone(), replies);
    let again = noting(vec![there()]);
    assert_eq!(again.methods(), ["GET"]);
    assert_eq!(again.completed()["r"]["outcome"], "adopted");
    let new = noting(vec![no_record(), created()]);
    assert_eq!(new.methods(), ["GET", "POST"]);
    assert_eq!(new.completed()["r"]["outcome"], "created");
    let unseen = noting(vec![refusal(403, "Insufficient rights", ""), created()]);
    assert_eq!(unseen.methods(), ["GET", "POST"]);
    let warnings = unseen.completed()["r"]["warnings"].to_string();
    assert!(warnings.contains("may be there twice"), "{warnings}");
    let away = noting(vec![answer(503, json!({}))]);
    assert!(away.handed_back().starts_with("SN_BUSY"), "{}", away.handed_back());
    assert_eq!((away.methods(), away.finished.summary.effect), (vec!["GET"], None));
}

#[test]
fn a_conflict_over_our_own_id_is_no_conflict_with_others() {
    let taken = |id: &str| refusal(409, "Unique Key violation", &format!("Duplicate entry '{id}'"));
    let run = create([taken(&own_id().to_uppercase()), no_record(), none()]);
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
    assert!(run.handed_back().contains("let it read the table"), "{}", run.handed_back());
    let run = create([taken("INC0010001"), no_record(), none()]);
    assert!(run.incident().starts_with("SN_CONFLICT"), "{}", run.incident());
}

#[test]
fn a_second_insert_that_is_refused_finds_its_record_whatever_the_status() {
    for status in [400, 403, 409, 500] {
        let taken =
            refusal(status, "Operation Failed", "Unique Key violation detected by database");
        let run = create([taken, there()]);
        assert_eq!(run.methods(), ["POST", "GET"], "{status}");
        assert_eq!(run.completed()["r"]["outcome"], "adopted");
    }
    let invalid = refusal(400, "Invalid value", "Exception while reading request");
    assert_eq!(create([invalid]).methods(), ["POST"]);
}

#[test]
fn two_inserts_are_enough_for_one_run() {
    let lost = || silence(NoAnswerCause::Broken, true);
    let run = create([lost(), no_record(), none(), lost(), no_record(), none()]);
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
    assert!(run.handed_back().contains(&own_id()));
    assert_eq!(run.finished.summary.effect, Some(Effect::Unknown));
}

#[test]
fn a_failed_look_leaves_the_outcome_unknown_and_the_retries_alone() {
    for failed in [
        silence(NoAnswerCause::Unreachable, false),
        answer(503, json!({})),
        refusal(401, "User Not Authenticated", ""),
        answer_with(429, &[("X-RateLimit-Rule", "r"), ("Retry-After", "60")], json!({})),
        raw(404, "text/html", &[], "<html>proxy</html>".to_owned()),
    ] {
        let run = create([silence(NoAnswerCause::Timeout, true), failed]);
        assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
        assert_eq!(run.finished.summary.result, Err(Reason::OutcomeUnknown));
    }
}

#[test]
fn what_was_refused_before_anything_ran_needs_no_look() {
    for (refused, reason) in [
        (refusal(400, "Invalid table incident", ""), Reason::TableNotFound),
        (refusal(401, "User Not Authenticated", ""), Reason::Unauthenticated),
        (answer(429, json!({})), Reason::Busy),
        (silence(NoAnswerCause::Unreachable, false), Reason::Unreachable),
        (
            raw(200, "text/html", &[], "<h1>Your instance is hibernating</h1>".into()),
            Reason::Asleep,
        ),
    ] {
        let run = create([refused]);
        assert_eq!(run.finished.summary.result, Err(reason));
        assert_eq!(run.finished.summary.effect, None);
    }
}

#[test]
fn what_the_insert_said_holds_when_the_record_is_not_there() {
    let policy = "Data Policy Exception: The following fields are mandatory: Resolution code";
    let run = create([refusal(403, "Operation Failed", policy), no_record(), none()]);
    assert!(run.incident().starts_with("SN_DATA_POLICY: create incident: "), "{}", run.incident());
    assert!(run.incident().contains("Resolution code"));
    let run = create([answer(503, json!({})), no_record(), none()]);
    assert!(run.handed_back().starts_with("SN_BUSY"));
}

#[test]
fn who_may_neither_write_nor_read_gets_the_first_refusal() {
    let acl = "ACL Exception Insert Failed due to security constraints";
    let run = create([
        refusal(403, "Operation Failed", acl),
        refusal(403, "Insufficient rights to query records", ""),
    ]);
    assert!(run.incident().starts_with("SN_FORBIDDEN"), "{}", run.incident());
    assert!(run.incident().contains("Insert Failed"));
}

#[test]
fn another_id_than_asked_for_is_kept_and_said() {
    let other = "0123456789abcdef0123456789abcdef";
    let run = create([answer(201, row(other, &json!("")))]);
    let result = &run.completed()["r"];
    assert_eq!(result["sysId"], other);
    let warning = result["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("sys_id not honoured"), "{warning}");
}

#[test]
fn dropped_fields_are_said_with_what_was_asked_and_what_is() {
    let reply =
        json!({"result": {"sys_id": own_id(), "short_description": "down", "urgency": "3"}});
    let run = create([answer(201, reply)]);
    assert_eq!(
        run.completed()["r"]["warnings"],
        json!(["field 'urgency' was asked to be '2' and is '3'"])
    );
    assert_eq!(run.finished.summary.warnings.len(), 1);
}

#[test]
fn the_authors_own_marks_are_never_overwritten() {
    let id = "aaaabbbbccccddddeeeeffff00001111";
    let fields = json!({
        "sys_id": id, "correlation_id": "mine", "correlation_display": "SAP",
        "short_description": "x",
    });
    let variables = json!({"operation": "create", "table": "incident", "fields": fields});
    let run = run(job(variables), [answer(201, json!({"result": fields}))]);
    assert_eq!(run.requests[0].body, Some(fields));
    assert!(run.finished.summary.warnings.is_empty());
}

#[test]
fn a_record_of_somebody_else_under_the_authors_id_is_a_conflict() {
    let id = "aaaabbbbccccddddeeeeffff00001111";
    let fields = json!({"sys_id": id, "short_description": "x"});
    let variables = json!({"operation": "create", "table": "incident", "fields": fields});
    let found = |correlation: &str| {
        let record = json!({"sys_id": id, "short_description": "y", "correlation_id": correlation});
        answer(200, json!({"result": record}))
    };
    let run = run(job(variables), [answer(500, json!({})), found("other")]);
    assert!(run.incident().starts_with("SN_CONFLICT"), "{}", run.incident());
}

#[test]
fn tables_without_the_mark_are_left_without_it() {
    let variables = json!({"operation": "create", "table": "cmdb_ci", "fields": {"name": "x"}});
    let reply = refusal(401, "User Not Authenticated", "");
    let body = run(job(variables), [reply]).requests[0].body.clone().unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(body["sys_id"].as_str().unwrap().len(), 32);
}

#[test]
fn display_values_are_answered_without_losing_the_echo_check() {
    let variables = json!({
        "operation": "create", "table": "incident", "displayValue": true, "select": "state",
        "fields": {"urgency": 2},
    });
    let both = |display: &str, value: &str| json!({"display_value": display, "value": value});
    let record = json!({
        "sys_id": both(&own_id(), &own_id()), "urgency": both("2 - Medium", "2"),
        "state": both("New", "1"),
    });
    let job = crate::job::Job {
        custom_headers: json!({"resultVariable": "r"}).as_object().unwrap().clone(),
        ..job(variables)
    };
    let run = run(job, [answer(201, json!({"result": record}))]);
    assert!(run.targets()[0].contains("sysparm_display_value=all"));
    let result = &run.completed()["r"];
    assert_eq!(result["record"]["urgency"], "2 - Medium");
    assert_eq!(result["record"]["state"], "New");
    assert_eq!(result["warnings"], json!([]));
}
