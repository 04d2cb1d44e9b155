//! The command that ends a job: sent until it is taken, for as long as it may be.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    servicenow::Response,
    zeebe::proto::{ActivatedJob, FailJobRequest},
};
use tonic::{Code, Status};

use super::{
    rig::{Rig, Setup, job, sys_id, wrong},
    servicenow::{ServiceNow, answer, records},
};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc, Seen},
};

fn failures(rig: &Rig) -> Vec<FailJobRequest> {
    let calls = rig.gateway.calls().into_iter();
    calls
        .filter_map(|seen| match seen.call {
            Call::Fail(failure) => Some(failure),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_result_arrives_as_variables() {
    let rig = Setup::default().run().await;
    let headers = r#"{"resultVariable":"record"}"#.to_owned();
    let key = rig.gateway.offer(ActivatedJob { custom_headers: headers, ..job(1) });
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    let complete = |seen: Seen| match seen.call {
        Call::Complete(command) => Some(command),
        _ => None,
    };
    let sent = rig.gateway.calls().into_iter().find_map(complete).unwrap();
    let variables: serde_json::Value = serde_json::from_str(&sent.variables).unwrap();
    assert_eq!(sent.job_key, key);
    assert_eq!(variables["record"]["outcome"], "read");
    assert_eq!(variables["record"]["sysId"], sys_id(1));
}

#[tokio::test]
async fn a_completion_is_sent_until_the_engine_takes_it() {
    let rig = Setup::default().run().await;
    for status in [
        Status::unavailable("no leader"),
        Status::deadline_exceeded("the broker is slow"),
        Status::resource_exhausted("back-pressure"),
        Status::internal("oops"),
        Status::aborted("transport"),
    ] {
        rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(status));
    }
    rig.gateway.offer(job(1));
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    eventually("it counts", || rig.records("jobs_completed_accepted_total") == 1).await;
    assert_eq!(rig.gateway.counters().completes.get(), 6);
    assert_eq!((rig.servicenow.requests().len(), failures(&rig).len()), (1, 0));
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_not_done_twice_nor_failed() {
    let rig = Setup::default().run().await;
    rig.gateway.script(Rpc::Complete, 1, Fault::LoseAnswer(Code::DeadlineExceeded));
    rig.gateway.offer(job(1));
    eventually("the job is gone", || rig.records("jobs_gone_total") == 1).await;
    assert_eq!(rig.gateway.counters().completes.get(), 2);
    assert_eq!((rig.servicenow.requests().len(), failures(&rig).len()), (1, 0));
}

#[tokio::test]
async fn a_completion_of_a_job_in_other_hands_is_dropped() {
    let rig = Setup::default().run().await;
    let superseded = Status::failed_precondition("leased to another activation");
    rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(superseded));
    rig.gateway.offer(job(1));
    eventually("it is superseded", || rig.records("jobs_superseded_total") == 1).await;
    assert_eq!((rig.gateway.counters().completes.get(), failures(&rig).len()), (1, 0));
}

#[tokio::test]
async fn a_completion_that_is_not_permitted_is_tried_once() {
    let rig = Setup::default().run().await;
    let denied = Status::permission_denied("no UPDATE_PROCESS_INSTANCE");
    rig.gateway.script(Rpc::Complete, usize::MAX, Fault::Refuse(denied));
    rig.gateway.offer(job(1));
    eventually("it is given up", || rig.records("jobs_unaccepted_total") == 1).await;
    assert_eq!((rig.gateway.counters().completes.get(), failures(&rig).len()), (1, 0));
}

#[tokio::test]
async fn a_result_that_no_engine_takes_fails_the_job_for_good_and_says_why() {
    let large = |_: &_| {
        let text = "x".repeat(5_000_000);
        answer(200, &json!({"result": {"sys_id": sys_id(1), "description": text}}))
    };
    let rig = Setup { servicenow: ServiceNow::quick(large), ..Setup::default() }.run().await;
    let headers = r#"{"resultVariable":"record"}"#.to_owned();
    rig.gateway.offer(ActivatedJob { custom_headers: headers, ..job(1) });
    eventually("the job fails", || rig.gateway.counters().fails.get() == 1).await;
    let failure = failures(&rig).remove(0);
    assert_eq!(failure.retries, 0);
    for part in ["the engine cannot take the result", "bytes", "select fewer fields"] {
        assert!(failure.error_message.contains(part), "{}", failure.error_message);
    }
    assert_eq!(rig.gateway.counters().completes.get(), 0, "it was sent");
}

#[tokio::test]
async fn a_result_that_the_engine_refuses_fails_the_job_for_good() {
    for refusal in [
        Status::invalid_argument("variables: expected an object"),
        Status::unknown("Command rejected: EXCEEDED_BATCH_RECORD_SIZE"),
        Status::resource_exhausted("gRPC message exceeds maximum size 4194304: 4200000"),
    ] {
        let rig = Setup::default().run().await;
        rig.gateway.script(Rpc::Complete, 1, Fault::Refuse(refusal.clone()));
        rig.gateway.offer(job(1));
        eventually("the job fails", || rig.gateway.counters().fails.get() == 1).await;
        let failure = failures(&rig).remove(0);
        assert_eq!((failure.retries, rig.gateway.counters().completes.get()), (0, 1));
        assert!(failure.error_message.contains(refusal.message()), "{}", failure.error_message);
    }
}

#[tokio::test]
async fn a_failure_is_not_sent_after_the_lock_has_ended() {
    let mut setup = Setup::default();
    setup.worker.job_timeout = Duration::from_millis(400);
    setup.worker.stream = false;
    let rig = setup.run().await;
    rig.gateway.script(Rpc::Fail, usize::MAX, Fault::Refuse(Status::unavailable("no leader")));
    let key = rig.gateway.offer(wrong());
    eventually("the job is taken", || rig.gateway.counters().fails.get() > 0).await;
    rig.gateway.withhold();
    eventually("the failure is given up", || rig.records("jobs_unaccepted_total") == 1).await;
    let tries = rig.gateway.counters().fails.get();
    assert!(tries > 2, "{tries}");
    // The next activation fails by itself, once.
    rig.gateway.heal();
    rig.gateway.give();
    eventually("the failure is taken", || rig.gateway.counters().fails.get() > tries).await;
    eventually("it counts", || rig.figure("snc_inflight") == 0).await;
    let failures = failures(&rig);
    assert_eq!(
        (failures.len(), failures[tries].job_key, failures[tries].retries),
        (tries + 1, key, 0)
    );
}

#[tokio::test]
async fn a_completion_may_come_late() {
    let mut setup = Setup::default();
    setup.worker.job_timeout = Duration::from_millis(400);
    setup.worker.stream = false;
    let rig = setup.run().await;
    rig.gateway.script(Rpc::Complete, usize::MAX, Fault::Refuse(Status::unavailable("no leader")));
    rig.gateway.offer(job(1));
    eventually("the job is taken", || rig.gateway.counters().completes.get() > 0).await;
    rig.gateway.withhold();
    eventually("the lock has ended", || rig.gateway.locked_jobs() == 0).await;
    rig.gateway.heal();
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(rig.servicenow.requests().len(), 1);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_fails_for_good_and_says_why() {
    let rig = Setup::default().run().await;
    for (variables, headers) in [("[1]", "{}"), ("{}", "{\"resultVariable\":"), ("{", "{}")] {
        let (variables, custom_headers) = (variables.to_owned(), headers.to_owned());
        rig.gateway.offer(ActivatedJob { variables, custom_headers, ..job(1) });
    }
    eventually("all fail", || failures(&rig).len() == 3).await;
    for failure in failures(&rig) {
        assert_eq!(failure.retries, 0);
        assert!(failure.error_message.contains("cannot be read"), "{}", failure.error_message);
    }
    assert_eq!(rig.servicenow.requests().len(), 0);
}

#[tokio::test]
async fn a_panic_in_the_transport_costs_one_retry_and_not_the_worker() {
    let panicking = |request: &servicenow_worker::servicenow::Request| {
        assert!(request.path.last() != Some(&sys_id(1)), "the transport fell over");
        records(request)
    };
    let rig = Setup { servicenow: ServiceNow::quick(panicking), ..Setup::default() }.run().await;
    let broken = rig.gateway.offer(job(1));
    eventually("the job failed", || rig.gateway.counters().fails.get() >= 3).await;
    let failures = failures(&rig);
    assert_eq!(failures.iter().map(|failure| failure.retries).collect::<Vec<_>>(), [2, 1, 0]);
    assert!(failures.iter().all(|failure| failure.job_key == broken));
    let message = &failures[0].error_message;
    assert!(message.contains("internal error"), "{message}");
    assert!(message.contains("the transport fell over"), "{message}");
    rig.gateway.offer(job(2));
    eventually("the next job is done", || rig.gateway.counters().ended.get() == 1).await;
    eventually("no slot is lost", || rig.figure("snc_inflight") == 0).await;
}

#[tokio::test]
async fn a_panic_whose_text_holds_data_tells_nobody_of_it() {
    let panicking = |request: &servicenow_worker::servicenow::Request| -> Response {
        panic!("{} is not to be seen", request.path.last().unwrap())
    };
    let rig = Setup { servicenow: ServiceNow::quick(panicking), ..Setup::default() }.run().await;
    rig.gateway.offer(job(7));
    eventually("the job failed", || rig.gateway.counters().fails.get() >= 1).await;
    let message = &failures(&rig)[0].error_message;
    assert!(message.contains("internal error") && message.contains("log"), "{message}");
    assert!(!message.contains(&sys_id(7)) && !message.contains("not to be seen"), "{message}");
}

#[tokio::test]
async fn variables_that_nest_or_repeat_or_are_large_fail_their_job_or_nothing() {
    let rig = Setup::default().run().await;
    let read = |more: &str| {
        let id = sys_id(1);
        format!(r#"{{"operation":"get","table":"incident","sysId":"{id}","more":{more}}}"#)
    };
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let large = format!("\"{}\"", "x".repeat(3 * 1024 * 1024));
    let twice = read("1,\"more\":2");
    let good = [read(&deep(100)), read(&large), twice];
    let bad = [read(&deep(200)), read(&deep(100_000)), read("\"\u{1}\"")];
    for variables in good.iter().chain(&bad) {
        rig.gateway.offer(ActivatedJob { variables: variables.clone(), ..job(1) });
    }
    eventually("all end", || rig.gateway.open_jobs() == bad.len()).await;
    eventually("the bad ones fail", || failures(&rig).len() == bad.len()).await;
    for failure in failures(&rig) {
        let message = &failure.error_message;
        assert_eq!(failure.retries, 0);
        assert!(message.contains("cannot be read") && message.len() < 300, "{message}");
    }
    assert_eq!(rig.servicenow.requests().len(), good.len());
}
