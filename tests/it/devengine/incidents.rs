//! Jobs that fail for good, and errors that are thrown.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    devengine::{
        DevEngine, JobStep, Note,
        record::{Event, Refusal, RefusalKind},
    },
    job::{Job, Variables},
    outcome::Outcome,
    ports::{DEFAULT_TENANT, GatewayErrorKind, JobGateway, ProcessGateway},
    zeebe::{
        Gateway,
        proto::{ResolveIncidentRequest, UpdateJobRetriesRequest, gateway_client::GatewayClient},
    },
};
use tonic::Code;

use super::{LONG, bpmn, client, engine, order, processes::variables, subscription};

async fn started(bpmn: &str) -> (DevEngine, Gateway, Job) {
    let engine = engine().await;
    let client = client(&engine);
    client.deploy_resource("order.bpmn", bpmn.as_bytes(), DEFAULT_TENANT).await.unwrap();
    client.create_instance(&order(Variables::new())).await.unwrap();
    let job = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    (engine, client, job)
}

fn failed() -> Outcome {
    Outcome::Fail {
        retries: 0,
        message: "no such table".to_owned(),
        retry_backoff: Duration::ZERO,
        variables: Variables::new(),
    }
}

fn done() -> Outcome {
    Outcome::Complete { variables: Variables::new() }
}

fn thrown(code: &str) -> Outcome {
    Outcome::ThrowError {
        code: code.to_owned(),
        message: "no such record".to_owned(),
        variables: variables(json!({"sysId": null})),
    }
}

#[tokio::test]
async fn a_job_without_retries_waits_for_somebody_to_resolve_its_incident() {
    let (engine, client, job) = started(&bpmn::one_task("order")).await;
    client.report(&job.id, &failed()).await.unwrap();
    let incidents = engine.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].kind, incidents[0].job), ("JOB_NO_RETRIES", Some(job.id.key.0)));
    assert_eq!(
        (incidents[0].element_id.as_str(), incidents[0].message.as_str()),
        ("task", "no such table")
    );
    assert_eq!(client.poll(&subscription(), 1, None).await.unwrap().len(), 0);
    let mut raw = GatewayClient::connect(engine.address()).await.unwrap();
    let resolve =
        ResolveIncidentRequest { incident_key: incidents[0].key, operation_reference: None };
    let too_early = raw.resolve_incident(resolve).await.unwrap_err();
    assert_eq!(too_early.code(), Code::FailedPrecondition, "{too_early}");
    let retries = |retries| UpdateJobRetriesRequest {
        job_key: job.id.key.0,
        retries,
        ..UpdateJobRetriesRequest::default()
    };
    let none = raw.update_job_retries(retries(0)).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    raw.update_job_retries(retries(4)).await.unwrap();
    raw.resolve_incident(resolve).await.unwrap();
    assert_eq!(raw.resolve_incident(resolve).await.unwrap_err().code(), Code::NotFound);
    let again = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    assert_eq!((again.id.key, again.retries), (job.id.key, 4));
    client.report(&again.id, &done()).await.unwrap();
    assert_eq!((engine.incidents().len(), engine.gateway().open_jobs()), (0, 0));
}

#[tokio::test]
async fn an_error_goes_to_the_boundary_event_that_catches_it() {
    let (engine, client, job) = started(&bpmn::with_error_boundary("order")).await;
    let mut notes = engine.events();
    client.report(&job.id, &thrown("NOT_THERE")).await.unwrap();
    let notes: Vec<_> = std::iter::from_fn(|| notes.try_recv().ok()).collect();
    let Note::Job(first) = &notes[0] else { panic!("{notes:?}") };
    assert!(matches!(first.step, JobStep::Thrown { .. }), "{first:?}");
    let completed = |note: &Note, id: &str| matches!(note, Note::Process(Event::ElementCompleted { element_id, .. }) if element_id == id);
    assert!(notes.iter().any(|note| completed(note, "missing")), "{notes:?}");
    assert!(!notes.iter().any(|note| completed(note, "task") || completed(note, "end")));
    assert!(matches!(notes.last(), Some(Note::Process(Event::InstanceEnded { .. }))), "{notes:?}");
    assert_eq!(engine.gateway().open_jobs(), 0);
}

#[tokio::test]
async fn an_error_that_nobody_catches_stops_its_job() {
    let (engine, client, job) = started(&bpmn::with_error_boundary("order")).await;
    client.report(&job.id, &thrown("OTHER")).await.unwrap();
    let incidents = engine.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(
        (incidents[0].kind, incidents[0].job),
        ("UNHANDLED_ERROR_EVENT", Some(job.id.key.0))
    );
    for outcome in [done(), failed(), thrown("NOT_THERE")] {
        let error = client.report(&job.id, &outcome).await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Superseded, "{outcome:?}");
    }
    engine.resolve(incidents[0].key).unwrap();
    let again = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    assert_eq!(again.id.key, job.id.key);
    client.report(&again.id, &thrown("NOT_THERE")).await.unwrap();
    assert_eq!((engine.incidents().len(), engine.gateway().open_jobs()), (0, 0));
}

#[tokio::test]
async fn what_can_be_done_from_within_is_refused_for_the_same_reasons() {
    let engine = engine().await;
    let kind = |refusal: Refusal| refusal.kind;
    assert_eq!(engine.resolve(5).map_err(kind), Err(RefusalKind::NotFound));
    assert_eq!(engine.cancel(5).map_err(kind), Err(RefusalKind::NotFound));
    assert_eq!(engine.update_retries(5, 1).map_err(kind), Err(RefusalKind::NotFound));
    let refused = engine.deploy("a.bpmn", b"\xff").unwrap_err();
    assert_eq!(refused.kind, RefusalKind::InvalidArgument);
    assert!(refused.message.contains("UTF-8"), "{refused}");
}
