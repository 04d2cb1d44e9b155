//! The sandbox over real HTTP, asserted on raw JSON and headers.

mod aggregate;
mod authentication;
mod endings;
mod faults;
mod flows;
mod journal;
mod paging;
mod reading;
mod receiver;
mod rules_admin;
mod rules_deliver;
mod rules_fire;
mod rules_prove;
mod tls;
mod writing;

use std::sync::{Arc, Mutex, OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use serde_json::Value;
use servicenow_worker::{
    ports::Clock,
    sandbox::{Config, Sandbox},
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running sandbox, and a client that is logged in as `admin`.
struct Instance {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
    authorization: String,
    clock: Arc<HandClock>,
    _running: DropGuard,
}

/// An answer, read.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

/// A clock that stands until it is moved.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl HandClock {
    fn forward(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Instance {
    async fn start() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(HandClock(Mutex::new("2026-03-02T12:00:00Z".parse().unwrap())));
        let mut config = Config::demo().unwrap();
        config.clock = clock.clone();
        adjust(&mut config);
        let sandbox = Sandbox::new(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let served = sandbox.clone();
        let stopped = stop.clone();
        tokio::spawn(async move { served.run(listener, stopped).await.unwrap() });
        Self {
            sandbox,
            base,
            client: client(),
            authorization: basic("admin", "admin"),
            clock,
            _running: stop.drop_guard(),
        }
    }

    /// The same instance, asked by somebody else.
    fn login(mut self, user: &str, password: &str) -> Self {
        self.authorization = basic(user, password);
        self
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.bare_request(method, path).header("authorization", &self.authorization)
    }

    fn bare_request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        Answer::of(request.body(body.to_string())).await
    }

    /// Inserts a record and returns it as answered.
    async fn insert(&self, table: &str, body: Value) -> Value {
        let answer = self.send("POST", &format!("/api/now/table/{table}"), body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.result()
    }
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn result(&self) -> Value {
        self.json()["result"].clone()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks an error answer as a whole.
    fn assert_failure(&self, status: u16, message: &str, detail: impl Into<Value>) {
        let body = serde_json::json!({
            "error": {"message": message, "detail": detail.into()}, "status": "failure"
        });
        assert_eq!((self.status, self.json()), (status, body));
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn client() -> reqwest::Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Fails only when another test of this binary was first.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The values of one field of the records of a list.
fn column(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}
