//! What an answer means: usable JSON, or a reason why not.
//!
//! ServiceNow's answers cannot be taken at their status: 202 was not done, HTML in a 200 is
//! an instance asleep, a 200 with a top-level `error` was cancelled half-way, and there are
//! two kinds of 429. `docs/errors.md` says it for people.
#![deny(clippy::disallowed_types)]

mod classify;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Error, Method, NoAnswer, NoAnswerCause, Reason, Reply, Response};
use crate::outcome::cut;

/// A usable answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, without cookies: they are session credentials.
    pub headers: Vec<(String, String)>,
    /// The body; null when there is none.
    pub body: Value,
    /// How long the body was.
    pub bytes: usize,
}

/// An unusable one.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    /// Whether ServiceNow may have acted all the same.
    pub may_have_acted: bool,
}

/// What was asked, as far as it decides how the answer is read.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The request's method: a GET leaves nothing behind.
    pub method: Method,
    /// Whether a 202 with a JSON body is an answer. It is for scripted endpoints that start
    /// something; for the platform's own APIs it means that the request was dropped.
    pub accepted_is_done: bool,
}

/// Longest piece of ServiceNow's own words in a message.
const MAX_QUOTE_CHARS: usize = 500;
/// Longest body handed on in an error.
const MAX_ERROR_BODY_BYTES: usize = 16 * 1024;
/// Longest wait taken from an answer; rate limits are counted by the hour.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

impl Answer {
    /// The `result` of the body, taken out of it.
    pub fn take_result(&mut self) -> Value {
        self.body.get_mut("result").map(Value::take).unwrap_or_default()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The headers as a JSON object, the first of several with one name.
    pub fn headers_value(&self) -> Value {
        headers_value(&self.headers)
    }
}

/// Reads a reply.
pub fn read(asked: Asked, reply: Reply, now: jiff::Timestamp) -> Result<Answer, Box<Failure>> {
    let wrote = asked.method != Method::Get;
    match reply {
        Err(no_answer) => Err(Box::new(read_no_answer(wrote, &no_answer))),
        Ok(response) => read_response(asked, response, now).map_err(|mut failure| {
            failure.may_have_acted &= wrote;
            failure
        }),
    }
}

fn read_no_answer(wrote: bool, no_answer: &NoAnswer) -> Failure {
    let may_have_acted = wrote && no_answer.may_have_acted;
    let reason = match no_answer.cause {
        NoAnswerCause::Broken if may_have_acted => Reason::OutcomeUnknown,
        NoAnswerCause::Unreachable | NoAnswerCause::Broken | NoAnswerCause::TokenUnavailable => {
            Reason::Unreachable
        }
        NoAnswerCause::Timeout => Reason::Timeout,
        NoAnswerCause::TooLarge => Reason::ResponseTooLarge,
        NoAnswerCause::TokenRefused => Reason::Unauthenticated,
        NoAnswerCause::Invalid => Reason::InvalidInput,
        NoAnswerCause::HeldBack { reason, .. } => reason,
    };
    let mut error = Error::new(reason, cut(&no_answer.message, MAX_QUOTE_CHARS));
    if let NoAnswerCause::HeldBack { retry_after, .. } = no_answer.cause {
        error.retry_after = retry_after;
    }
    Failure { error, may_have_acted }
}

fn read_response(
    asked: Asked,
    response: Response,
    now: jiff::Timestamp,
) -> Result<Answer, Box<Failure>> {
    let body = serde_json::from_slice::<Value>(&response.body).ok();
    let verdict = classify::verdict(asked, &response, body.as_ref());
    match (verdict, body) {
        (None, body) => Ok(Answer {
            status: response.status,
            headers: without_cookies(response.headers),
            body: body.unwrap_or_default(),
            bytes: response.body.len(),
        }),
        (Some(verdict), body) => {
            let error = Error {
                status: Some(response.status),
                retry_after: retry_after(&response, now),
                response: Some(Box::new(error_response(&response, body))),
                ..Error::new(verdict.reason, verdict.message)
            };
            Err(Box::new(Failure { error, may_have_acted: verdict.may_have_acted }))
        }
    }
}

/// How long to wait, by `Retry-After`, else by `X-RateLimit-Reset`. The latter stands in every
/// answer of a limited API and tells when the hour ends: only a 429 says that it is used up.
fn retry_after(response: &Response, now: jiff::Timestamp) -> Option<Duration> {
    let text = |name| response.header(name).map(str::trim);
    let asked_for = text("Retry-After").and_then(|text| match text.parse() {
        Ok(seconds) => Some(seconds),
        Err(_) => seconds_until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now),
    });
    let reset = || {
        let moment = text("X-RateLimit-Reset").filter(|_| response.status == 429)?.parse().ok()?;
        seconds_until(jiff::Timestamp::from_second(moment).ok()?, now)
    };
    let wait = asked_for.or_else(reset)?;
    Some(Duration::from_secs(wait).min(MAX_RETRY_AFTER))
}

fn seconds_until(moment: jiff::Timestamp, now: jiff::Timestamp) -> Option<u64> {
    u64::try_from(moment.as_second().saturating_sub(now.as_second())).ok()
}

/// The answer as an error's variables hold it: `{headers, body}`.
fn error_response(response: &Response, body: Option<Value>) -> Value {
    let body = match body {
        Some(body) if response.body.len() <= MAX_ERROR_BODY_BYTES => body,
        _ => cut(&String::from_utf8_lossy(&response.body), MAX_ERROR_BODY_BYTES / 4).into(),
    };
    json!({ "headers": headers_value(&without_cookies(response.headers.clone())), "body": body })
}

fn without_cookies(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("set-cookie"));
    headers
}

fn headers_value(headers: &[(String, String)]) -> Value {
    let mut map = Map::new();
    for (name, value) in headers {
        map.entry(name.clone()).or_insert_with(|| Value::String(value.clone()));
    }
    Value::Object(map)
}
