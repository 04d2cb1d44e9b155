//! How the engine starts and stops.

use std::{io::ErrorKind, time::Duration};

use futures_util::StreamExt;
use servicenow_worker::{
    devengine::{DevEngine, Settings},
    job::Variables,
    ports::{GatewayErrorKind, JobGateway, ProcessGateway},
};
use tokio::time::Instant;

use super::{LONG, client, engine, order, subscription, with_order};
use crate::support::eventually;

#[tokio::test]
async fn it_says_what_it_is() {
    let topology = client(&engine().await).topology().await.unwrap();
    assert_eq!((topology.brokers, topology.partitions), (1, 1));
    assert_eq!(topology.gateway_version, "8.9.0-dev");
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let first = engine().await;
    let port = first.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let settings = Settings { listen: ([127, 0, 0, 1], port).into(), ..Settings::default() };
    assert_eq!(DevEngine::start(settings).await.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_stop_ends_waits_and_streams_and_then_nobody_answers() {
    let engine = engine().await;
    let client = client(&engine);
    let mut stream = client.stream(&subscription()).await.unwrap();
    let (began, subscription) = (Instant::now(), subscription());
    let (polled, ()) = tokio::join!(client.poll(&subscription, 1, LONG), async {
        eventually("the poll arrives", || engine.gateway().counters().polls.get() == 1).await;
        engine.stop().await;
    });
    assert_eq!(polled.unwrap().len(), 0);
    assert!(stream.next().await.is_none());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let error = client.topology().await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unavailable);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_end_of_an_instance() {
    let (engine, client) = with_order().await;
    let (order, hour) = (order(Variables::new()), Duration::from_hours(1));
    let (ended, ()) = tokio::join!(client.create_instance_with_result(&order, hour, &[]), async {
        eventually("the instance runs", || engine.instances().len() == 1).await;
        engine.stop().await;
    });
    assert_eq!(ended.unwrap_err().kind, GatewayErrorKind::Unavailable);
}
