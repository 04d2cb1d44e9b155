//! One line for each call: who asked for what, and what became of it. No bodies, no
//! variables, no secrets.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::http::StatusCode;

use super::operation::Operation;
use crate::outcome::cut;

/// Longest text of a caller's that goes into the log.
const MAX_SHOWN: usize = 120;

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

    /// Writes the line. `why` is the title of a refusal.
    pub(crate) fn write(&self, status: StatusCode, why: Option<&str>, took: Duration) {
        let operation = self.operation_name();
        let credential = self.credential.as_deref().unwrap_or("-");
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "servicenow_worker::audit",
            operation,
            status = status.as_u16(),
            credential,
            peer = %self.peer,
            // As Rust writes texts: line breaks of a caller's make no lines of ours.
            subject = ?cut(&self.target, MAX_SHOWN),
            key = ?self.key.as_deref().map(|key| cut(key, MAX_SHOWN)),
            result = self.result,
            why,
            millis,
            "inbound call"
        );
    }
}
