//! How jobs are taken: never more than there are slots, by poll and by push.

use std::time::Duration;

use servicenow_worker::{ports::Readiness, worker::Config, zeebe::proto::ActivatedJob};

use tonic::{Code, Status};

use super::{
    rig::{Setup, job},
    servicenow::{ServiceNow, records},
};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc, Settings},
};

#[tokio::test]
async fn no_more_jobs_are_polled_than_there_are_slots() {
    let mut setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    setup.worker.stream = false;
    let gateway = setup.gateway().await;
    for record in 0..60 {
        gateway.offer(job(record));
    }
    let rig = setup.run_at(gateway);
    // The flow jobs' poll holds two of the eight.
    eventually("the slots are full", || rig.figure("snc_inflight") == 6).await;
    for _ in 0..60 {
        rig.servicenow.let_go(1);
    }
    eventually("all jobs are done", || rig.gateway.open_jobs() == 0).await;
    assert!(rig.gateway.most_locked_jobs() <= 8, "{}", rig.gateway.most_locked_jobs());
    assert!(rig.servicenow.most_running() <= 6);
    assert!(rig.servicenow.asked_for().values().all(|&times| times == 1));
    assert_eq!(rig.activated("poll"), 60);
    eventually("all count", || rig.records("jobs_completed_accepted_total") == 60).await;
}

#[tokio::test]
async fn jobs_from_before_the_stream_are_polled_and_later_ones_pushed() {
    let mut setup = Setup::default();
    let gateway = setup.gateway().await;
    for record in 0..20 {
        gateway.offer(job(record));
    }
    let rig = setup.run_at(gateway);
    eventually("the first are done", || rig.gateway.counters().ended.get() == 20).await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 20..40 {
        rig.gateway.offer(job(record));
    }
    eventually("the others are done", || rig.gateway.counters().ended.get() == 40).await;
    assert!(rig.activated("poll") >= 20, "{}", rig.activated("poll"));
    assert!(rig.activated("push") > 0);
    assert_eq!(rig.activated("poll") + rig.activated("push"), 40);
    assert_eq!(rig.servicenow.asked_for().len(), 40);
}

#[tokio::test]
async fn a_flood_of_pushed_jobs_leaves_a_share_for_polling() {
    let setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    let rig = setup.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..300 {
        // Large ones, so that the transport cannot take them all.
        let filler = "x".repeat(4_000);
        let headers = format!("{{\"filler\":\"{filler}\"}}");
        rig.gateway.offer(ActivatedJob { custom_headers: headers, ..job(record) });
    }
    // Of eight slots the flow jobs keep one for pushes and one for polls.
    eventually("the slots are full", || rig.figure("snc_inflight") == 6).await;
    assert_eq!((rig.activated("push"), rig.activated("poll")), (5, 1));
    rig.servicenow.let_all_go();
    eventually("all jobs are done", || rig.gateway.open_jobs() == 0).await;
    assert!(rig.servicenow.most_running() <= 6);
    assert!(rig.servicenow.asked_for().values().all(|&times| times == 1));
}

#[tokio::test]
async fn the_engine_is_told_who_asks_for_what() {
    let mut setup = Setup::default();
    setup.worker = Config {
        name: "blue".to_owned(),
        tenants: vec!["acme".to_owned()],
        lease: true,
        ..setup.worker
    };
    let rig = setup.run().await;
    let asked = || rig.gateway.calls().len() >= 4;
    eventually("both types are polled and streamed", asked).await;
    for seen in rig.gateway.calls() {
        let (job_type, worker, timeout, variables, tenants, lease) = match seen.call {
            Call::Poll(c) => {
                assert_eq!(c.request_timeout, 2_000);
                (c.r#type, c.worker, c.timeout, c.fetch_variable, c.tenant_ids, c.with_lease)
            }
            Call::Stream(c) => {
                (c.r#type, c.worker, c.timeout, c.fetch_variable, c.tenant_ids, c.with_lease)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((worker.as_str(), timeout, lease), ("blue", 60_000, true));
        assert_eq!(tenants, ["acme"]);
        let own = if job_type == "servicenow:flow:1" { "path" } else { "table" };
        assert!(variables.iter().any(|name| name == own), "{job_type}: {variables:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_never_lets_polls_wait_is_not_asked_in_a_spin() {
    let settings = Settings { never_waits: true, ..Settings::default() };
    let rig = Setup { settings, ..Setup::default() }.run().await;
    eventually("the gateway has answered", || rig.health.is_ready()).await;
    tokio::time::pause();
    let before = rig.gateway.counters().polls.get();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let polls = rig.gateway.counters().polls.get() - before;
    assert!((90..=170).contains(&polls), "{polls} polls of two job types in a minute");
    tokio::time::resume();
    rig.gateway.end_streams();
    rig.gateway.offer(job(1));
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
}

#[tokio::test]
async fn a_gateway_that_waits_is_asked_once_a_wait() {
    let rig = Setup::default().run().await;
    eventually("the gateway has answered", || rig.gateway.counters().polls.get() == 2).await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let polls = rig.gateway.counters().polls.get();
    assert!((50..=64).contains(&polls), "{polls} polls of two job types in a minute");
}

#[tokio::test]
async fn a_gateway_that_refuses_is_asked_ever_more_seldom() {
    let rig = Setup::default().run().await;
    let counters = rig.gateway.counters();
    eventually("it asks", || counters.polls.get() == 2 && counters.streams.get() == 2).await;
    for status in [Status::resource_exhausted("busy"), Status::unavailable("no leader")] {
        rig.gateway.heal();
        rig.gateway.script(Rpc::Poll, usize::MAX, Fault::Refuse(status));
        rig.gateway.script(Rpc::Stream, usize::MAX, Fault::LoseAnswer(Code::Unavailable));
        rig.gateway.end_streams();
        tokio::time::pause();
        let before = (counters.polls.get(), counters.streams.get());
        tokio::time::sleep(Duration::from_mins(1)).await;
        let (polls, streams) = (counters.polls.get() - before.0, counters.streams.get() - before.1);
        assert!((12..=70).contains(&polls), "{polls} polls of two job types in a minute");
        assert!((12..=70).contains(&streams), "{streams} streams of two job types in a minute");
        tokio::time::resume();
    }
    rig.gateway.heal();
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(7)).await;
    tokio::time::resume();
    rig.gateway.offer(job(1));
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
}

#[tokio::test]
async fn a_stream_whose_headers_come_with_its_first_job_brings_it_and_those_after_it() {
    let settings = Settings { late_headers: true, ..Settings::default() };
    let rig = Setup { settings, ..Setup::default() }.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..5 {
        rig.gateway.offer(job(record));
        eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    }
    assert_eq!((rig.activated("push"), rig.gateway.counters().streams.get()), (5, 2));
    // The flow jobs' stream still waits for its headers.
    let stopped = tokio::time::timeout(Duration::from_secs(1), rig.finish()).await;
    assert!(stopped.unwrap().0);
}

#[tokio::test]
async fn a_gateway_that_is_away_is_found_when_it_comes() {
    let mut setup = Setup::default();
    let gateway = setup.gateway().await;
    gateway.go_away().await;
    let rig = setup.run_at(gateway);
    tokio::time::pause();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(!rig.health.is_ready());
    tokio::time::resume();
    rig.gateway.come_back().await.unwrap();
    rig.gateway.offer(job(1));
    eventually("the job is done", || rig.gateway.open_jobs() == 0).await;
    assert!(rig.health.is_ready());
}

#[tokio::test]
async fn a_gateway_that_goes_in_the_middle_costs_no_job_and_no_second_call() {
    let setup = Setup { servicenow: ServiceNow::holding(records), ..Setup::default() };
    let rig = setup.run().await;
    eventually("streams are open", || rig.gateway.open_streams() == 2).await;
    for record in 0..3 {
        rig.gateway.offer(job(record));
    }
    eventually("calls are out", || rig.servicenow.running() == 3).await;
    rig.gateway.go_away().await;
    rig.servicenow.let_all_go();
    eventually("the calls are answered", || rig.servicenow.running() == 0).await;
    rig.gateway.come_back().await.unwrap();
    eventually("the jobs are done", || rig.gateway.open_jobs() == 0).await;
    eventually("streams are open again", || rig.gateway.counters().streams.get() >= 4).await;
    rig.gateway.offer(job(3));
    eventually("the new job is done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(rig.servicenow.requests().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_opened_anew_lose_and_return_no_job() {
    let mut setup = Setup::default();
    setup.worker.stream_lifetime = Duration::from_millis(20);
    setup.worker.job_timeout = Duration::from_secs(2);
    let rig = setup.run().await;
    let mut offered = 0;
    while rig.gateway.counters().streams.get() < 20 {
        (0..10).for_each(|_| {
            rig.gateway.offer(job(offered));
            offered += 1;
        });
        tokio::task::yield_now().await;
        let streams = rig.gateway.counters().streams.get();
        eventually("the jobs are done", || {
            rig.gateway.open_jobs() < 50 || rig.gateway.counters().streams.get() > streams
        })
        .await;
    }
    eventually("all jobs are done", || rig.gateway.open_jobs() == 0).await;
    assert_eq!(rig.gateway.counters().fails.get(), 0, "jobs were handed back");
    assert!(rig.activated("push") > 0);
}
