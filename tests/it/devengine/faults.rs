//! What goes wrong on request.

use std::time::Duration;

use futures_util::StreamExt;
use servicenow_worker::{
    devengine::gateway::{Call, Fault, Rpc},
    job::Variables,
    outcome::Outcome,
    ports::{GatewayErrorKind, JobGateway},
    zeebe::{Config, Gateway},
};
use tokio::time::Instant;
use tonic::Code;

use super::{LONG, client, config, engine, job, subscription};

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
    let pause = Duration::from_millis(60);
    engine.gateway().faults().add(Rpc::Stream, 1, Fault::Slow(pause));
    let mut stream = client(&engine).stream(&subscription()).await.unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        engine.gateway().offer(job());
    }
    for number in 1..=3 {
        stream.next().await.unwrap().unwrap();
        assert!(began.elapsed() >= (pause - Duration::from_millis(5)) * (number - 1));
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
