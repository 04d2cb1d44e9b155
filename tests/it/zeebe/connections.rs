//! Connections: how many, how full, how they end and come back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use servicenow_worker::{
    ports::{GatewayErrorKind, JobGateway},
    zeebe::{Config, Gateway, proto::ActivatedJob},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{client, gateway, job, subscription};
use crate::support::eventually;

#[tokio::test]
async fn all_calls_share_one_connection_and_all_streams_another() {
    let gateway = gateway().await;
    let client = client(&gateway);
    assert_eq!(gateway.counters().connections.get(), 0, "connected before it was asked");
    for _ in 0..3 {
        client.topology().await.unwrap();
        client.poll(&subscription(), 1, None).await.unwrap();
    }
    assert_eq!(gateway.counters().connections.get(), 1);
    let streams = [
        client.stream(&subscription()).await.unwrap(),
        client.stream(&subscription()).await.unwrap(),
    ];
    assert_eq!((streams.len(), gateway.counters().connections.get()), (2, 2));
}

#[tokio::test]
async fn jobs_that_nobody_reads_stay_at_the_gateway() {
    const JOBS: usize = 400;
    let gateway = gateway().await;
    let client = client(&gateway);
    let mut stream = client.stream(&subscription()).await.unwrap();
    let text = "x".repeat(2_000);
    let large = || ActivatedJob { variables: format!("{{\"x\":\"{text}\"}}"), ..job() };
    let mut pushed = 0;
    for _ in 0..JOBS {
        gateway.offer(large());
        pushed = gateway.counters().pushed.get();
        // Gives the transport every chance to take more.
        client.topology().await.unwrap();
    }
    // 64 KiB of window here, about as much in the buffers of the gateway's end.
    assert!((20..=80).contains(&pushed), "the gateway could write {pushed} jobs");
    let (mut read, mut polled) = (0, 0);
    // What found no room is for polls, which get through all the same.
    while let jobs @ 1.. = client.poll(&subscription(), 32, None).await.unwrap().len() {
        polled += jobs;
    }
    while read + polled < JOBS {
        stream.next().await.unwrap().unwrap();
        read += 1;
    }
    assert!(polled > JOBS / 2 && read >= pushed, "{polled} polled, {read} read");
}

#[tokio::test]
async fn a_gateway_that_comes_back_is_found_again() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let mut stream = client.stream(&subscription()).await.unwrap();
    client.topology().await.unwrap();
    gateway.go_away().await;
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unavailable);
    for _ in 0..3 {
        let error = client.topology().await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Unavailable, "{error}");
        assert!(client.stream(&subscription()).await.is_err());
    }
    gateway.come_back().await.unwrap();
    client.topology().await.unwrap();
    let mut stream = client.stream(&subscription()).await.unwrap();
    gateway.offer(job());
    assert!(stream.next().await.unwrap().is_ok());
}

#[tokio::test]
async fn a_wait_that_the_gateway_cuts_short_ends_with_an_error() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let polling =
        tokio::spawn(
            async move { client.poll(&subscription(), 1, Some(Duration::from_mins(1))).await },
        );
    eventually("the poll arrives", || gateway.counters().polls.get() == 1).await;
    gateway.go_away().await;
    let error = polling.await.unwrap().unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unavailable);
}

/// Something that speaks just enough HTTP/2 to keep a client waiting, and counts its pings.
struct Mute {
    address: String,
    pings: Arc<AtomicUsize>,
}

impl Mute {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pings = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pings);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(listen_to(stream, Arc::clone(&counted)));
            }
        });
        Self { address, pings }
    }

    fn pings(&self) -> usize {
        self.pings.load(Ordering::SeqCst)
    }
}

/// Reads frames after the preface; see RFC 9113, sections 3.4, 4.1 and 6.7.
async fn listen_to(mut stream: TcpStream, pings: Arc<AtomicUsize>) -> std::io::Result<()> {
    const PING: u8 = 6;
    const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&EMPTY_SETTINGS).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length.try_into().unwrap()]).await?;
        if head[3] == PING {
            pings.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_no_longer_answers_pings_is_given_up() {
    let mute = Mute::start().await;
    let config = Config {
        address: mute.address.clone(),
        keep_alive: Duration::from_millis(50),
        ..Config::default()
    };
    let client = Gateway::new(&config).unwrap();
    let opening = tokio::spawn(async move { client.stream(&subscription()).await.err() });
    eventually("a ping comes", || mute.pings() > 0).await;
    // The client waits 20 seconds for the answer to its ping.
    tokio::time::pause();
    let error = opening.await.unwrap().expect("nobody answered");
    assert_eq!(error.kind, GatewayErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn pings_come_as_seldom_as_the_keep_alive_says() {
    let mute = Mute::start().await;
    let config = Config { address: mute.address.clone(), ..Config::default() };
    let client = Gateway::new(&config).unwrap();
    let waiting = tokio::spawn(async move { client.stream(&subscription()).await.err() });
    let began = tokio::time::Instant::now();
    eventually("the client is connected", || Arc::strong_count(&mute.pings) > 2).await;
    tokio::time::pause();
    while mute.pings() == 0 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() >= Duration::from_secs(45), "{:?}", began.elapsed());
    waiting.abort();
}
