//! What the HTTP library's errors mean for the question that counts: was anything sent?

use std::error::Error as _;

use crate::{
    outcome::cut,
    servicenow::{NoAnswer, NoAnswerCause},
};

/// Longest text taken over from the system or the library, in characters.
const MAX_TEXT: usize = 300;

/// An error of the HTTP library. Its own text names the URL, queries included, so only
/// the text of its cause is taken over.
pub(super) fn of(error: &reqwest::Error, address: &str) -> NoAnswer {
    let said = cut(&root(error), MAX_TEXT);
    // "Connect" spans everything before the first byte of the request: the name, TCP, a
    // proxy's tunnel and the TLS handshake.
    if error.is_connect() {
        let remedy = if said.contains("certificate") {
            "; when a private authority signed it, name its file as ca_file"
        } else {
            ""
        };
        return NoAnswer {
            cause: NoAnswerCause::Unreachable,
            may_have_acted: false,
            message: format!("no connection to {address}: {said}{remedy}"),
        };
    }
    if error.is_builder() {
        return NoAnswer {
            cause: NoAnswerCause::Invalid,
            may_have_acted: false,
            message: format!("the request cannot be sent: {said}"),
        };
    }
    if error.is_timeout() {
        return timed_out(&format!("no answer from {address} in time"));
    }
    NoAnswer {
        cause: NoAnswerCause::Broken,
        may_have_acted: true,
        message: format!(
            "the connection to {address} broke before the answer was complete: {said}"
        ),
    }
}

/// No answer in time, with the request on its way.
pub(super) fn timed_out(message: &str) -> NoAnswer {
    NoAnswer { cause: NoAnswerCause::Timeout, may_have_acted: true, message: message.to_owned() }
}

/// The innermost cause's text.
fn root(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = "unknown cause".to_owned();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
