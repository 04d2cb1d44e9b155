//! Our hold on jobs: kept while a call is out, given up when it is gone.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::zeebe::proto::{ActivatedJob, UpdateJobTimeoutRequest};
use tonic::Status;

use super::{
    logs::Log,
    rig::{Setup, job, sys_id, upsert},
    servicenow::{ServiceNow, answer, records},
};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc, ScriptedGateway, Settings},
};

/// A worker with short locks whose calls are held.
fn short_locks(lock: Duration) -> Setup {
    let mut setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    setup.worker.job_timeout = lock;
    setup
}

fn extends(gateway: &ScriptedGateway) -> Vec<UpdateJobTimeoutRequest> {
    let calls = gateway.calls().into_iter();
    calls
        .filter_map(|seen| match seen.call {
            Call::Extend(extend) => Some(extend),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn row_23_a_cluster_that_gives_no_leases_is_told_of_once() {
    for leases in [false, true] {
        let log = Log::open();
        let settings = Settings { leases, ..Settings::default() };
        let mut setup = Setup { settings, ..Setup::default() };
        setup.worker.lease = true;
        let rig = setup.run().await;
        for record in 0..3 {
            rig.gateway.offer(job(record));
        }
        eventually("the jobs are done", || rig.gateway.open_jobs() == 0).await;
        let told = log.warnings("worker.lease is on").len();
        assert_eq!(told, usize::from(!leases), "leases: {leases}");
    }
}

#[tokio::test]
async fn the_lock_is_extended_for_as_long_as_a_call_takes() {
    let rig = short_locks(Duration::from_millis(400)).run().await;
    let key = rig.gateway.offer(job(1));
    eventually("the lock is extended", || rig.gateway.counters().extends.get() >= 5).await;
    assert_eq!(rig.servicenow.requests().len(), 1, "another activation of the same job");
    rig.servicenow.let_all_go();
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert!(extends(&rig.gateway).iter().all(|e| (e.job_key, e.timeout) == (key, 400)));
    let extends = rig.gateway.counters().extends.get();
    eventually("it counts", || rig.records("jobs_completed_accepted_total") == 1).await;
    let (_, gateway, _) = rig.finish().await;
    assert_eq!(gateway.counters().extends.get(), extends);
}

#[tokio::test]
async fn the_lock_is_extended_while_a_job_waits_for_its_connection() {
    let mut setup = short_locks(Duration::from_millis(400));
    setup.max_concurrency = 1;
    let rig = setup.run().await;
    for record in 0..2 {
        rig.gateway.offer(job(record));
    }
    eventually("both locks are extended", || {
        let extended = extends(&rig.gateway);
        (1..=2).all(|key| extended.iter().filter(|extend| extend.job_key == key).count() >= 4)
    })
    .await;
    assert_eq!(rig.servicenow.running(), 1);
    rig.servicenow.let_all_go();
    eventually("both jobs are done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!((rig.servicenow.requests().len(), rig.servicenow.most_running()), (2, 1));
}

#[tokio::test]
async fn an_extension_that_comes_through_after_the_lock_has_ended_proves_nothing() {
    // The engine takes it for the job's next holder, whom it cannot tell from us.
    let mut setup = short_locks(Duration::from_millis(600));
    setup.servicenow = ServiceNow::holding(|_| answer(503, &json!({})));
    let rig = setup.run().await;
    rig.gateway.script(Rpc::Extend, 1, Fault::AnswerLate(Duration::from_millis(500)));
    rig.gateway.offer(job(1));
    eventually("the call is out", || rig.servicenow.running() == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    rig.servicenow.let_all_go();
    eventually("the job ends", || rig.records("jobs_unaccepted_total") == 1).await;
    assert_eq!(rig.gateway.counters().fails.get(), 0, "it may be somebody else's");
}

#[tokio::test]
async fn a_job_that_waited_past_its_lock_is_dropped_and_never_sent() {
    let mut setup = short_locks(Duration::from_millis(400));
    setup.worker.max_jobs_active = 4;
    let rig = setup.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    // The stream of record jobs has one slot; the second job waits in the transport, its
    // lock ends, and it comes again behind itself.
    rig.gateway.offer(job(1));
    eventually("the first call is out", || rig.servicenow.running() == 1).await;
    rig.gateway.offer(job(2));
    eventually("the second comes again", || rig.gateway.counters().pushed.get() >= 4).await;
    rig.servicenow.let_all_go();
    eventually("all jobs are done", || rig.gateway.open_jobs() == 0).await;
    eventually("stale copies are dropped", || rig.records("jobs_lost_total") >= 2).await;
    let asked = rig.servicenow.asked_for();
    assert_eq!((asked[&sys_id(1)], asked[&sys_id(2)]), (1, 1));
    let counters = rig.gateway.counters();
    assert_eq!((counters.fails.get(), counters.completes.get()), (0, 2));
}

#[tokio::test]
async fn a_job_that_the_engine_no_longer_knows_gets_no_further_call() {
    for refusal in [Status::not_found("gone"), Status::failed_precondition("leased to another")] {
        let servicenow = ServiceNow::holding(records);
        let rig = Setup { servicenow, ..Setup::default() }.run().await;
        rig.gateway.script(Rpc::Extend, usize::MAX, Fault::Refuse(refusal));
        rig.gateway.offer(upsert());
        eventually("the search is out", || rig.servicenow.running() == 1).await;
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(30)).await;
        tokio::time::resume();
        rig.servicenow.let_all_go();
        eventually("the job is given up", || rig.records("jobs_lost_total") == 1).await;
        assert_eq!(rig.servicenow.requests().len(), 1, "the insert was sent");
        let (_, gateway, _) = rig.finish().await;
        let counters = gateway.counters();
        let commands = (counters.completes.get(), counters.fails.get(), counters.extends.get());
        assert_eq!(commands, (0, 0, 1));
    }
}

#[tokio::test]
async fn a_heartbeat_that_fails_is_tried_again_before_the_lock_ends() {
    let rig = short_locks(Duration::from_secs(3)).run().await;
    rig.gateway.script(Rpc::Extend, 1, Fault::Refuse(Status::resource_exhausted("busy")));
    rig.gateway.offer(upsert());
    eventually("the second heartbeat counts", || rig.gateway.counters().extends.get() == 2).await;
    rig.servicenow.let_all_go();
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(rig.servicenow.requests().len(), 2);
}

#[tokio::test]
async fn the_author_decides_how_long_a_job_is_locked() {
    let rig = Setup::default().run().await;
    let headers = r#"{"jobTimeout":"PT5M"}"#.to_owned();
    let key = rig.gateway.offer(ActivatedJob { custom_headers: headers, ..job(1) });
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    let extended = extends(&rig.gateway);
    assert_eq!(extended.len(), 1);
    assert_eq!((extended[0].job_key, extended[0].timeout), (key, 300_000));
}

#[tokio::test]
async fn a_job_that_is_gone_when_its_lock_is_set_is_never_sent() {
    let mut setup = Setup::default();
    setup.worker.job_timeout = Duration::from_secs(20);
    let rig = setup.run().await;
    rig.gateway.script(Rpc::Extend, 1, Fault::Refuse(Status::not_found("gone")));
    let headers = r#"{"jobTimeout":"PT5M"}"#.to_owned();
    rig.gateway.offer(ActivatedJob { custom_headers: headers, ..job(1) });
    eventually("the job is given up", || rig.records("jobs_lost_total") == 1).await;
    assert_eq!(rig.servicenow.requests().len(), 0);
}
