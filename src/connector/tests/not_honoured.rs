//! Instances that give a record another sys_id than it was asked for.

use serde_json::{Value, json};

use crate::{
    connector::{
        Config, Connector, Effect, IdNotHonoured, IdentityRule,
        testing::{
            NOW, Run, answer, config, job_with, no_record, refusal, run_on, secrets, silence,
        },
    },
    job::Job,
    outcome::Outcome,
    servicenow::{NoAnswerCause, Reply},
};

const OTHER: &str = "0123456789abcdef0123456789abcdef";

/// A worker: its jobs share what it has learnt.
struct Worker(Connector);

impl Worker {
    fn new(config: Config) -> Self {
        Self(Connector::new(config))
    }

    /// One that has seen the table give another id.
    fn warned(table: &str) -> Self {
        let worker = Self::new(config());
        let run = worker.run(create(table), [answer(201, left(table, OTHER))]);
        assert_eq!(run.finished.summary.id_not_honoured, Some(IdNotHonoured::First));
        worker
    }

    fn run(&self, job: Job, replies: impl IntoIterator<Item = Reply>) -> Run {
        run_on(&self.0, NOW, secrets(), job, replies)
    }
}

fn create(table: &str) -> Job {
    job_with(
        json!({"operation": "create", "table": table, "fields": {"short_description": "down"}}),
        json!({"resultVariable": "r"}),
    )
}

fn sent(config: Config, table: &str) -> Value {
    let refused = refusal(401, "User Not Authenticated", "");
    let run = Worker::new(config).run(create(table), [refused]);
    run.requests.last().unwrap().body.clone().unwrap()
}

/// The answer to the insert on an instance that chooses ids.
fn left(table: &str, id: &str) -> Value {
    let mut record = sent(config(), table);
    record["sys_id"] = id.into();
    json!({ "result": record })
}

fn list(rows: &[&Value]) -> Reply {
    answer(200, json!({ "result": rows }))
}

fn lost() -> Reply {
    silence(NoAnswerCause::Timeout, true)
}

fn with_rule(field: Option<&str>, honours: bool) -> Config {
    let mut config = config();
    let rule = IdentityRule::new("u_order", field, honours).unwrap();
    config.connections.get_mut("default").unwrap().identity = vec![rule];
    config
}

fn warnings(run: &Run) -> String {
    run.completed()["r"]["warnings"].to_string()
}

#[test]
fn row_14_another_id_is_adopted_told_and_remembered_for_the_table() {
    let worker = Worker::new(config());
    let first = worker.run(create("incident"), [answer(201, left("incident", OTHER))]);
    assert_eq!(first.methods(), ["POST"]);
    assert_eq!(first.completed()["r"]["sysId"], OTHER);
    assert!(warnings(&first).contains("the worker looks for its mark in 'correlation_id'"));
    assert_eq!(first.finished.summary.id_not_honoured, Some(IdNotHonoured::First));

    let second = worker.run(create("incident"), [list(&[]), answer(201, left("incident", OTHER))]);
    assert_eq!(second.methods(), ["GET", "POST"]);
    let mark = sent(config(), "incident")["correlation_id"].as_str().unwrap().to_owned();
    assert!(
        second.targets()[0].starts_with(&format!(
            "GET /api/now/table/incident?sysparm_query=correlation_id%3D{mark}%5EORDERBYsys_id&\
             sysparm_limit=2"
        )),
        "{:?}",
        second.targets()
    );
    assert_eq!(second.finished.summary.id_not_honoured, Some(IdNotHonoured::Again));
    // Other tables are as they were.
    let other = worker.run(create("problem"), [answer(201, left("problem", OTHER))]);
    assert_eq!(other.methods(), ["POST"]);
}

#[test]
fn a_table_whose_mark_stands_in_correlation_id_has_the_fingerprint_too() {
    assert_eq!(sent(config(), "x_acme_task").get("correlation_id"), None);
    let rule = IdentityRule::new("x_acme_*", Some("correlation_id"), true).unwrap();
    let mut config = config();
    config.connections.get_mut("default").unwrap().identity = vec![rule];
    let (task, incident) = (sent(config.clone(), "x_acme_task"), sent(config, "incident"));
    assert_eq!(task["correlation_id"].as_str().unwrap().len(), 64);
    assert_eq!(task["correlation_display"], incident["correlation_display"]);
}

#[test]
fn row_14_a_record_with_our_mark_is_adopted_before_anything_is_inserted() {
    let worker = Worker::warned("incident");
    let found = left("incident", OTHER)["result"].clone();
    let run = worker.run(create("incident"), [list(&[&found])]);
    assert_eq!(run.methods(), ["GET"]);
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
    assert_eq!(run.completed()["r"]["sysId"], OTHER);
    assert_eq!(run.finished.summary.effect, Some(Effect::Adopted));
}

#[test]
fn a_lost_answer_is_looked_for_by_the_mark_and_adopted() {
    let worker = Worker::warned("incident");
    let found = left("incident", OTHER)["result"].clone();
    for doubt in [lost(), answer(504, json!({})), answer(201, json!({"result": {}}))] {
        let run = worker.run(create("incident"), [list(&[]), doubt, list(&[&found])]);
        assert_eq!(run.methods(), ["GET", "POST", "GET"]);
        assert_eq!(run.completed()["r"]["sysId"], OTHER);
    }
}

#[test]
fn a_lost_answer_without_a_trace_comes_back_and_is_never_inserted_again_at_once() {
    let worker = Worker::warned("incident");
    let run = worker.run(create("incident"), [list(&[]), lost(), list(&[])]);
    assert_eq!(run.methods(), ["GET", "POST", "GET"]);
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
    assert!(run.handed_back().contains("a look for correlation_id"), "{}", run.handed_back());
    assert_eq!(run.finished.summary.effect, Some(Effect::Unknown));
    let address = run.finished.summary.address.unwrap();
    assert!(address.contains("incident_list.do?sysparm_query=correlation_id%3D"), "{address}");
}

#[test]
fn what_the_insert_said_holds_there_too() {
    let worker = Worker::warned("incident");
    let replies = [list(&[]), answer(503, json!({})), list(&[])];
    assert!(worker.run(create("incident"), replies).handed_back().starts_with("SN_BUSY"));
    let policy = "Data Policy Exception: The following fields are mandatory: Resolution code";
    let replies = [list(&[]), refusal(403, "Operation Failed", policy), list(&[])];
    assert!(worker.run(create("incident"), replies).incident().starts_with("SN_DATA_POLICY"));
}

#[test]
fn a_look_that_fails_inserts_nothing() {
    let worker = Worker::warned("incident");
    for failed in [answer(503, json!({})), silence(NoAnswerCause::Unreachable, false)] {
        let run = worker.run(create("incident"), [failed]);
        run.handed_back();
        assert_eq!((run.methods(), run.finished.summary.effect), (vec!["GET"], None));
    }
    let replies = [list(&[]), lost(), answer(503, json!({}))];
    let run = worker.run(create("incident"), replies);
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
}

#[test]
fn row_15_rows_without_our_mark_are_never_adopted_and_nothing_is_inserted() {
    let worker = Worker::warned("incident");
    for row in [
        json!({"sys_id": OTHER}),
        json!({"sys_id": OTHER, "correlation_id": ""}),
        json!({"sys_id": OTHER, "correlation_id": "ab".repeat(32)}),
    ] {
        let run = worker.run(create("incident"), [list(&[&row])]);
        assert_eq!(run.methods(), ["GET"]);
        assert!(run.incident().contains("'correlation_id' cannot be searched"));
        let replies = [list(&[]), lost(), list(&[&row])];
        let run = worker.run(create("incident"), replies);
        assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
    }
}

#[test]
fn several_records_of_one_job_are_told_and_the_first_is_taken() {
    let worker = Worker::warned("incident");
    let one = left("incident", OTHER)["result"].clone();
    let two = left("incident", "fedcba9876543210fedcba9876543210")["result"].clone();
    let run = worker.run(create("incident"), [list(&[&one, &two])]);
    assert_eq!(run.completed()["r"]["sysId"], OTHER);
    assert!(warnings(&run).contains("several records of table 'incident' carry the mark"));
}

#[test]
fn a_table_whose_habits_are_unknown_is_searched_by_the_mark_before_a_second_insert() {
    let found = left("incident", OTHER)["result"].clone();
    for doubt in [lost(), answer(504, json!({}))] {
        let worker = Worker::new(config());
        let run = worker.run(create("incident"), [doubt, no_record(), list(&[&found])]);
        assert_eq!(run.methods(), ["POST", "GET", "GET"]);
        assert_eq!(run.completed()["r"]["outcome"], "adopted");
        assert_eq!(run.finished.summary.id_not_honoured, Some(IdNotHonoured::First));
    }
}

/// The same job after an attempt that failed.
fn again(mut job: Job) -> Job {
    let outage = json!({"jobKey": job.id.key.to_string(), "since": NOW});
    let error = json!({"reason": "SN_OUTCOME_UNKNOWN", "outage": outage});
    job.variables.insert("error".to_owned(), error);
    job
}

/// The same after the failure that ended this run.
fn after(mut job: Job, run: &Run) -> Job {
    let Outcome::Fail { variables, .. } = &run.finished.outcome else { panic!("not failed") };
    job.variables.extend(variables.clone());
    job
}

#[test]
fn a_job_that_comes_back_from_an_incident_looks_for_its_mark_too() {
    let found = left("incident", OTHER)["result"].clone();
    let failing = || json!({"resultVariable": "r", "resultExpression": "=1"});
    let decided = || json!({"resultVariable": "r", "errorExpression": r#"=jobError("no", {}, 2)"#});
    let variables = || json!({"operation": "create", "table": "incident", "fields": {"short_description": "down"}});
    for (headers, replies) in [
        (failing(), vec![answer(201, left("incident", OTHER))]),
        (decided(), vec![lost(), answer(503, json!({}))]),
    ] {
        let job = job_with(variables(), headers);
        let run = Worker::new(config()).run(job.clone(), replies);
        // Another worker, which knows nothing of the table.
        let next = after(job, &run);
        let run = Worker::new(config()).run(next, [list(&[&found])]);
        assert_eq!(run.methods(), ["GET"], "{:?}", run.finished.outcome);
    }
}

#[test]
fn a_job_that_comes_back_looks_for_its_mark_while_the_habits_of_the_table_are_unknown() {
    let found = left("incident", OTHER)["result"].clone();
    for failed in [lost(), answer(504, json!({}))] {
        let worker = Worker::new(config());
        let first = worker.run(create("incident"), [failed, answer(503, json!({}))]);
        assert_eq!(first.methods(), ["POST", "GET"]);
        first.handed_back();
        let run = worker.run(again(create("incident")), [list(&[&found])]);
        assert_eq!(run.methods(), ["GET"]);
        assert_eq!(run.completed()["r"]["outcome"], "adopted");
    }
    let id = sent(config(), "incident")["sys_id"].as_str().unwrap().to_owned();
    let created = || answer(201, left("incident", &id));
    // Whoever may not look inserts all the same: the id keeps a second record away nearly
    // everywhere.
    let forbidden = || refusal(403, "Insufficient rights", "");
    let hidden = || list(&[&json!({"sys_id": OTHER})]);
    for nothing in [list(&[]), hidden(), forbidden(), no_record()] {
        let worker = Worker::new(config());
        let run = worker.run(again(create("incident")), [nothing, created()]);
        assert_eq!(run.methods(), ["GET", "POST"]);
        assert_eq!(run.completed()["r"]["outcome"], "created");
        let known = worker.run(again(create("incident")), [created()]);
        assert_eq!(known.methods(), ["POST"], "the table takes ids");
    }
    let away = Worker::new(config()).run(again(create("incident")), [answer(503, json!({}))]);
    assert_eq!((away.methods(), away.finished.summary.effect), (vec!["GET"], None));
}

#[test]
fn where_ids_are_not_taken_a_job_stays_away_until_its_insert_is_over() {
    let away = |run: &Run| match &run.finished.outcome {
        Outcome::Fail { retry_backoff, .. } => retry_backoff.as_secs(),
        other => panic!("{other:?}"),
    };
    let worker = Worker::warned("incident");
    for doubt in [lost(), answer(504, json!({}))] {
        for look in [list(&[]), answer(503, json!({}))] {
            let run = worker.run(create("incident"), [list(&[]), doubt.clone(), look]);
            assert!(away(&run) >= 125, "{}", away(&run));
        }
    }
    // Nor does the author's word bring it back sooner, nor keep its header from lengthening that.
    for (headers, least) in [
        (json!({"errorExpression": r#"=jobError("no", {}, 2, duration("PT1S"))"#}), 125),
        (json!({"retryBackoff": "PT30M"}), 1_800),
    ] {
        let mut job = create("incident");
        job.custom_headers = headers.as_object().unwrap().clone();
        let run = worker.run(job, [list(&[]), lost(), list(&[])]);
        assert!(away(&run) >= least, "{} s", away(&run));
    }
    let honoured = Worker::new(config()).run(create("u_order"), [lost(), answer(503, json!({}))]);
    assert!(away(&honoured) < 10, "{}", away(&honoured));
}

#[test]
fn a_table_that_takes_ids_needs_that_look_only_after_silence() {
    let worker = Worker::new(config());
    let id = sent(config(), "incident")["sys_id"].as_str().unwrap().to_owned();
    worker.run(create("incident"), [answer(201, left("incident", &id))]);
    let run = worker.run(create("incident"), [answer(504, json!({})), no_record()]);
    assert!(run.handed_back().starts_with("SN_TIMEOUT"), "{}", run.handed_back());
    let created = answer(201, left("incident", &id));
    let run = worker.run(create("incident"), [lost(), no_record(), list(&[]), created]);
    assert_eq!(run.methods(), ["POST", "GET", "GET", "POST"]);
}

#[test]
fn a_table_without_room_for_a_mark_is_told_what_to_configure() {
    let worker = Worker::new(config());
    let run = worker.run(create("u_order"), [answer(201, left("u_order", OTHER))]);
    let said = warnings(&run);
    for part in ["a lost answer may lead to a second record", "[connections.default.identity]"] {
        assert!(said.contains(part), "{said}");
    }
    let run = worker.run(create("u_order"), [lost(), no_record()]);
    assert_eq!(run.methods(), ["POST", "GET"], "no second insert at once");
    assert!(run.handed_back().starts_with("SN_OUTCOME_UNKNOWN"), "{}", run.handed_back());
}

#[test]
fn a_configured_field_takes_the_mark_and_costs_nothing_while_ids_are_taken() {
    let body = sent(with_rule(Some("u_external_id"), true), "u_order");
    assert_eq!(body["u_external_id"].as_str().unwrap().len(), 64);
    assert!(body.get("correlation_id").is_none());
    let worker = Worker::new(with_rule(Some("u_external_id"), true));
    let run = worker.run(create("u_order"), [answer(201, json!({ "result": body }))]);
    assert_eq!((run.methods(), warnings(&run)), (vec!["POST"], "[]".to_owned()));
    // Another id: from now on that field is searched.
    let mut other = body.clone();
    other["sys_id"] = OTHER.into();
    let run = worker.run(create("u_order"), [answer(201, json!({ "result": other }))]);
    assert!(warnings(&run).contains("its mark in 'u_external_id'"), "{}", warnings(&run));
    let run = worker.run(create("u_order"), [list(&[&other])]);
    assert!(run.targets()[0].contains("sysparm_query=u_external_id%3D"), "{:?}", run.targets());
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
}

#[test]
fn a_field_that_does_not_take_the_mark_is_told() {
    let mut body = sent(with_rule(Some("u_typo"), true), "u_order");
    body.as_object_mut().unwrap().remove("u_typo");
    let worker = Worker::new(with_rule(Some("u_typo"), true));
    let run = worker.run(create("u_order"), [answer(201, json!({ "result": body }))]);
    assert!(warnings(&run).contains("was not stored in 'u_typo'"), "{}", warnings(&run));
}

#[test]
fn a_table_configured_as_taking_no_ids_is_searched_from_the_first_job_on() {
    let mut body = json!({"short_description": "down"});
    let config = || with_rule(Some("u_external_id"), false);
    let worker = Worker::new(config());
    let run = worker.run(create("u_order"), [list(&[]), refusal(401, "no", "")]);
    body["u_external_id"] = run.requests[1].body.as_ref().unwrap()["u_external_id"].clone();
    body["sys_id"] = OTHER.into();
    let run = worker.run(create("u_order"), [list(&[]), answer(201, json!({ "result": body }))]);
    assert_eq!((run.methods(), warnings(&run)), (vec!["GET", "POST"], "[]".to_owned()));
    // What the operator knows is not told again.
    let run = Worker::new(config()).run(create("u_order"), [list(&[&body])]);
    assert_eq!(run.completed()["r"]["outcome"], "adopted");
}

#[test]
fn a_field_that_the_author_fills_is_left_to_the_author() {
    let fields = json!({"u_external_id": "A-7"});
    let variables = json!({"operation": "create", "table": "u_order", "fields": fields});
    let worker = Worker::new(with_rule(Some("u_external_id"), true));
    let run = worker.run(job_with(variables, json!({})), [refusal(401, "no", "")]);
    assert_eq!(run.requests[0].body.as_ref().unwrap()["u_external_id"], "A-7");
}
