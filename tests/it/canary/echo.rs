//! An instance that answers with everything it was sent, and all it can make of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::canary::Canary;

/// The access token that it hands out.
pub(super) const TOKEN: &str = "Tok3n-of-the-canary-5d1f0a";

/// Ways to answer; a job picks one by its table or path.
pub(super) const ANSWERS: [&str; 9] =
    ["record", "refused", "denied", "missing", "busy", "broken", "page", "elsewhere", "half"];

/// The running instance; it stops with the test's runtime.
pub(super) struct Echo {
    pub(super) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    canaries: Vec<Canary>,
    given_away: AtomicUsize,
}

impl Echo {
    pub(super) async fn start(canaries: Vec<Canary>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { canaries, given_away: AtomicUsize::new(0) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// How many answers had secrets in them.
    pub(super) fn given_away(&self) -> usize {
        self.shared.given_away.load(Ordering::SeqCst)
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if uri.path() == "/oauth_token.do" {
        return respond(200, "application/json", &[], &token().to_string());
    }
    let said = said(&shared.canaries, &headers);
    shared.given_away.fetch_add(1, Ordering::SeqCst);
    let kind = uri.path().split('/').nth(4).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = json!({"error": {"message": said, "detail": said}, "status": "failure"});
    let (status, kind, head, body) = match kind {
        "refused" => (400, "application/json", "", error.to_string()),
        "denied" => (403, "application/json", "", error.to_string()),
        "missing" => (404, "application/json", "", error.to_string()),
        "busy" => (429, "application/json", "", error.to_string()),
        "broken" => (500, "application/json", "", error.to_string()),
        "page" => (200, "text/html", "", format!("<html><title>{said}</title>{said}</html>")),
        "elsewhere" => (302, "text/html", "location", said.clone()),
        "half" => (200, "application/json", "", format!("{{\"result\": \"{said}")),
        _ => (200, "application/json", "x-said", record(&asked, &said).to_string()),
    };
    let line: String = said.chars().filter(|c| !c.is_control()).collect();
    let head = if head.is_empty() { vec![] } else { vec![(head, line.as_str())] };
    respond(status, kind, &head, &body)
}

fn token() -> Value {
    json!({"access_token": TOKEN, "expires_in": 1799})
}

/// What was sent to it, every header of it, and what can be guessed from it.
fn said(canaries: &[Canary], headers: &HeaderMap) -> String {
    let sent: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let sent = sent.join("; ");
    // Only what belongs to this call: nobody can mask what he does not know.
    let of_this_call = canaries.iter().filter(|it| it.forms().any(|form| sent.contains(form)));
    let forms: Vec<_> = of_this_call.flat_map(Canary::forms).collect();
    format!("you said {sent}; that is {}", forms.join(" or "))
}

fn record(asked: &Value, said: &str) -> Value {
    let mut record = json!({
        "sys_id": "6816f79cc0a8016401c5a33be04be441", "number": said, "short_description": said,
        said: said,
    });
    if let Some(id) = asked.get("sys_id") {
        record["sys_id"] = id.clone();
    }
    json!({"result": record})
}

fn respond(status: u16, kind: &str, head: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status).header("content-type", kind);
    for (name, value) in head {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}
