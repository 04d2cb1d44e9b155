//! ServiceNow as a test wants it: calls that are held, calls that panic, any answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use servicenow_worker::{
    ports::Transport,
    servicenow::{Endpoint, Method, Reply, Request, Response},
};
use tokio::sync::Semaphore;

type Answer = dyn Fn(&Request) -> Response + Send + Sync;

/// The other end of all calls. Clones are the same one.
#[derive(Clone)]
pub(super) struct ServiceNow(Arc<Shared>);

struct Shared {
    answer: Box<Answer>,
    /// How many calls may still be answered.
    answers: Semaphore,
    requests: Mutex<Vec<Request>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl ServiceNow {
    /// Answers each call at once.
    pub(super) fn quick(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let servicenow = Self::holding(answer);
        servicenow.let_all_go();
        servicenow
    }

    /// Answers no call until it is told to.
    pub(super) fn holding(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            answer: Box::new(answer),
            answers: Semaphore::new(0),
            requests: Mutex::default(),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        }))
    }

    pub(super) fn let_go(&self, calls: usize) {
        self.0.answers.add_permits(calls);
    }

    pub(super) fn let_all_go(&self) {
        self.let_go(1_000_000);
    }

    /// The calls so far, answered or not.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.0.requests.lock().unwrap().clone()
    }

    /// How often each record was asked for.
    pub(super) fn asked_for(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.requests() {
            *counts.entry(request.path.last().cloned().unwrap_or_default()).or_default() += 1;
        }
        counts
    }

    pub(super) fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    pub(super) fn most_running(&self) -> usize {
        self.0.most_running.load(Ordering::SeqCst)
    }
}

impl Transport for ServiceNow {
    async fn send(&self, _: &Arc<Endpoint>, request: Request) -> Reply {
        self.0.requests.lock().unwrap().push(request.clone());
        let _running = Running::new(&self.0);
        self.0.answers.acquire().await.unwrap().forget();
        Ok((self.0.answer)(&request))
    }
}

struct Running<'a>(&'a Shared);

impl<'a> Running<'a> {
    fn new(shared: &'a Shared) -> Self {
        let now = shared.running.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_running.fetch_max(now, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Every record is there; no search finds any; what is written comes back.
pub(super) fn records(request: &Request) -> Response {
    let record = |id: &str| json!({"result": {"sys_id": id, "number": "INC0000001"}});
    match (request.method, request.path.get(4)) {
        (Method::Get, Some(id)) => answer(200, &record(id)),
        (Method::Get, None) => answer(200, &json!({"result": []})),
        (_, id) => {
            let mut written = request.body.clone().unwrap_or_default();
            if let Some(id) = id {
                written["sys_id"] = id.as_str().into();
            }
            answer(201, &json!({"result": written}))
        }
    }
}

pub(super) fn answer(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into(),
    }
}
