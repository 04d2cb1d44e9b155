//! An answer of ServiceNow as a plain value, or why there is none.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use bytes::Bytes;

use super::Reason;

/// What came back for a request.
pub type Reply = Result<Response, NoAnswer>;

/// An answer with its body read to the end and decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in the order they came, names in canonical case (`X-Total-Count`), since
    /// expressions address them by that spelling.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// No usable answer came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoAnswer {
    /// What went wrong.
    pub cause: NoAnswerCause,
    /// Whether ServiceNow may have acted on the request: `false` only when it certainly
    /// was not sent.
    pub may_have_acted: bool,
    /// Text for people, without secrets.
    pub message: String,
}

/// Why there is no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswerCause {
    /// No connection: name not found, refused, TLS failure.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The connection broke, or the body was cut short.
    Broken,
    /// The answer is larger than the cap.
    TooLarge,
    /// The token endpoint refused the credentials.
    TokenRefused,
    /// The token endpoint did not answer usefully.
    TokenUnavailable,
    /// The request cannot be sent as it is (an illegal header, for instance).
    Invalid,
    /// It was not sent: the connection is in trouble, and this call would only add to it.
    HeldBack {
        /// What the trouble is.
        reason: Reason,
        /// How long to stay away, when the trouble is over at a known time.
        retry_after: Option<Duration>,
    },
}
