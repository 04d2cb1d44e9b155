//! Records whose process instance is gone: counted, and logged with where they are.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    devengine::record::{NewInstance, ProcessRef},
    job::Variables,
    servicenow::{Method, Request, Response},
};
use tonic::{Code, Status};

use super::{
    logs::Log,
    rig::{Rig, Setup, create, job},
    servicenow::{ServiceNow, answer, records},
};
use crate::support::{
    bpmn, eventually,
    gateway::{Fault, Rpc},
};

const ORPHANS: &str = "snc_effects_total{kind=\"orphan\"}";

/// Start, a task that creates an incident, end.
fn process() -> String {
    let ends = r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"#;
    let task = r#"<bpmn:serviceTask id="task"><bpmn:extensionElements>
         <zeebe:taskDefinition type="servicenow:record:1"/>
       </bpmn:extensionElements></bpmn:serviceTask>"#;
    let flows = bpmn::flows(&["start", "task", "end"]);
    bpmn::process("ticket", &format!("{ends}{task}{flows}"))
}

/// A worker whose insert is out for a process instance, with the instance's key.
async fn inserting(mut setup: Setup) -> (Rig, i64) {
    setup.worker.stream = false;
    let rig = setup.run().await;
    rig.gateway.engine().deploy("ticket.bpmn", process().as_bytes()).unwrap();
    let variables = json!({
        "operation": "create", "table": "incident", "fields": {"short_description": "printer"},
    });
    let new = NewInstance {
        process: ProcessRef::Latest("ticket".to_owned()),
        variables: variables.as_object().cloned().unwrap_or_else(Variables::new),
        business_id: None,
    };
    let instance = rig.gateway.engine().create_instance(new).unwrap().key;
    eventually("the insert is out", || rig.servicenow.running() == 1).await;
    (rig, instance)
}

/// The sys_id that the insert asked for.
fn asked_id(rig: &Rig) -> String {
    rig.servicenow.requests()[0].body.as_ref().unwrap()["sys_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn row_17_the_record_of_an_instance_cancelled_during_the_insert_is_counted_and_logged() {
    let log = Log::open();
    let setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    let (rig, instance) = inserting(setup).await;
    rig.gateway.engine().cancel(instance).unwrap();
    rig.servicenow.let_all_go();
    eventually("it is counted", || rig.figure(ORPHANS) == 1).await;
    eventually("the job is over", || rig.figure("snc_inflight") == 0).await;
    assert_eq!(rig.records("jobs_gone_total"), 1);
    let line = log.warnings("orphan: ").remove(0);
    let id = asked_id(&rig);
    assert_eq!(line["process_instance_key"], instance);
    assert_eq!((&line["table"], &line["sys_id"]), (&json!("incident"), &json!(id)));
    assert_eq!(line["url"], format!("https://dev1.service-now.com/incident.do?sys_id={id}"));
}

#[tokio::test]
async fn an_instance_whose_end_a_heartbeat_finds_leaves_an_orphan_once_the_insert_has_worked() {
    let log = Log::open();
    let mut setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    setup.worker.job_timeout = Duration::from_millis(400);
    let (rig, instance) = inserting(setup).await;
    rig.gateway.engine().cancel(instance).unwrap();
    eventually("a heartbeat", || !log.lines("lock not extended").is_empty()).await;
    rig.servicenow.let_all_go();
    eventually("it is counted", || rig.figure(ORPHANS) == 1).await;
    eventually("the job is over", || rig.figure("snc_inflight") == 0).await;
    assert_eq!(log.warnings("orphan: ")[0]["sys_id"], asked_id(&rig));
    assert_eq!(rig.gateway.counters().fails.get(), 0);
}

#[tokio::test]
async fn a_cancelled_insert_without_an_answer_may_have_left_an_orphan_and_its_address_is_logged() {
    let log = Log::open();
    let timeout = |_: &Request| answer(504, &json!({}));
    let mut setup = Setup { servicenow: ServiceNow::holding(timeout), ..Setup::default() };
    setup.worker.job_timeout = Duration::from_millis(400);
    let (rig, instance) = inserting(setup).await;
    rig.gateway.engine().cancel(instance).unwrap();
    eventually("a heartbeat", || !log.lines("lock not extended").is_empty()).await;
    rig.servicenow.let_all_go();
    eventually("it is counted", || rig.figure(ORPHANS) == 1).await;
    eventually("the job is over", || rig.figure("snc_inflight") == 0).await;
    let line = log.warnings("orphan: ").remove(0);
    assert!(line["message"].as_str().unwrap().contains("may or may not be there"), "{line}");
    assert!(line["url"].as_str().unwrap().ends_with(&asked_id(&rig)), "{line}");
    assert_eq!(rig.servicenow.requests().len(), 1, "nothing is sent for a job that is gone");
}

#[tokio::test]
async fn a_refused_insert_of_a_cancelled_instance_leaves_nothing() {
    let refusal = |_: &Request| answer(400, &json!({"error": {"message": "Invalid table"}}));
    let setup = Setup { servicenow: ServiceNow::holding(refusal), ..Setup::default() };
    let (rig, instance) = inserting(setup).await;
    rig.gateway.engine().cancel(instance).unwrap();
    rig.servicenow.let_all_go();
    eventually("the job is over", || rig.records("jobs_gone_total") == 1).await;
    assert_eq!(rig.figure(ORPHANS), 0);
}

#[tokio::test]
async fn row_8_a_completion_whose_answer_was_lost_is_no_orphan() {
    let log = Log::open();
    let rig = Setup::default().run().await;
    rig.gateway.script(Rpc::Complete, 1, Fault::LoseAnswer(Code::DeadlineExceeded));
    rig.gateway.offer(create());
    eventually("the job is gone", || rig.records("jobs_gone_total") == 1).await;
    eventually("the job is over", || rig.figure("snc_inflight") == 0).await;
    assert_eq!((rig.figure(ORPHANS), log.warnings("orphan").len()), (0, 0));
    assert_eq!(rig.figure("snc_effects_total{kind=\"created\"}"), 1);
}

#[tokio::test]
async fn a_job_that_somebody_else_may_have_ended_after_its_lock_is_no_orphan() {
    let mut setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    setup.worker.job_timeout = Duration::from_millis(400);
    setup.worker.stream = false;
    let rig = setup.run().await;
    let unavailable = Status::unavailable("no leader");
    rig.gateway.script(Rpc::Extend, usize::MAX, Fault::Refuse(unavailable));
    rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(Status::not_found("gone")));
    rig.gateway.offer(create());
    eventually("the insert is out", || rig.servicenow.running() == 1).await;
    rig.gateway.withhold();
    eventually("the lock has ended", || rig.gateway.locked_jobs() == 0).await;
    rig.servicenow.let_all_go();
    eventually("the job is over", || rig.records("jobs_gone_total") == 1).await;
    assert_eq!(rig.figure(ORPHANS), 0);
}

#[tokio::test]
async fn an_adopted_record_of_a_job_that_is_gone_is_told_and_not_counted() {
    let log = Log::open();
    let taken_then_found = |request: &Request| -> Response {
        match request.method {
            Method::Post => answer(409, &json!({"error": {"message": "Duplicate entry"}})),
            _ => records(request),
        }
    };
    let servicenow = ServiceNow::quick(taken_then_found);
    let rig = Setup { servicenow, ..Setup::default() }.run().await;
    rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(Status::not_found("gone")));
    rig.gateway.offer(create());
    eventually("the job is gone", || rig.records("jobs_gone_total") == 1).await;
    eventually("the job is over", || rig.figure("snc_inflight") == 0).await;
    let told = log.warnings("the job is gone: its record has no process any more if");
    assert_eq!((rig.figure(ORPHANS), told.len()), (0, 1));
}

#[tokio::test]
async fn a_cancelled_job_that_only_read_leaves_nothing() {
    let rig = Setup::default().run().await;
    rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(Status::not_found("gone")));
    rig.gateway.offer(job(1));
    eventually("the job is gone", || rig.records("jobs_gone_total") == 1).await;
    assert_eq!(rig.figure(ORPHANS), 0);
}
