//! Effects that ServiceNow would repeat: noted in the engine first, done once.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use servicenow_worker::{
    servicenow::{Method, Request, Response},
    zeebe::proto::{ActivatedJob, FailJobRequest, SetVariablesRequest},
};
use tonic::{Code, Status};

use super::{
    rig::{Setup, job, sys_id},
    servicenow::{ServiceNow, answer, records},
};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc, ScriptedGateway},
};

/// A job that adds a work note to record 1.
fn note() -> ActivatedJob {
    let variables = json!({
        "operation": "update", "table": "incident", "sysId": sys_id(1),
        "fields": {"work_notes": "called back"},
    });
    ActivatedJob { variables: variables.to_string(), ..job(0) }
}

/// A job that starts a flow at most once.
fn flow() -> ActivatedJob {
    let variables = json!({"path": "/api/x_acme/onboard", "delivery": "at_most_once"});
    ActivatedJob {
        r#type: "servicenow:flow:1".to_owned(),
        variables: variables.to_string(),
        ..job(0)
    }
}

/// A ServiceNow that does what is asked when it is asked, answers only when told to, and
/// shows the journal of what it did.
fn journaling() -> ServiceNow {
    let itself = Arc::new(OnceLock::<ServiceNow>::new());
    let seen = Arc::clone(&itself);
    let servicenow = ServiceNow::holding(move |request| {
        let is_journal = request.path.get(3).is_some_and(|table| table == "sys_journal_field");
        if is_journal { entries(&seen.get().unwrap().requests()) } else { records(request) }
    });
    itself.set(servicenow.clone()).ok().unwrap();
    servicenow
}

fn entries(requests: &[Request]) -> Response {
    let entry = |text: &Value| {
        json!({"element_id": sys_id(1), "element": "work_notes", "value": text,
            "sys_created_on": "2999-01-01 00:00:00"})
    };
    let rows: Vec<Value> = written(requests).iter().map(entry).collect();
    answer(200, &json!({ "result": rows }))
}

/// The notes that requests have written.
fn written(requests: &[Request]) -> Vec<Value> {
    let writes = requests.iter().filter(|request| request.method == Method::Patch);
    writes.filter_map(|request| request.body.as_ref()?.get("work_notes").cloned()).collect()
}

fn starts(servicenow: &ServiceNow) -> usize {
    servicenow.requests().iter().filter(|request| request.method == Method::Post).count()
}

fn remembered(gateway: &ScriptedGateway) -> Vec<SetVariablesRequest> {
    let calls = gateway.calls().into_iter();
    calls
        .filter_map(|seen| match seen.call {
            Call::SetVariables(set) => Some(set),
            _ => None,
        })
        .collect()
}

fn failures(gateway: &ScriptedGateway) -> Vec<FailJobRequest> {
    let calls = gateway.calls().into_iter();
    calls
        .filter_map(|seen| match seen.call {
            Call::Fail(failure) => Some(failure),
            _ => None,
        })
        .collect()
}

/// A worker with short locks, so that a job comes back soon after a kill.
fn soon(servicenow: &ServiceNow) -> Setup {
    let mut setup = Setup { servicenow: servicenow.clone(), ..Setup::default() };
    setup.worker.job_timeout = Duration::from_secs(1);
    setup
}

/// Kills a worker in the middle of the job's only call.
async fn killed_in_the_call(job: ActivatedJob, servicenow: &ServiceNow) -> ScriptedGateway {
    let mut setup = soon(servicenow);
    let gateway = setup.gateway().await;
    gateway.offer(job);
    let worker = setup.run_mortal(gateway);
    eventually("the call is out", || worker.rig().servicenow.running() == 1).await;
    let gateway = worker.kill();
    eventually("the call is gone", || servicenow.running() == 0).await;
    gateway
}

#[tokio::test]
async fn a_worker_killed_in_a_work_note_leaves_one_note() {
    let servicenow = journaling();
    let gateway = killed_in_the_call(note(), &servicenow).await;
    servicenow.let_all_go();
    let rig = soon(&servicenow).run_at(gateway);
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(written(&rig.servicenow.requests()), [json!("called back")]);
    let methods: Vec<_> = rig.servicenow.requests().iter().map(|r| r.method).collect();
    assert_eq!(methods, [Method::Patch, Method::Get, Method::Get]);
    assert_eq!(remembered(&rig.gateway).len(), 1);
}

#[tokio::test]
async fn a_note_that_is_not_there_yet_is_looked_for_again_before_it_is_written() {
    let servicenow = ServiceNow::holding(records);
    let gateway = killed_in_the_call(note(), &servicenow).await;
    servicenow.let_all_go();
    let rig = soon(&servicenow).run_at(gateway);
    eventually("the job goes back", || rig.gateway.counters().fails.get() == 1).await;
    assert_eq!(written(&rig.servicenow.requests()).len(), 1, "the first request may still run");
    let failure = &failures(&rig.gateway)[0];
    assert_eq!(failure.retries, 3);
    assert!(failure.error_message.contains("may still be writing"), "{}", failure.error_message);
    assert!((125_000..=157_000).contains(&failure.retry_back_off), "{}", failure.retry_back_off);
}

#[tokio::test]
async fn a_worker_killed_in_a_start_leaves_one_start_and_a_question_for_people() {
    let servicenow = ServiceNow::holding(records);
    let gateway = killed_in_the_call(flow(), &servicenow).await;
    servicenow.let_all_go();
    let rig = soon(&servicenow).run_at(gateway);
    eventually("the job fails", || rig.gateway.counters().fails.get() == 1).await;
    assert_eq!(starts(&rig.servicenow), 1);
    let failure = &failures(&rig.gateway)[0];
    assert_eq!(failure.retries, 0);
    assert!(failure.error_message.starts_with("SN_OUTCOME_UNKNOWN: start: "));
    assert!(failure.variables.contains(r#""is":"void""#), "{}", failure.variables);
}

#[tokio::test]
async fn nothing_is_sent_before_the_engine_has_the_note() {
    let rig = Setup::default().run().await;
    rig.gateway.script(Rpc::SetVariables, 1, Fault::Refuse(Status::unavailable("no leader")));
    rig.gateway.script(Rpc::SetVariables, 1, Fault::Refuse(Status::resource_exhausted("busy")));
    rig.gateway.script(Rpc::SetVariables, 1, Fault::LoseAnswer(Code::DeadlineExceeded));
    let key = rig.gateway.offer(flow());
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(starts(&rig.servicenow), 1);
    let remembered = remembered(&rig.gateway);
    assert!(remembered.len() >= 2, "{remembered:?}");
    for set in remembered {
        assert_eq!((set.element_instance_key, set.local), (key, true));
        let variables: Value = serde_json::from_str(&set.variables).unwrap();
        let target = &variables["serviceNowIntent"]["target"];
        assert_eq!(target, "https://dev1.service-now.com/api/x_acme/onboard");
    }
}

#[tokio::test]
async fn a_job_whose_note_the_engine_never_takes_is_never_sent() {
    let mut setup = Setup::default();
    setup.worker.job_timeout = Duration::from_millis(600);
    let rig = setup.run().await;
    let away = || Fault::Refuse(Status::unavailable("no leader"));
    rig.gateway.script(Rpc::SetVariables, usize::MAX, away());
    rig.gateway.script(Rpc::Extend, usize::MAX, away());
    rig.gateway.offer(note());
    eventually("it is given up", || rig.records("jobs_lost_total") >= 1).await;
    assert_eq!(rig.servicenow.requests().len(), 0);
}

#[tokio::test]
async fn a_job_that_is_gone_when_it_is_noted_is_never_sent() {
    for refusal in [Status::not_found("gone"), Status::failed_precondition("ended")] {
        let rig = Setup::default().run().await;
        rig.gateway.script(Rpc::SetVariables, 1, Fault::Refuse(refusal));
        rig.gateway.offer(note());
        eventually("it is given up", || rig.records("jobs_lost_total") == 1).await;
        assert_eq!(rig.servicenow.requests().len(), 0);
    }
}

#[tokio::test]
async fn an_engine_that_keeps_no_notes_for_us_is_said_in_an_incident() {
    let rig = Setup::default().run().await;
    rig.gateway.script(Rpc::SetVariables, 1, Fault::Refuse(Status::permission_denied("no right")));
    rig.gateway.offer(note());
    eventually("the job fails", || rig.gateway.counters().fails.get() == 1).await;
    let failure = &failures(&rig.gateway)[0];
    assert_eq!((failure.retries, rig.servicenow.requests().len()), (0, 0));
    assert!(failure.error_message.contains("nothing was sent"), "{}", failure.error_message);
    assert!(failure.error_message.contains("no right"), "{}", failure.error_message);
}

#[tokio::test]
async fn a_job_handed_back_unstarted_leaves_no_note() {
    let servicenow = ServiceNow::holding(records);
    let rig = Setup { servicenow, max_concurrency: 1, ..Setup::default() }.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    rig.gateway.offer(flow());
    eventually("the first is out", || rig.servicenow.running() == 1).await;
    rig.gateway.offer(flow());
    eventually("the second waits", || rig.figure("snc_inflight") == 2).await;
    rig.stop.cancel();
    eventually("it goes back", || rig.gateway.counters().fails.get() == 1).await;
    rig.servicenow.let_all_go();
    let (_, gateway, servicenow) = rig.finish().await;
    assert_eq!((starts(&servicenow), remembered(&gateway).len()), (1, 1));
}

#[tokio::test]
async fn a_job_that_may_be_repeated_is_not_noted() {
    let rig = Setup::default().run().await;
    rig.gateway.offer(job(1));
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(remembered(&rig.gateway), []);
}
