//! Status, headers and text of an answer -> what is wrong with it.
#![deny(clippy::disallowed_types)]

use serde_json::Value;

use super::{Asked, MAX_QUOTE_CHARS};
use crate::{
    outcome::cut,
    servicenow::{Reason, Response},
};

/// Why an answer is unusable.
pub(super) struct Verdict {
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Whether a write may have happened; reads ignore it.
    pub(super) may_have_acted: bool,
}

/// `None` for an answer that can be used.
pub(super) fn verdict(asked: Asked, response: &Response, body: Option<&Value>) -> Option<Verdict> {
    match response.status {
        202 if !(asked.accepted_is_done && body.is_some_and(Value::is_object)) => Some(dropped()),
        200..=299 => success(response, body),
        300..=399 => Some(redirected(response)),
        status => Some(refused(status, response, body)),
    }
}

fn dropped() -> Verdict {
    Verdict {
        reason: Reason::Busy,
        message: "ServiceNow answered 202: too many requests wait on this session, and it drops \
                  what it accepts this way"
            .to_owned(),
        may_have_acted: true,
    }
}

fn success(response: &Response, body: Option<&Value>) -> Option<Verdict> {
    let Some(body) = body else {
        return if response.body.is_empty() && matches!(response.status, 204 | 205) {
            None
        } else {
            Some(unreadable(response))
        };
    };
    let failed = body.get("error").is_some_and(|error| !error.is_null());
    failed.then(|| {
        let text = envelope_text(body).unwrap_or_else(|| cut(&body["error"].to_string(), 200));
        Verdict {
            reason: by_text(&text).unwrap_or(Reason::UnexpectedResponse),
            message: format!(
                "ServiceNow answered {} but reports a failure: {text}",
                response.status
            ),
            may_have_acted: true,
        }
    })
}

/// A 2xx that holds no JSON.
fn unreadable(response: &Response) -> Verdict {
    if is_html(response) {
        return Verdict {
            reason: Reason::Asleep,
            message: asleep_message(response),
            may_have_acted: !stands_before_the_instance(response),
        };
    }
    let message = if response.body.is_empty() {
        format!("ServiceNow answered {} without a body", response.status)
    } else {
        format!("ServiceNow answered {} with a body that is no JSON", response.status)
    };
    Verdict { reason: Reason::UnexpectedResponse, message, may_have_acted: true }
}

/// Whether the page comes from something in front of the instance: no request got further.
/// Of any other page nobody knows who wrote it, and when.
fn stands_before_the_instance(response: &Response) -> bool {
    let signs = ["hibernat", "type=\"password\"", "type='password'", "samlrequest"];
    signs.iter().any(|sign| mentions(response, sign))
}

fn asleep_message(response: &Response) -> String {
    if mentions(response, "hibernat") {
        return "the instance is hibernating: wake it at developer.servicenow.com".to_owned();
    }
    format!(
        "the instance answered {} with a web page in place of JSON: it is asleep, being upgraded, \
         or behind a login page",
        response.status
    )
}

fn redirected(response: &Response) -> Verdict {
    let target = response.header("Location").unwrap_or("nowhere");
    let asleep = target.contains("developer.servicenow.com") || target.contains("hibernat");
    let message = if asleep {
        "the instance is hibernating: wake it at developer.servicenow.com".to_owned()
    } else {
        format!(
            "ServiceNow answered {} and points to {}: check the instance's address and its login \
             rules",
            response.status,
            cut(target.split(['?', '#']).next().unwrap_or_default(), 200)
        )
    };
    let reason = if asleep { Reason::Asleep } else { Reason::UnexpectedResponse };
    Verdict { reason, message, may_have_acted: false }
}

fn refused(status: u16, response: &Response, body: Option<&Value>) -> Verdict {
    let text = body.and_then(envelope_text);
    let reason = match status {
        400 => text.as_deref().and_then(by_text).unwrap_or(Reason::InvalidInput),
        401 => Reason::Unauthenticated,
        403 => text.as_deref().and_then(by_text).unwrap_or(Reason::Forbidden),
        404 => not_found(text.as_deref(), body),
        408 | 504 => Reason::Timeout,
        409 => Reason::Conflict,
        413 | 414 => Reason::InvalidInput,
        429 if response.header("X-RateLimit-Rule").is_some()
            || response.header("X-RateLimit-Limit").is_some()
            || response.header("X-RateLimit-Reset").is_some() =>
        {
            Reason::RateLimited
        }
        429 => Reason::Busy,
        500..=599 if mentions(response, "hibernat") => Reason::Asleep,
        500..=599 => text.as_deref().and_then(failure_by_text).unwrap_or(Reason::Busy),
        _ => Reason::UnexpectedResponse,
    };
    let said = text.unwrap_or_else(|| if is_html(response) { "a web page" } else { "" }.to_owned());
    let colon = if said.is_empty() { "" } else { ": " };
    let message = format!("ServiceNow answered {status}{colon}{said}{}", remedy(status, reason));
    // These are refused before anything runs; for the rest only a look at the record tells.
    // What is refused as a second one may be there already, and be this job's own.
    let never_acted = matches!(status, 400 | 401 | 404..=406 | 413..=415 | 429);
    let may_have_acted = !never_acted || reason == Reason::Conflict;
    Verdict { reason, message, may_have_acted }
}

fn not_found(text: Option<&str>, body: Option<&Value>) -> Reason {
    match (text.and_then(by_text), body) {
        (Some(reason), _) => reason,
        (None, Some(_)) => Reason::RecordNotFound,
        // A 404 that is not ServiceNow's own says nothing about a record.
        (None, None) => Reason::UnexpectedResponse,
    }
}

/// `message: detail` of ServiceNow's error body.
fn envelope_text(body: &Value) -> Option<String> {
    let error = body.get("error")?;
    let part = |name| error.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let (message, detail) = (part("message"), part("detail"));
    let text = match (message, detail) {
        ("", "") => error.as_str()?.to_owned(),
        (message, "") => message.to_owned(),
        ("", detail) => detail.to_owned(),
        (message, detail) if message == detail => message.to_owned(),
        (message, detail) => format!("{message}: {detail}"),
    };
    Some(cut(&one_line(&text), MAX_QUOTE_CHARS))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The reason behind ServiceNow's words; they are the only thing that tells a data policy
/// from a missing right.
fn by_text(text: &str) -> Option<Reason> {
    let text = text.to_lowercase();
    let table = [
        ("invalid table", Reason::TableNotFound),
        ("does not represent any resource", Reason::TableNotFound),
        ("no record found", Reason::RecordNotFound),
        ("data policy exception", Reason::DataPolicy),
        ("aborted by business rule", Reason::BusinessRule),
        ("acl exception", Reason::Forbidden),
        ("security constraints", Reason::Forbidden),
        ("not authorized", Reason::Forbidden),
        ("insufficient rights", Reason::Forbidden),
    ];
    failure_by_text(&text)
        .or_else(|| table.iter().find(|(words, _)| text.contains(words)).map(|(_, r)| *r))
}

/// Words that mean the same under any status.
fn failure_by_text(text: &str) -> Option<Reason> {
    let text = text.to_lowercase();
    let table = [
        ("unique key violation", Reason::Conflict),
        ("duplicate entry", Reason::Conflict),
        ("maximum execution time", Reason::Timeout),
        ("transaction cancelled", Reason::Timeout),
    ];
    table.iter().find(|(words, _)| text.contains(words)).map(|(_, reason)| *reason)
}

/// What to do about it, appended to ServiceNow's words.
fn remedy(status: u16, reason: Reason) -> &'static str {
    match (reason, status) {
        (Reason::Unauthenticated, _) => {
            "; check user and password, token or key, and that the user may use web services"
        }
        (Reason::Forbidden, _) => "; give the worker's user the right, or a role that has it",
        (Reason::TableNotFound, _) => "; use the table's name, not its label",
        (Reason::DataPolicy, _) => "; fill the fields named there by their labels",
        (Reason::BusinessRule, _) => "; the rule named there forbids the values or the moment",
        (Reason::Timeout, _) => "; ask for fewer records or fields if this goes on",
        (Reason::RateLimited, _) => "; a rate-limit rule of the instance is used up",
        (Reason::Busy, 429) => "; the instance has no free worker",
        (Reason::Busy, 500..=599) => "; if this goes on, the instance's own log says why",
        (Reason::Conflict, _) => "; another record has a value that must be unique: change yours",
        (Reason::UnexpectedResponse, 404) => "; check the instance's address",
        (Reason::UnexpectedResponse, _) => "; check what answers at the instance's address",
        _ => "",
    }
}

fn is_html(response: &Response) -> bool {
    response.header("Content-Type").is_some_and(|kind| kind.contains("html"))
        || response.body.trim_ascii_start().starts_with(b"<")
}

fn mentions(response: &Response, word: &str) -> bool {
    String::from_utf8_lossy(&response.body).to_lowercase().contains(word)
}
