//! A small HTTP server that takes what business rules send.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::{Value, json};
use servicenow_worker::sandbox::BusinessRule;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) path: String,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What to answer.
pub(super) struct Script {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

/// The server; it stops with the test's runtime.
pub(super) struct Receiver {
    pub(super) base: String,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    script: Mutex<VecDeque<Script>>,
    /// Each answer takes a permit.
    gate: Semaphore,
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Receiver {
    /// Answers at once: as scripted, then 200.
    pub(super) async fn start() -> Self {
        Self::with(Semaphore::new(Semaphore::MAX_PERMITS)).await
    }

    /// Answers only as many as were let through.
    pub(super) async fn gated() -> Self {
        Self::with(Semaphore::new(0)).await
    }

    async fn with(gate: Semaphore) -> Self {
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            count: watch::Sender::new(0),
            script: Mutex::default(),
            gate,
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, shared }
    }

    pub(super) fn answer(&self, status: u16) {
        self.answer_with(status, &[], String::new());
    }

    pub(super) fn answer_with(
        &self,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: String,
    ) {
        let script = Script { status, headers: headers.to_vec(), body };
        self.shared.script.lock().unwrap().push_back(script);
    }

    pub(super) fn let_through(&self, answers: usize) {
        self.shared.gate.add_permits(answers);
    }

    /// Waits until so many have arrived in all.
    pub(super) async fn arrived(&self, count: usize) {
        self.shared.count.subscribe().wait_for(|now| *now >= count).await.unwrap();
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub(super) fn bodies(&self) -> Vec<Value> {
        self.received().iter().map(Received::json).collect()
    }

    /// The most calls at once.
    pub(super) fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }

    /// A rule on incidents that sends their state here, with further members.
    pub(super) fn rule(&self, members: Value) -> BusinessRule {
        let mut rule = json!({
            "name": "tell",
            "table": "incident",
            "url": format!("{}/hook", self.base),
            "body": {"state": "${state}"},
        });
        let Value::Object(members) = members else { panic!("no members: {members}") };
        rule.as_object_mut().unwrap().extend(members);
        serde_json::from_value(rule).unwrap()
    }
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
    shared.peak.fetch_max(now, Ordering::SeqCst);
    shared.received.lock().unwrap().push(Received { method, path: uri.to_string(), headers, body });
    shared.count.send_modify(|count| *count += 1);
    shared.gate.acquire().await.unwrap().forget();
    let script = shared.script.lock().unwrap().pop_front();
    shared.now.fetch_sub(1, Ordering::SeqCst);
    let Some(script) = script else { return Response::new("{}".into()) };
    let mut response = Response::builder().status(script.status);
    for (name, value) in script.headers {
        response = response.header(name, value);
    }
    response.body(script.body.into()).unwrap()
}
