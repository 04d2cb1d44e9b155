//! One line for each call: who asked for what, and what became of it. No bodies, no
//! variables, no secrets.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::http::StatusCode;

use super::{operation::Operation, problem::Problem};
use crate::outcome::cut;

/// Longest text of a caller's that goes into the log.
const MAX_SHOWN: usize = 120;
/// Longest reason.
const MAX_DETAIL: usize = 300;
/// The target of these lines.
pub const TARGET: &str = "servicenow_worker::audit";

/// What is known of a call.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) peer: IpAddr,
    pub(crate) operation: Option<Operation>,
    pub(crate) credential: Option<Arc<str>>,
    /// Process id, message, signal, instance or route.
    pub(crate) target: String,
    /// The idempotency key.
    pub(crate) key: Option<String>,
    /// The key that the engine gave.
    pub(crate) result: Option<i64>,
}

impl Record {
    pub(crate) fn new(peer: IpAddr) -> Self {
        let target = String::new();
        Self { peer, operation: None, credential: None, target, key: None, result: None }
    }

    /// The operation's name, also of what is none.
    pub(crate) fn operation_name(&self) -> &'static str {
        self.operation.map_or("none", Operation::name)
    }

    /// Writes the line; of a refusal title and detail, which quotes nothing of the body.
    pub(crate) fn write(&self, status: StatusCode, refusal: Option<&Problem>, took: Duration) {
        let operation = self.operation_name();
        let credential = self.credential.as_deref().unwrap_or("-");
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            target: TARGET,
            operation,
            status = status.as_u16(),
            credential,
            peer = %self.peer,
            // As Rust writes texts: line breaks of a caller's make no lines of ours.
            subject = ?cut(&self.target, MAX_SHOWN),
            key = self.key.as_deref().map(|key| debug(cut(key, MAX_SHOWN))),
            result = self.result,
            why = refusal.map(|problem| problem.title.as_str()),
            detail = refusal.map(|problem| debug(cut(&problem.detail, MAX_DETAIL))),
            millis,
            "inbound call"
        );
    }
}
