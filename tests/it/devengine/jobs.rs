//! Rules about jobs that a broker keeps.

use std::{sync::Arc, time::Duration};

use servicenow_worker::{
    devengine::{DevEngine, JobNote, JobStep, Note, Settings},
    job::{JobRef, Variables},
    outcome::Outcome,
    ports::{Clock, GatewayErrorKind, JobGateway, Subscription},
    zeebe::proto::{
        ActivateJobsRequest, ActivatedJob, StreamActivatedJobsRequest,
        gateway_client::GatewayClient,
    },
};
use tokio::sync::broadcast::Receiver;
use tonic::Code;

use super::{LONG, client, engine, job, subscription};

fn done() -> Outcome {
    Outcome::Complete { variables: Variables::new() }
}

fn failed(retries: i32, retry_backoff: Duration) -> Outcome {
    let message = "printer on fire".to_owned();
    Outcome::Fail { retries, message, retry_backoff, variables: Variables::new() }
}

fn drain(notes: &mut Receiver<Note>) -> Vec<JobNote> {
    let notes = std::iter::from_fn(|| notes.try_recv().ok());
    notes
        .filter_map(|note| match note {
            Note::Job(note) => Some(note),
            Note::Process(_) => None,
        })
        .collect()
}

#[tokio::test]
async fn a_leased_job_is_only_for_those_who_know_leases() {
    let engine = engine().await;
    let client = client(&engine);
    let leasing = Subscription { lease: true, ..subscription() };
    engine.gateway().offer(job());
    let first = client.poll(&leasing, 1, LONG).await.unwrap().remove(0).id;
    engine.gateway().expire_locks();
    assert_eq!(client.poll(&subscription(), 1, None).await.unwrap().len(), 0);
    let second = client.poll(&leasing, 1, LONG).await.unwrap().remove(0).id;
    assert_eq!(second.key, first.key);
    assert!(second.lease.is_some() && second.lease != first.lease, "{second:?}");
    let none = JobRef { lease: None, ..first.clone() };
    for stale in [&first, &none] {
        let error = client.report(stale, &done()).await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Superseded);
    }
    client.report(&second, &done()).await.unwrap();
}

#[tokio::test]
async fn a_job_whose_back_off_is_over_is_pushed_again() {
    let engine = engine().await;
    let client = client(&engine);
    engine.gateway().offer(job());
    let job = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0).id;
    let back_off = Duration::from_hours(1);
    client.report(&job, &failed(2, back_off)).await.unwrap();
    let error = client.report(&job, &done()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Superseded);
    assert!(error.message.contains("back-off"), "{error}");
    tokio::time::pause();
    tokio::time::sleep(back_off).await;
    tokio::time::resume();
    let again = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    assert_eq!((again.id.key, again.retries), (job.key, 2));
}

#[tokio::test]
async fn a_tenant_is_refused_by_name_where_there_is_only_one() {
    let engine = engine().await;
    let client = client(&engine);
    let of = |tenant: &str| Subscription { tenants: vec![tenant.to_owned()], ..subscription() };
    client.poll(&of("<default>"), 1, None).await.unwrap();
    let error = client.poll(&of("acme"), 1, None).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Invalid);
    assert!(error.message.contains("'acme'"), "{error}");
    let Err(error) = client.stream(&of("acme")).await else { panic!("opened") };
    assert_eq!(error.kind, GatewayErrorKind::Invalid);
}

#[tokio::test]
async fn a_poll_without_type_worker_time_or_number_is_refused() {
    let engine = engine().await;
    let mut client = GatewayClient::connect(engine.address()).await.unwrap();
    let right = ActivateJobsRequest {
        r#type: "work".to_owned(),
        worker: "worker-1".to_owned(),
        timeout: 1,
        max_jobs_to_activate: 1,
        request_timeout: -1,
        ..ActivateJobsRequest::default()
    };
    client.activate_jobs(right.clone()).await.unwrap();
    for (field, wrong) in [
        ("type", ActivateJobsRequest { r#type: " ".to_owned(), ..right.clone() }),
        ("worker", ActivateJobsRequest { worker: String::new(), ..right.clone() }),
        ("timeout", ActivateJobsRequest { timeout: 0, ..right.clone() }),
        ("maxJobsToActivate", ActivateJobsRequest { max_jobs_to_activate: 0, ..right }),
    ] {
        let status = client.activate_jobs(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert!(status.message().starts_with(field), "{status}");
    }
    let nameless = StreamActivatedJobsRequest {
        r#type: "work".to_owned(),
        timeout: 1,
        ..StreamActivatedJobsRequest::default()
    };
    client.stream_activated_jobs(nameless).await.unwrap();
}

#[tokio::test]
async fn one_poll_brings_more_than_fits_into_one_message() {
    let engine = engine().await;
    let variables = format!(r#"{{"text":"{}"}}"#, "x".repeat(3_000_000));
    for _ in 0..4 {
        engine.gateway().offer(ActivatedJob { variables: variables.clone(), ..job() });
    }
    let jobs = client(&engine).poll(&subscription(), 5, LONG).await.unwrap();
    assert_eq!(jobs.len(), 4);
    assert!(jobs.iter().all(|job| job.defect.is_none() && job.variables.len() == 1));
}

#[tokio::test]
async fn a_deadline_is_told_by_the_engines_own_clock() {
    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::from_second(1_000_000).unwrap()
        }
    }
    let settings = Settings { clock: Arc::new(Stopped), ..Settings::default() };
    let engine = DevEngine::start(settings).await.unwrap();
    engine.gateway().offer(job());
    let jobs = client(&engine).poll(&subscription(), 1, LONG).await.unwrap();
    assert_eq!(jobs[0].deadline_ms, 1_000_060_000);
}

#[tokio::test]
async fn whoever_watches_is_told_each_step_of_a_job() {
    let engine = engine().await;
    let client = client(&engine);
    let mut notes = engine.events();
    let key = engine.gateway().offer(job());
    let poll = async || client.poll(&subscription(), 1, LONG).await.unwrap().remove(0).id;
    poll().await;
    engine.gateway().expire_locks();
    client.report(&poll().await, &failed(2, Duration::ZERO)).await.unwrap();
    client.report(&poll().await, &done()).await.unwrap();
    let thrown = engine.gateway().offer(job());
    let throw = Outcome::ThrowError {
        code: "NOT_THERE".to_owned(),
        message: "no such record".to_owned(),
        variables: Variables::new(),
    };
    client.report(&poll().await, &throw).await.unwrap();
    let activated = || JobStep::Activated { worker: "worker-1".to_owned() };
    let expected = [
        (key, activated()),
        (key, JobStep::TimedOut),
        (key, activated()),
        (
            key,
            JobStep::Failed {
                retries: 2,
                message: "printer on fire".to_owned(),
                back_off: Duration::ZERO,
            },
        ),
        (key, activated()),
        (key, JobStep::Completed { variables: Variables::new() }),
        (thrown, activated()),
        (
            thrown,
            JobStep::Thrown { code: "NOT_THERE".to_owned(), message: "no such record".to_owned() },
        ),
    ];
    let notes = drain(&mut notes);
    assert!(notes.iter().all(|note| {
        (note.job_type.as_str(), note.element_id.as_str(), note.process_instance_key)
            == ("work", "task", 7)
    }));
    let steps: Vec<_> = notes.into_iter().map(|note| (note.key, note.step)).collect();
    assert_eq!(steps, expected);
}
