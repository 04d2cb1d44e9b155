//! The latest requests, without credentials, for tests and for curious people.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::call::Call;

/// Longest body kept, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// Headers that carry credentials.
const SECRET_HEADERS: [&str; 6] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-sn-apikey",
    "x-usertoken",
    "x-sn-hmac-signature-256",
];

/// A request that the sandbox got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// Counts from 0.
    pub id: u64,
    /// When it had been read.
    #[serde(serialize_with = "super::time::serialize")]
    pub at: Timestamp,
    /// Which TCP connection it came on, counted from 1.
    pub connection: u64,
    /// The verb as sent.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// The headers, in lower case, without credentials.
    pub headers: Vec<(String, String)>,
    /// The body's first 16 KiB; `(credentials)` for the token endpoint.
    pub body: String,
    /// The status answered; none while in progress and when the connection was cut.
    pub status: Option<u16>,
}

/// The log.
#[derive(Debug)]
pub(crate) struct RequestLog {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    latest: VecDeque<LoggedRequest>,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request down and returns its id.
    pub(crate) fn arrived(&self, call: &Call, connection: u64, at: Timestamp) -> u64 {
        let mut request = LoggedRequest {
            id: 0,
            at,
            connection,
            method: call.sent_method.to_string(),
            path: call.path.clone(),
            query: without_key(call),
            headers: open_headers(&call.headers),
            body: shown_body(call),
            status: None,
        };
        let mut entries = self.lock();
        request.id = entries.next;
        entries.next += 1;
        if self.capacity > 0 {
            if entries.latest.len() == self.capacity {
                entries.latest.pop_front();
            }
            entries.latest.push_back(request);
        }
        entries.next - 1
    }

    /// Notes what was answered.
    pub(crate) fn answered(&self, id: u64, status: StatusCode) {
        let mut entries = self.lock();
        let first = entries.latest.front().map_or(0, |entry| entry.id);
        let at = id.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| entries.latest.get_mut(at)) {
            entry.status = Some(status.as_u16());
        }
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.lock().latest.iter().cloned().collect()
    }

    /// How many requests came in since the start or the last reset.
    pub(crate) fn total(&self) -> u64 {
        self.lock().next
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Entries::default();
    }
}

fn open_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let open = headers.iter().filter(|(name, _)| !SECRET_HEADERS.contains(&name.as_str()));
    open.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
    .collect()
}

fn without_key(call: &Call) -> String {
    let parts = call.query_text.split('&').filter(|part| !part.starts_with("x-sn-apikey="));
    parts.collect::<Vec<_>>().join("&")
}

fn shown_body(call: &Call) -> String {
    if call.path == "/oauth_token.do" {
        return "(credentials)".to_owned();
    }
    let kept = &call.body[..call.body.len().min(MAX_BODY)];
    String::from_utf8_lossy(kept).into_owned()
}
