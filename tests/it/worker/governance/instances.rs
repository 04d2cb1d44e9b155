//! ServiceNow instances in virtual time, each behaving as its test says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use servicenow_worker::{
    ports::Transport,
    servicenow::{Endpoint, Method, NoAnswer, NoAnswerCause, Reply, Request, Response},
};
use tokio::time::Instant;

/// What an instance does with a call.
pub(super) enum Act {
    /// Carries it out after a while.
    Serve(Duration),
    /// Carries nothing out and answers with a status and headers.
    Refuse(u16, Vec<(&'static str, String)>),
    /// Carries nothing out, and the connection fails after a while.
    Unreachable(Duration),
    /// Carries nothing out, and the connection breaks with the request on its way.
    Broken,
    /// Is not asked: the request cannot be sent.
    NotSent,
    /// Carries nothing out, and nothing is heard for this long.
    Silent(Duration),
}

/// A call as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Since the test began.
    pub(super) at: Duration,
    pub(super) method: Method,
    /// Calls in progress at that instance, this one included.
    pub(super) running: usize,
}

type Script = dyn Fn(Seen) -> Act + Send + Sync;

/// Instances by connection name. Clones are the same.
#[derive(Clone)]
pub(super) struct Instances(Arc<Shared>);

struct Shared {
    began: Instant,
    scripts: BTreeMap<&'static str, Box<Script>>,
    state: Mutex<BTreeMap<String, State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Seen>,
    running: usize,
    records: BTreeMap<String, usize>,
}

impl Instances {
    pub(super) fn new(scripts: Vec<(&'static str, Box<Script>)>) -> Self {
        Self(Arc::new(Shared {
            began: Instant::now(),
            scripts: scripts.into_iter().collect(),
            state: Mutex::default(),
        }))
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.scripts.keys().copied().collect()
    }

    /// The calls to an instance, in their order.
    pub(super) fn calls(&self, name: &str) -> Vec<Seen> {
        self.0.state.lock().unwrap().get(name).map(|state| state.calls.clone()).unwrap_or_default()
    }

    /// Inserts by `sys_id`.
    pub(super) fn records(&self, name: &str) -> BTreeMap<String, usize> {
        let state = self.0.state.lock().unwrap();
        state.get(name).map(|state| state.records.clone()).unwrap_or_default()
    }

    fn arrives(&self, name: &str, method: Method) -> Seen {
        let mut states = self.0.state.lock().unwrap();
        let state = states.entry(name.to_owned()).or_default();
        state.running += 1;
        let seen = Seen { at: self.0.began.elapsed(), method, running: state.running };
        state.calls.push(seen);
        seen
    }

    fn carry_out(&self, name: &str, request: &Request) -> Response {
        let mut states = self.0.state.lock().unwrap();
        let records = &mut states.get_mut(name).unwrap().records;
        if request.method == Method::Post {
            let id = request.body.as_ref().unwrap()["sys_id"].as_str().unwrap().to_owned();
            *records.entry(id.clone()).or_default() += 1;
            return answer(201, Vec::new(), &json!({"result": {"sys_id": id}}));
        }
        let id = request.path.last().unwrap();
        if records.contains_key(id) {
            return answer(200, Vec::new(), &json!({"result": {"sys_id": id}}));
        }
        let error = json!({"message": "No Record found", "detail": "none"});
        answer(404, Vec::new(), &json!({"error": error, "status": "failure"}))
    }
}

impl Transport for Instances {
    async fn send(&self, endpoint: &Arc<Endpoint>, request: Request) -> Reply {
        let name = endpoint.connection.as_str();
        let seen = self.arrives(name, request.method);
        let reply = match (self.0.scripts[name])(seen) {
            Act::Serve(took) => {
                tokio::time::sleep(took).await;
                Ok(self.carry_out(name, &request))
            }
            Act::Refuse(status, headers) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let error = json!({"message": "refused", "detail": ""});
                Ok(answer(status, headers, &json!({"error": error, "status": "failure"})))
            }
            Act::Unreachable(after) => {
                tokio::time::sleep(after).await;
                no_answer(NoAnswerCause::Unreachable, false)
            }
            Act::Broken => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                no_answer(NoAnswerCause::Broken, true)
            }
            Act::NotSent => no_answer(NoAnswerCause::Invalid, false),
            Act::Silent(after) => {
                tokio::time::sleep(after).await;
                no_answer(NoAnswerCause::Timeout, true)
            }
        };
        self.0.state.lock().unwrap().get_mut(name).unwrap().running -= 1;
        reply
    }
}

fn answer(status: u16, headers: Vec<(&'static str, String)>, body: &serde_json::Value) -> Response {
    let kind = [("Content-Type".to_owned(), "application/json".to_owned())];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    Response {
        status,
        headers: kind.into_iter().chain(headers).collect(),
        body: body.to_string().into(),
    }
}

fn no_answer(cause: NoAnswerCause, may_have_acted: bool) -> Reply {
    Err(NoAnswer { cause, may_have_acted, message: "nothing came back".to_owned() })
}
