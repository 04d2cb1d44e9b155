//! Jobs by poll and by push.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use servicenow_worker::{
    job::JobKey,
    ports::{GatewayErrorKind, JobGateway, Subscription},
    zeebe::proto::{ActivateJobsRequest, ActivatedJob, StreamActivatedJobsRequest},
};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::{JOB_TYPE, client, gateway, job, subscription};
use crate::support::{
    eventually,
    gateway::{Call, Fault, Rpc},
};

const LONG: Option<Duration> = Some(Duration::from_secs(20));

#[tokio::test]
async fn a_poll_waits_at_the_gateway_until_a_job_is_there() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let polling = tokio::spawn(async move { client.poll(&subscription(), 5, LONG).await });
    eventually("the poll arrives", || !gateway.calls().is_empty()).await;
    let key = gateway.offer(job());
    let jobs = polling.await.unwrap().unwrap();
    assert_eq!(jobs.iter().map(|job| job.id.key).collect::<Vec<_>>(), [JobKey(key)]);
    let asked = ActivateJobsRequest {
        r#type: JOB_TYPE.to_owned(),
        worker: "worker-1".to_owned(),
        timeout: 60_000,
        max_jobs_to_activate: 5,
        fetch_variable: vec!["operation".to_owned(), "table".to_owned()],
        request_timeout: 20_000,
        tenant_ids: vec!["<default>".to_owned()],
        with_lease: false,
    };
    assert_eq!(gateway.calls()[0].call, Call::Poll(asked));
}

#[tokio::test]
async fn a_job_comes_over_with_all_that_we_read_of_it() {
    let gateway = gateway().await;
    let key = gateway.offer(ActivatedJob {
        process_instance_key: i64::MAX,
        bpmn_process_id: "order".to_owned(),
        process_definition_version: 4,
        process_definition_key: 5,
        element_id: "create".to_owned(),
        element_instance_key: 6,
        custom_headers: r#"{"resultVariable":"record"}"#.to_owned(),
        variables: r#"{"fields":{"impact":1.50,"b":2,"a":1}}"#.to_owned(),
        tags: vec!["unread".to_owned()],
        ..job()
    });
    let job = client(&gateway).poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    assert_eq!((job.id.key, job.id.lease.as_deref()), (JobKey(key), None));
    assert_eq!((job.job_type.as_str(), job.retries), (JOB_TYPE, 3));
    assert_eq!((job.process_instance_key, job.bpmn_process_id.as_str()), (i64::MAX, "order"));
    assert_eq!((job.process_definition_version, job.process_definition_key), (4, 5));
    assert_eq!((job.element_id.as_str(), job.element_instance_key), ("create", 6));
    assert_eq!(job.header("resultVariable"), Some("record"));
    assert_eq!(job.variables["fields"].to_string(), r#"{"impact":1.50,"b":2,"a":1}"#);
    assert_eq!((job.tenant_id.as_str(), job.defect), ("<default>", None));
    assert!(job.deadline_ms > 1_700_000_000_000, "{}", job.deadline_ms);
}

#[tokio::test]
async fn a_poll_that_may_not_wait_is_answered_at_once() {
    let gateway = gateway().await;
    let (client, subscription) = (client(&gateway), subscription());
    let polled = client.poll(&subscription, 32, None);
    let limit = Duration::from_secs(5);
    assert!(tokio::time::timeout(limit, polled).await.unwrap().unwrap().is_empty());
    let Call::Poll(asked) = &gateway.calls()[0].call else { panic!("no poll") };
    assert_eq!((asked.request_timeout, asked.max_jobs_to_activate), (-1, 32));
}

#[tokio::test]
async fn an_empty_poll_takes_as_long_as_it_was_to_wait() {
    let gateway = gateway().await;
    let (client, wait) = (client(&gateway), Duration::from_millis(150));
    let began = Instant::now();
    assert!(client.poll(&subscription(), 1, Some(wait)).await.unwrap().is_empty());
    assert!(began.elapsed() >= wait, "{:?}", began.elapsed());
}

#[tokio::test]
async fn jobs_that_came_before_a_poll_broke_are_kept() {
    let gateway = gateway().await;
    gateway.offer(job());
    gateway.offer(job());
    gateway.script(Rpc::Poll, 1, Fault::LoseAnswer(Code::Unavailable));
    let client = client(&gateway);
    assert_eq!(client.poll(&subscription(), 5, LONG).await.unwrap().len(), 2);
    gateway.script(Rpc::Poll, 1, Fault::Refuse(Status::resource_exhausted("busy")));
    let error = client.poll(&subscription(), 5, LONG).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (GatewayErrorKind::Busy, "busy"));
}

#[tokio::test]
async fn jobs_are_not_held_up_by_a_poll_that_stalls_after_them() {
    let gateway = gateway().await;
    gateway.offer(job());
    gateway.script(Rpc::Poll, 1, Fault::Silence);
    let began = Instant::now();
    assert_eq!(client(&gateway).poll(&subscription(), 5, LONG).await.unwrap().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_stream_brings_jobs_one_by_one_as_they_are_created() {
    let gateway = gateway().await;
    let mut stream = client(&gateway).stream(&subscription()).await.unwrap();
    for _ in 0..3 {
        assert!(stream.next().now_or_never().is_none());
        let key = gateway.offer(job());
        assert_eq!(stream.next().await.unwrap().unwrap().id.key, JobKey(key));
    }
    let asked = StreamActivatedJobsRequest {
        r#type: JOB_TYPE.to_owned(),
        worker: "worker-1".to_owned(),
        timeout: 60_000,
        fetch_variable: vec!["operation".to_owned(), "table".to_owned()],
        tenant_ids: vec!["<default>".to_owned()],
        with_lease: false,
    };
    assert_eq!(gateway.calls()[0].call, Call::Stream(asked));
    gateway.end_streams();
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_stream_that_breaks_says_why() {
    let gateway = gateway().await;
    gateway.script(Rpc::Stream, 1, Fault::LoseAnswer(Code::Unavailable));
    let client = client(&gateway);
    let mut stream = client.stream(&subscription()).await.unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unavailable);
    assert_eq!(error.message, "the stream broke");
    gateway.script(Rpc::Stream, 1, Fault::Refuse(Status::permission_denied("tenant 'x'")));
    let Err(error) = client.stream(&subscription()).await else { panic!("opened") };
    assert_eq!(error.kind, GatewayErrorKind::Denied);
}

#[tokio::test]
async fn a_stream_that_is_dropped_gets_no_more_jobs() {
    let gateway = gateway().await;
    let (client, subscription) = (client(&gateway), subscription());
    let mut first = client.stream(&subscription).await.unwrap();
    gateway.offer(job());
    first.next().await.unwrap().unwrap();
    drop(first);
    let mut second = client.stream(&subscription).await.unwrap();
    // The gateway hears of the end of the first in its own time; a job that it sent there
    // meanwhile is back once it does.
    let key = gateway.offer(job());
    let polled = client.poll(&subscription, 1, LONG);
    let got = tokio::select! {
        pushed = second.next() => pushed.unwrap().unwrap(),
        polled = polled => polled.unwrap().remove(0),
    };
    assert_eq!(got.id.key, JobKey(key));
}

#[tokio::test]
async fn only_jobs_of_the_subscribed_tenants_come() {
    let gateway = gateway().await;
    let of = |tenant: &str| ActivatedJob { tenant_id: tenant.to_owned(), ..job() };
    gateway.offer(of("other"));
    let polled = gateway.offer(of("acme"));
    let acme = Subscription { tenants: vec!["acme".to_owned()], ..subscription() };
    let client = client(&gateway);
    let jobs = client.poll(&acme, 5, LONG).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].id.key, jobs[0].tenant_id.as_str()), (JobKey(polled), "acme"));
    let mut stream = client.stream(&acme).await.unwrap();
    gateway.offer(of("other"));
    let pushed = gateway.offer(of("acme"));
    assert_eq!(stream.next().await.unwrap().unwrap().id.key, JobKey(pushed));
}

#[tokio::test]
async fn a_job_whose_lock_ends_comes_again() {
    let gateway = gateway().await;
    let key = gateway.offer(job());
    let short = Subscription { timeout: Duration::from_millis(50), ..subscription() };
    let client = client(&gateway);
    for _ in 0..2 {
        let jobs = client.poll(&short, 5, LONG).await.unwrap();
        assert_eq!(jobs[0].id.key, JobKey(key));
    }
}
