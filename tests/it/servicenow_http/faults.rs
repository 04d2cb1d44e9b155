//! Servers that break off, stall, flood or are not there.

use std::{sync::Arc, time::Duration};

use servicenow_worker::{
    ports::Transport,
    servicenow::{
        NoAnswer, NoAnswerCause,
        http::{Client, Config},
    },
};
use tokio::{net::TcpListener, sync::Notify};

use super::{
    basic, client, config, endpoint, endpoint_of, get, post,
    server::{Server, Step, answer, gzip, json, send},
};

/// What a POST to a server that does these steps ends with. The server sees it once.
async fn failure(
    config: &Config,
    steps: impl Fn() -> Vec<Step> + Send + Sync + 'static,
) -> NoAnswer {
    let server = Server::start(move |_| steps()).await;
    let error = Client::new(config).unwrap().send(&endpoint(&server), post()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    error
}

fn never() -> Step {
    Step::Wait(Arc::new(Notify::new()))
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for address in [format!("http://127.0.0.1:{port}"), "https://nowhere.invalid".to_owned()] {
        let error = client().send(&endpoint_of(&address, basic()), post()).await.unwrap_err();
        assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Unreachable, false));
        assert!(error.message.starts_with(&format!("no connection to {address}: ")), "{error}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_means_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let config = Config { connect_timeout: Duration::from_millis(50), ..config() };
    let client = Client::new(&config).unwrap();
    let error = client.send(&endpoint_of(&address, basic()), post()).await.unwrap_err();
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Unreachable, false));
}

#[tokio::test]
async fn a_connection_cut_before_the_answer_leaves_the_outcome_open() {
    let error = failure(&config(), || vec![Step::Close]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Broken, true), "{error}");
}

#[tokio::test]
async fn a_request_on_a_used_connection_is_not_sent_again_when_that_is_cut() {
    let server = Server::start(|request| match request.body.as_str() {
        "" => json("200 OK", "{}"),
        _ => vec![Step::Close],
    })
    .await;
    let (client, endpoint) = (client(), endpoint(&server));
    client.send(&endpoint, get()).await.unwrap();
    let error = client.send(&endpoint, post()).await.unwrap_err();
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Broken, true));
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
    client.send(&endpoint, get()).await.unwrap();
}

#[tokio::test]
async fn an_answer_cut_short_is_no_answer() {
    let chunked = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"res\r\n";
    let counted = "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"res";
    for text in [counted, chunked] {
        let error = failure(&config(), || vec![send(text), Step::Close]).await;
        assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Broken, true), "{error}");
    }
}

#[tokio::test]
async fn a_compressed_answer_cut_short_is_no_answer() {
    let config = config();
    let error = failure(&config, || {
        let packed = gzip(&vec![b'x'; 100_000]);
        answer("200 OK", "content-encoding: gzip\r\n", &packed[..packed.len() / 2])
    });
    let error = error.await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Broken, true), "{error}");
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    let error = failure(&config(), || vec![send("SSH-2.0-OpenSSH_9.6\r\n"), Step::Close]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Broken, true), "{error}");
}

#[tokio::test]
async fn an_announced_flood_is_refused_before_it_is_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
    let error = failure(&config(), move || vec![send(head), never()]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::TooLarge, true));
    assert!(error.message.contains("status 200"), "{error}");
}

#[tokio::test]
async fn chunks_without_end_are_read_to_the_cap_and_not_further() {
    let config = Config { max_response_bytes: 1024 * 1024, ..config() };
    let mut chunk = b"8000\r\n".to_vec();
    chunk.extend(vec![b' '; 0x8000]);
    chunk.extend(b"\r\n");
    let server = Server::start(move |_| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        vec![send(head), Step::Flood(chunk.clone())]
    })
    .await;
    let client = Client::new(&config).unwrap();
    let error = client.send(&endpoint(&server), get()).await.unwrap_err();
    assert_eq!(error.cause, NoAnswerCause::TooLarge);
    crate::support::eventually("the connection is closed", || server.open() == 0).await;
    // What both sockets hold on its way comes on top of the cap.
    let left = server.flooded();
    assert!((1024 * 1024..32 * 1024 * 1024).contains(&left), "{left} bytes");
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(bomb.len() < 100_000);
    let config = config();
    let error = failure(&config, move || {
        let mut steps = answer("200 OK", "content-encoding: gzip\r\n", &bomb);
        steps.push(Step::Close);
        steps
    });
    assert_eq!(error.await.cause, NoAnswerCause::TooLarge);
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_the_cap_and_no_larger() {
    let config = Config { max_response_bytes: 50_000, ..config() };
    let server = Server::start(|request| {
        let size = request.target()[1..].parse().unwrap();
        answer("200 OK", "content-encoding: gzip\r\n", gzip(&vec![b' '; size]))
    })
    .await;
    let client = Client::new(&config).unwrap();
    let of_size = |size| servicenow_worker::servicenow::Request { path: vec![size], ..get() };
    let whole = client.send(&endpoint(&server), of_size("50000".to_owned())).await.unwrap();
    assert_eq!(whole.body.len(), 50_000);
    let error = client.send(&endpoint(&server), of_size("50001".to_owned())).await.unwrap_err();
    assert_eq!(error.cause, NoAnswerCause::TooLarge);
}

#[tokio::test]
async fn no_answer_in_time_leaves_the_outcome_open() {
    let config = Config { call_timeout: Duration::from_millis(100), ..config() };
    let error = failure(&config, || vec![never()]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Timeout, true));
}

#[tokio::test]
async fn silence_in_the_middle_of_an_answer_ends_it() {
    let config = Config { read_timeout: Duration::from_millis(50), ..config() };
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let error = failure(&config, move || vec![send(head), never()]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Timeout, true));
    assert!(error.message.contains("fell silent"), "{error}");
}

#[tokio::test]
async fn a_dripping_answer_ends_with_the_time_of_the_call() {
    let config = Config { call_timeout: Duration::from_millis(150), ..config() };
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let error = failure(&config, move || vec![send(head), Step::Drip(b' ')]).await;
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Timeout, true));
    assert!(error.message.contains("no complete answer"), "{error}");
}

#[tokio::test]
async fn error_texts_have_no_query_and_no_credentials() {
    let server = Server::start(|_| vec![Step::Close]).await;
    let request = get().with_query("sysparm_query", "name=private");
    let error = client().send(&endpoint(&server), request).await.unwrap_err();
    for secret in ["private", "geheim", "d29ya2VyOmdlaGVpbQ"] {
        assert!(!error.message.contains(secret), "{error}");
    }
}
