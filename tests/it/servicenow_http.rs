//! The ServiceNow client at the wire: what goes out, what comes back, and what is made of
//! servers that misbehave.

mod addresses;
mod cves;
mod faults;
mod memory;
mod oauth;
mod server;
mod tls;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use servicenow_worker::{
    ports::Transport,
    servicenow::{
        Authentication, Chooser, Endpoint, Instance, Method, NoAnswerCause, Request,
        http::{Client, Config},
    },
};

use server::{Server, answer, json as json_answer};

fn config() -> Config {
    Config::default()
}

fn client() -> Client {
    Client::new(&config()).unwrap()
}

fn endpoint_of(address: &str, authentication: Authentication) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        connection: "default".to_owned(),
        instance: Instance::parse(address, false).unwrap(),
        authentication,
        max_concurrency: 4,
        chosen_by: Chooser::Connection("default".to_owned()),
    })
}

fn basic() -> Authentication {
    Authentication::Basic { username: "worker".to_owned(), password: "geheim".into() }
}

fn endpoint(server: &Server) -> Arc<Endpoint> {
    endpoint_of(&format!("http://127.0.0.1:{}", server.port), basic())
}

fn get() -> Request {
    Request::new(Method::Get, ["api", "now", "table", "incident"])
}

fn post() -> Request {
    Request { method: Method::Post, ..get() }.with_body(json!({"short_description": "x"}))
}

#[tokio::test]
async fn a_request_goes_out_with_the_headers_of_the_client_and_those_of_the_job() {
    let server = Server::start(|_| json_answer("201 Created", "{}")).await;
    let mut request = post().with_query("sysparm_fields", "number,sys_id");
    request.headers =
        vec![("X-Trace".to_owned(), "7".to_owned()), ("accept".to_owned(), "*/*".to_owned())];
    client().send(&endpoint(&server), request).await.unwrap();
    client().send(&endpoint(&server), Request { body: None, ..post() }).await.unwrap();
    client().send(&endpoint(&server), get()).await.unwrap();

    let [full, empty, read] = &server.requests()[..] else { panic!("three requests") };
    assert!(
        full.head.starts_with(
            "POST /api/now/table/incident?sysparm_fields=number%2Csys_id HTTP/1.1\r\n"
        )
    );
    assert_eq!(full.body, r#"{"short_description":"x"}"#);
    for (name, value) in [
        ("host", &*format!("127.0.0.1:{}", server.port)),
        ("user-agent", concat!("servicenow-worker/", env!("CARGO_PKG_VERSION"))),
        ("content-type", "application/json"),
        ("content-length", "25"),
        ("authorization", "Basic d29ya2VyOmdlaGVpbQ=="),
        ("accept-encoding", "gzip"),
        ("x-trace", "7"),
        ("accept", "*/*"),
    ] {
        assert_eq!(full.header(name), Some(value), "{name}");
    }
    assert_eq!(empty.header("content-length"), Some("0"));
    assert_eq!(empty.header("content-type"), None);
    assert_eq!(read.header("accept"), Some("application/json"));
    assert_eq!(read.header("content-length"), None);
}

#[tokio::test]
async fn headers_come_back_in_canonical_spelling_with_every_value_but_no_session() {
    let server = Server::start(|_| {
        let head = "content-type: text/plain\r\nx-total-count: 7\r\nLOCATION: /x\r\n\
                    www-authenticate: BASIC\r\nwww-authenticate: BEARER\r\netag: \"1\"\r\n\
                    set-cookie: JSESSIONID=1\r\n";
        answer("401 Unauthorized", head, "no")
    })
    .await;
    let (client, endpoint) = (client(), endpoint(&server));
    let response = client.send(&endpoint, get()).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (401, &b"no"[..]));
    let named = |name| -> Vec<_> {
        response.headers.iter().filter(|(key, _)| key == name).map(|(_, v)| v.as_str()).collect()
    };
    for (name, values) in [
        ("Content-Type", &["text/plain"][..]),
        ("X-Total-Count", &["7"]),
        ("Location", &["/x"]),
        ("WWW-Authenticate", &["BASIC", "BEARER"]),
        ("ETag", &["\"1\""]),
        ("Set-Cookie", &[]),
    ] {
        assert_eq!(named(name), values, "{name}");
    }
    client.send(&endpoint, get()).await.unwrap();
    assert_eq!(server.requests()[1].header("cookie"), None);
    assert_eq!(server.requests().len(), 2, "a 401 to a password is final");
}

#[tokio::test]
async fn calls_in_a_row_share_one_connection() {
    let server = Server::start(|_| json_answer("200 OK", "{}")).await;
    let (client, endpoint) = (client(), endpoint(&server));
    for _ in 0..20 {
        client.clone().send(&endpoint, post()).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn an_idle_connection_is_let_go_before_the_server_does_it() {
    assert!(config().idle_timeout < Duration::from_secs(20));
    let server = Server::start(|_| json_answer("200 OK", "{}")).await;
    let config = Config { idle_timeout: Duration::from_millis(20), ..config() };
    let client = Client::new(&config).unwrap();
    client.send(&endpoint(&server), get()).await.unwrap();
    while server.open() > 0 {
        tokio::task::yield_now().await;
    }
    client.send(&endpoint(&server), get()).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_follow_each_other_closely_share_their_connections() {
    let large = "x".repeat(30_000);
    let server = Server::start(move |_| json_answer("200 OK", &large)).await;
    let client = client();
    // As the worker bounds them: at most four at once, the next one close behind.
    let room = Arc::new(tokio::sync::Semaphore::new(4));
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (client, endpoint, room) = (client.clone(), endpoint(&server), Arc::clone(&room));
            tokio::spawn(async move {
                for _ in 0..25 {
                    let _room = room.acquire().await.unwrap();
                    client.send(&endpoint, post()).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(server.requests().len(), 1600);
    assert!(server.most_open() <= 4, "{} connections at once", server.most_open());
    assert!(server.connections() <= 8, "{} connections in all", server.connections());
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Server::start(|_| answer("302 Found", "location: /login.do\r\n", "")).await;
    let response = client().send(&endpoint(&server), get()).await.unwrap();
    assert_eq!((response.status, response.header("Location")), (302, Some("/login.do")));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_credentials_there() {
    let other = Server::start(|_| json_answer("200 OK", "{}")).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For Good"] {
        let location = format!("location: http://127.0.0.1:{}/x\r\n", other.port);
        let server = Server::start(move |_| answer(status, &location, "")).await;
        for request in [get(), post()] {
            let response = client().send(&endpoint(&server), request).await.unwrap();
            assert_eq!(response.status.to_string(), status[..3]);
        }
        assert_eq!(server.requests().len(), 2);
    }
    assert_eq!(other.connections(), 0);
}

/// What could change a path or a query that it is put into.
const HOSTILE: [&str; 24] = [
    "../sys_user",
    "../..",
    "..%2f..",
    "%2e%2e",
    "%2E%2e%2Fsys_user",
    "incident?x=",
    "incident?sysparm_query=active=true",
    "incident#x",
    "incident;x=1",
    "a/b",
    "a\\b",
    "a&b=c",
    "a=b",
    "a+b c",
    "a\tb",
    "a\r\nHost: evil.example",
    "a%0d%0aHost: evil.example",
    "a\u{0}b",
    "@evil.example",
    "//evil.example",
    "http://evil.example/",
    "\u{ff0e}\u{ff0e}\u{ff0f}x",
    "\u{2025}/x",
    "\u{202e}x",
];

/// The characters that the server decodes a part of the target to.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned()
}

#[tokio::test]
async fn a_segment_and_a_parameter_stay_one_whatever_they_hold() {
    let server = Server::start(|_| json_answer("200 OK", "{}")).await;
    let (client, endpoint) = (client(), endpoint(&server));
    for text in HOSTILE {
        let request = Request::new(Method::Get, ["api", "now", "table", text, text]);
        client.send(&endpoint, request.with_query("sysparm_query", text)).await.unwrap();
        let seen = server.requests().pop().unwrap();
        let (path, query) = seen.target().split_once('?').unwrap();
        let path: Vec<_> = path.split('/').map(decoded).collect();
        assert_eq!(path, ["", "api", "now", "table", text, text], "{text:?}");
        let (name, value) = query.split_once('=').unwrap();
        assert_eq!((name, decoded(value).as_str()), ("sysparm_query", text), "{text:?}");
        assert_eq!(seen.header("host"), Some(&*format!("127.0.0.1:{}", server.port)));
    }
    assert_eq!(server.requests().len(), HOSTILE.len());
}

#[tokio::test]
async fn compressed_answers_are_unpacked() {
    let body = r#"{"result":[]}"#.repeat(10_000);
    let packed = server::gzip(body.as_bytes());
    let server =
        Server::start(move |_| answer("200 OK", "content-encoding: gzip\r\n", &packed)).await;
    let response = client().send(&endpoint(&server), get()).await.unwrap();
    assert_eq!(response.body, body);
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_as_it_is_is_not_sent() {
    let server = Server::start(|_| json_answer("200 OK", "{}")).await;
    let (client, endpoint) = (client(), endpoint(&server));
    let with_header = |name: &str, value: &str| {
        let headers = vec![(name.to_owned(), value.to_owned())];
        Request { headers, ..get() }
    };
    for (request, named) in [
        (with_header("authorization", "Basic x"), "'authorization'"),
        (with_header("X-HTTP-Method-Override", "DELETE"), "'X-HTTP-Method-Override'"),
        (with_header("Cookie", "a=b"), "'Cookie'"),
        (with_header("X-A", "1\r\nX-B: 2"), "'X-A'"),
        (with_header("X A", "1"), "'X A'"),
        (Request::new(Method::Get, ["api", "..", "login.do"]), "'..'"),
        (get().with_query("q", "x".repeat(70_000)), "cannot be sent"),
    ] {
        let error = client.send(&endpoint, request).await.unwrap_err();
        assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Invalid, false), "{error}");
        assert!(error.message.contains(named), "{error} lacks {named}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_proxy_is_used_when_configured_and_left_out_for_named_hosts() {
    let proxy = Server::start(|_| json_answer("200 OK", r#"{"by":"proxy"}"#)).await;
    let server = Server::start(|_| json_answer("200 OK", r#"{"by":"server"}"#)).await;
    let through = |no_proxy: &str| {
        let url = format!("http://me:pw@127.0.0.1:{}", proxy.port);
        let config = Config { proxy: Some(url.into()), no_proxy: no_proxy.to_owned(), ..config() };
        Client::new(&config).unwrap()
    };
    let response = through("").send(&endpoint(&server), get()).await.unwrap();
    assert_eq!(response.body, r#"{"by":"proxy"}"#);
    let seen = &proxy.requests()[0];
    assert_eq!(seen.target(), format!("http://127.0.0.1:{}/api/now/table/incident", server.port));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic bWU6cHc="));
    let response = through("127.0.0.1").send(&endpoint(&server), get()).await.unwrap();
    assert_eq!(response.body, r#"{"by":"server"}"#);
}
