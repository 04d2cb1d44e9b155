//! What goes wrong on request.

use std::time::Duration;

use futures_util::StreamExt;
use servicenow_worker::{
    devengine::gateway::{Call, Fault, Rpc},
    job::Variables,
    outcome::Outcome,
    ports::{DEFAULT_TENANT, GatewayErrorKind, JobGateway, ProcessGateway},
    zeebe::{Config, Gateway},
};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::{LONG, bpmn, client, config, engine, job, order, subscription};

fn done() -> Outcome {
    Outcome::Complete { variables: Variables::new() }
}

#[tokio::test]
async fn a_connection_that_closes_early_takes_the_answer_with_it() {
    let engine = engine().await;
    let (gateway, client) = (engine.gateway(), client(&engine));
    gateway.offer(job());
    let job = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0).id;
    gateway.faults().add(Rpc::Complete, 1, Fault::Close);
    let error = client.report(&job, &done()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unavailable, "{error}");
    assert_eq!((gateway.counters().ended.get(), gateway.counters().connections.get()), (1, 1));
    let error = client.report(&job, &done()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
    assert_eq!(gateway.counters().connections.get(), 2);
    let results = gateway.calls().into_iter().filter_map(|seen| match seen.call {
        Call::Complete(_) => Some(seen.result),
        _ => None,
    });
    assert_eq!(results.collect::<Vec<_>>(), [Code::Ok, Code::NotFound]);
}

#[tokio::test]
async fn a_connection_can_close_under_a_poll_and_under_a_stream() {
    let engine = engine().await;
    let client = client(&engine);
    engine.gateway().offer(job());
    engine.gateway().faults().add(Rpc::Poll, 1, Fault::Close);
    client.poll(&subscription(), 1, LONG).await.unwrap_err();
    assert_eq!(engine.gateway().locked_jobs(), 1);
    engine.gateway().faults().add(Rpc::Stream, 1, Fault::Close);
    let opening = client.stream(&subscription()).await;
    let Err(error) = opening else { panic!("opened") };
    assert_eq!(error.kind, GatewayErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_slow_stream_brings_its_jobs_one_by_one() {
    let engine = engine().await;
    let (pause, nearly) = (Duration::from_millis(60), Duration::from_millis(55));
    engine.gateway().faults().add(Rpc::Stream, 1, Fault::Slow(pause));
    let mut stream = client(&engine).stream(&subscription()).await.unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        engine.gateway().offer(job());
    }
    for number in 1..=3 {
        stream.next().await.unwrap().unwrap();
        assert!(began.elapsed() >= nearly * (number - 1), "job {number} came early");
    }
}

#[tokio::test]
async fn a_call_whose_deadline_passes_may_have_worked_or_not() {
    let engine = engine().await;
    let impatient = Config { request_timeout: Duration::from_millis(100), ..config(&engine) };
    let (client, late) =
        (Gateway::new(&impatient).unwrap(), Fault::AnswerLate(Duration::from_secs(5)));
    engine.gateway().offer(job());
    let job = client.poll(&subscription(), 1, None).await.unwrap().remove(0).id;
    for (fault, open) in [(Fault::Delay(Duration::from_secs(5)), 1), (late, 0)] {
        engine.gateway().faults().add(Rpc::Complete, 1, fault);
        let error = client.report(&job, &done()).await.unwrap_err();
        assert_eq!((error.kind, engine.gateway().open_jobs()), (GatewayErrorKind::TimedOut, open));
    }
    let error = client.report(&job, &done()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
}

#[tokio::test]
async fn commands_about_processes_fail_as_scripted_too() {
    let engine = engine().await;
    let (faults, client) = (engine.gateway().faults(), client(&engine));
    let (file, order) = (bpmn::one_task("order"), order(Variables::new()));
    faults.add(Rpc::Deploy, 1, Fault::Refuse(Status::resource_exhausted("busy")));
    let error =
        client.deploy_resource("order.bpmn", file.as_bytes(), DEFAULT_TENANT).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Busy);
    let error = client.create_instance(&order).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
    client.deploy_resource("order.bpmn", file.as_bytes(), DEFAULT_TENANT).await.unwrap();
    faults.add(Rpc::Create, 1, Fault::LoseAnswer(Code::Unavailable));
    let error = client.create_instance(&order).await.unwrap_err();
    assert_eq!((error.kind, engine.instances().len()), (GatewayErrorKind::Unavailable, 1));
    faults.add(Rpc::CreateWithResult, 1, Fault::Close);
    let waiting = client.create_instance_with_result(&order, Duration::from_millis(20), &[]).await;
    assert_eq!(waiting.unwrap_err().kind, GatewayErrorKind::Unavailable);
    let started = engine.instances()[0].key;
    faults.add(Rpc::Cancel, 1, Fault::Refuse(Status::unavailable("no leader")));
    client.cancel_instance(started, None).await.unwrap_err();
    client.cancel_instance(started, None).await.unwrap();
}
