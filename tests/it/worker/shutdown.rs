//! A stop: nothing new is taken, unstarted jobs go back, running ones are finished.

use std::time::Duration;

use servicenow_worker::zeebe::proto::FailJobRequest;
use tokio::time::Instant;
use tonic::Status;

use super::{
    rig::{Setup, job, upsert},
    servicenow::{ServiceNow, records},
};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc, ScriptedGateway, Settings},
};

/// A worker that makes one call at a time, and holds it.
fn one_call_at_a_time() -> Setup {
    let servicenow = ServiceNow::holding(records);
    Setup { servicenow, max_concurrency: 1, ..Setup::default() }
}

fn handed_back(gateway: &ScriptedGateway) -> Vec<FailJobRequest> {
    let calls = gateway.calls().into_iter();
    let failures = calls.filter_map(|seen| match seen.call {
        Call::Fail(failure) => Some(failure),
        _ => None,
    });
    failures
        .inspect(|f| assert!(f.error_message.contains("handed back unstarted"), "{f:?}"))
        .collect()
}

#[tokio::test]
async fn an_idle_worker_stops_at_once() {
    let rig = Setup::default().run().await;
    eventually("it is idle", || rig.gateway.counters().polls.get() == 2).await;
    let stopped = tokio::time::timeout(Duration::from_secs(1), rig.finish()).await;
    assert!(stopped.unwrap().0);
}

#[tokio::test]
async fn a_worker_without_a_gateway_stops_at_once() {
    let mut setup = Setup::default();
    let gateway = setup.gateway().await;
    gateway.go_away().await;
    let rig = setup.run_at(gateway);
    let stopped = tokio::time::timeout(Duration::from_secs(1), rig.finish()).await;
    assert!(stopped.unwrap().0);
}

#[tokio::test]
async fn running_jobs_are_finished_and_unstarted_ones_handed_back_as_they_were() {
    let rig = one_call_at_a_time().run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..4 {
        rig.gateway.offer(job(record));
    }
    eventually("the jobs are taken", || rig.figure("snc_inflight") == 4).await;
    let stopped = Instant::now();
    rig.stop.cancel();
    eventually("three go back", || rig.gateway.counters().fails.get() == 3).await;
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    rig.servicenow.let_all_go();
    let (drained, gateway, servicenow) = rig.finish().await;
    assert!(drained);
    let back = handed_back(&gateway);
    assert!(back.iter().all(|failure| (failure.retries, failure.retry_back_off) == (3, 0)));
    assert_eq!((back.len(), servicenow.requests().len()), (3, 1));
    assert_eq!((gateway.open_jobs(), gateway.locked_jobs()), (3, 0));
}

#[tokio::test]
async fn a_job_with_a_call_behind_it_is_finished_with_all_its_calls() {
    let rig = one_call_at_a_time().run().await;
    rig.gateway.offer(upsert());
    eventually("the search is out", || rig.servicenow.running() == 1).await;
    rig.stop.cancel();
    rig.servicenow.let_all_go();
    let (drained, gateway, servicenow) = rig.finish().await;
    assert!(drained);
    assert_eq!((servicenow.requests().len(), gateway.open_jobs()), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_were_pushed_but_not_taken_go_back_once_each() {
    let settings = Settings { stream_capacity: 64, ..Settings::default() };
    let rig = Setup { settings, ..one_call_at_a_time() }.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..40 {
        rig.gateway.offer(job(record));
    }
    // Five run or wait for the connection, the others are in the transport. On a busy machine
    // a poll may come before a stream.
    eventually("the slots are full", || rig.figure("snc_inflight") >= 5).await;
    let counters = rig.gateway.counters();
    eventually("all are out", || counters.pushed.get() + counters.polled.get() >= 40).await;
    rig.stop.cancel();
    eventually("the running one is left", || rig.gateway.locked_jobs() == 1).await;
    rig.servicenow.let_all_go();
    let (drained, gateway, servicenow) = rig.finish().await;
    assert!(drained);
    assert_eq!((gateway.open_jobs(), gateway.locked_jobs()), (39, 0));
    let mut keys: Vec<_> = handed_back(&gateway).iter().map(|failure| failure.job_key).collect();
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    assert_eq!((keys.len(), servicenow.requests().len()), (count, 1));
}

#[tokio::test]
async fn a_call_that_never_ends_is_left_at_the_end_of_the_grace() {
    let mut setup = one_call_at_a_time();
    setup.worker.shutdown_grace = Duration::from_millis(200);
    let rig = setup.run().await;
    rig.gateway.offer(job(1));
    eventually("the call is out", || rig.servicenow.running() == 1).await;
    let stopped = tokio::time::timeout(Duration::from_secs(5), rig.finish()).await;
    let (drained, gateway, _) = stopped.unwrap();
    assert!(!drained);
    assert_eq!((gateway.open_jobs(), gateway.locked_jobs()), (1, 1));
}

#[tokio::test]
async fn nothing_is_taken_any_more() {
    let rig = one_call_at_a_time().run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    rig.gateway.offer(job(1));
    eventually("the call is out", || rig.servicenow.running() == 1).await;
    rig.stop.cancel();
    eventually("the streams are closed", || rig.gateway.open_streams() == 0).await;
    rig.gateway.offer(job(3));
    rig.servicenow.let_all_go();
    let (drained, gateway, servicenow) = rig.finish().await;
    assert!(drained);
    assert_eq!((servicenow.requests().len(), gateway.locked_jobs()), (1, 0));
}

#[tokio::test]
async fn a_job_is_not_handed_back_after_its_lock_has_ended() {
    let mut setup = one_call_at_a_time();
    setup.worker.job_timeout = Duration::from_millis(600);
    let rig = setup.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..2 {
        rig.gateway.offer(job(record));
    }
    eventually("the jobs are taken", || rig.figure("snc_inflight") == 2).await;
    // From now on the second job's lock is not extended any more, nor can it go back.
    let away = || Fault::Refuse(Status::unavailable("no leader"));
    rig.gateway.script(Rpc::Extend, usize::MAX, away());
    rig.gateway.script(Rpc::Fail, usize::MAX, away());
    let refused = rig.gateway.counters().extends.get();
    eventually("a heartbeat failed", || rig.gateway.counters().extends.get() > refused).await;
    rig.stop.cancel();
    eventually("the locks have ended", || rig.gateway.locked_jobs() == 0).await;
    rig.gateway.heal();
    let tries = rig.gateway.counters().fails.get();
    rig.servicenow.let_all_go();
    let (_, gateway, _) = rig.finish().await;
    assert!(tries > 0);
    assert_eq!(gateway.counters().fails.get(), tries, "it was handed back when it was not ours");
}
