//! From what happened to what the engine is told: the only place that decides it.
//!
//! - `errorExpression` comes first and sees successes too; its `bpmnError`, `jobError` and
//!   `ignoreError` mean what they mean to Camunda's connectors.
//! - A permanent failure ends with retries 0: trying again would not help.
//! - A transient one hands the job back with its retries unchanged, later and later, until
//!   the outage has lasted too long. How long it has lasted is remembered in the variable
//!   `error` in the element's own scope, so that no replica needs a memory.
#![deny(clippy::disallowed_types)]

mod backoff;
mod decision;

use std::time::Duration;

use serde_json::{Map, Value, json};

use decision::Decision;

use super::{duration, expression::Scope, headers::Headers, operation::Success, output};
use crate::{
    job::{Job, Variables},
    outcome::{Outcome, cut},
    servicenow::{Error, Reason},
};

/// What a decision depends on besides what happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) job: &'a Job,
    pub(crate) headers: &'a Headers,
    pub(crate) max_outage: Duration,
    pub(crate) now: jiff::Timestamp,
}

/// The outcome of an operation that worked.
pub(crate) fn after_success(
    at: Circumstances<'_>,
    success: &Success,
    variables: Variables,
    warnings: &mut Vec<String>,
) -> Outcome {
    let Some(expression) = &at.headers.error_expression else {
        return Outcome::Complete { variables };
    };
    let mut scope = output::scope(success);
    scope.extend(&variables);
    let mut scope = output::with_response(scope);
    scope.set("job", json!({ "retries": at.job.retries }));
    match expression.evaluate(scope, at.now, warnings).and_then(Decision::read) {
        Ok(Decision::None) => Outcome::Complete { variables },
        Ok(decision) => decided(decision, "", Duration::ZERO),
        Err(why) => {
            let id = success.text("sysId").map(|id| format!(" (sysId {id})")).unwrap_or_default();
            let message = format!("the operation worked{id}, but errorExpression failed: {why}");
            permanent(at, &Error::new(Reason::InvalidInput, message))
        }
    }
}

/// The outcome of a failure.
pub(crate) fn after_error(
    at: Circumstances<'_>,
    error: &Error,
    warnings: &mut Vec<String>,
) -> Outcome {
    let known = warnings.len();
    if let Some(expression) = &at.headers.error_expression {
        let value = error_value(error, error.is_transient());
        let mut scope = Scope::default();
        scope.set("response", json!({ "error": value }));
        scope.set("error", &value);
        scope.set("job", json!({ "retries": at.job.retries }));
        match expression.evaluate(scope, at.now, warnings).and_then(Decision::read) {
            Ok(Decision::None) => {}
            Ok(decision) => {
                let at_least = error.at_least.unwrap_or_default();
                return decided(decision, &error.message, at_least);
            }
            Err(why) => {
                let message = format!("{}; besides, errorExpression failed: {why}", error.message);
                return permanent(at, &Error { message, ..error.clone() });
            }
        }
    }
    let mut outcome = by_reason(at, error);
    if let Outcome::Fail { retries: 0, message, .. } = &mut outcome {
        message.push_str(&decides_nothing(&warnings[known..]));
    }
    outcome
}

/// What is added to an incident's text when an `errorExpression` gave null and may not have
/// meant to: a mistyped function does.
fn decides_nothing(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    format!("; besides, errorExpression decides nothing: {}", cut(&warnings.join("; "), 300))
}

/// `at_least` is how long the job has to stay away, if it comes back by itself.
fn decided(decision: Decision, fallback: &str, at_least: Duration) -> Outcome {
    match decision {
        Decision::BpmnError { code, message, variables } => {
            Outcome::ThrowError { code, message: message.unwrap_or_default(), variables }
        }
        Decision::JobError { message, retries, retry_backoff, mut variables } => {
            let message = message.unwrap_or_else(|| fallback.to_owned());
            let retry_backoff = retry_backoff.max(at_least);
            variables.insert("error".to_owned(), message.clone().into());
            Outcome::Fail { retries, message, retry_backoff, variables }
        }
        Decision::Ignore { variables } => Outcome::Complete { variables },
        Decision::None => Outcome::Complete { variables: Variables::new() },
    }
}

fn by_reason(at: Circumstances<'_>, error: &Error) -> Outcome {
    let since = outage_since(at);
    let age = Duration::try_from(at.now.duration_since(since)).unwrap_or_default();
    let will_be_retried = error.is_transient() && age < at.max_outage;
    if at.headers.bpmn_errors.includes(error.reason, will_be_retried) {
        return Outcome::ThrowError {
            code: error.reason.as_str().to_owned(),
            message: error.message.clone(),
            variables: error_variables(error_value(error, error.is_transient())),
        };
    }
    if will_be_retried {
        return transient(at, error, since, age);
    }
    if error.is_transient() {
        let message = format!(
            "{}; it has been so since {since:.0} ({}), the retries are over",
            error.message,
            duration::in_words(age)
        );
        return permanent(at, &Error { message, ..error.clone() });
    }
    permanent(at, error)
}

/// Unchanged retries, later.
fn transient(
    at: Circumstances<'_>,
    error: &Error,
    since: jiff::Timestamp,
    age: Duration,
) -> Outcome {
    let retry_backoff = backoff::wait(backoff::Wait {
        retry_after: error.retry_after,
        at_least: error.at_least.unwrap_or_default(),
        header: at.headers.retry_backoff,
        age,
        job_key: at.job.id.key,
        now: at.now,
    });
    let mut value = error_value(error, true);
    value["outage"] = json!({ "jobKey": at.job.id.key.to_string(), "since": since.to_string() });
    Outcome::Fail {
        retries: at.job.retries.max(1),
        message: format!(
            "{}: {}; no retry is used up, the next attempt is in about {}",
            error.reason,
            error.message,
            duration::in_words(retry_backoff)
        ),
        retry_backoff,
        variables: error_variables(value),
    }
}

/// Retries 0: an incident.
fn permanent(at: Circumstances<'_>, error: &Error) -> Outcome {
    // Without `outage`: whoever resolves the incident starts a new one.
    Outcome::Fail {
        retries: 0,
        message: format!("{}: {}", error.reason, error.message),
        retry_backoff: at.headers.retry_backoff.unwrap_or_default(),
        variables: error_variables(error_value(error, false)),
    }
}

/// Retries less one: something went wrong in the worker itself.
pub(crate) fn after_panic(job: &Job, panic: &str) -> Outcome {
    Outcome::Fail {
        retries: (job.retries - 1).max(0),
        message: format!("internal error of the worker, please report it: {panic}"),
        retry_backoff: job.header("retryBackoff").and_then(duration::parse).unwrap_or_default(),
        variables: Variables::new(),
    }
}

/// When the outage began, as far as this job remembers; else now.
fn outage_since(at: Circumstances<'_>) -> jiff::Timestamp {
    outage_of(at.job).map_or(at.now, |since| since.min(at.now))
}

/// The outage that an earlier attempt of the job noted. What another job left in an outer
/// scope is not ours.
pub(super) fn outage_of(job: &Job) -> Option<jiff::Timestamp> {
    let outage = job.variables.get("error")?.get("outage")?;
    let is_ours = outage.get("jobKey")?.as_str()? == job.id.key.to_string();
    let since = outage.get("since")?.as_str()?.parse().ok()?;
    is_ours.then_some(since)
}

/// `error` as expressions and catch events see it.
fn error_value(error: &Error, retryable: bool) -> Value {
    let mut value = Map::new();
    if let Some(status) = error.status {
        value.insert("code".to_owned(), status.to_string().into());
    }
    value.insert("message".to_owned(), error.message.clone().into());
    value.insert("reason".to_owned(), error.reason.as_str().into());
    let kind = if error.reason == Reason::InvalidInput { "InputError" } else { "ServiceNowError" };
    value.insert("type".to_owned(), kind.into());
    value.insert("status".to_owned(), error.status.into());
    value.insert("retryable".to_owned(), retryable.into());
    let response =
        error.response.as_ref().map(|response| ("response".to_owned(), (**response).clone()));
    value.insert("variables".to_owned(), Value::Object(response.into_iter().collect()));
    Value::Object(value)
}

fn error_variables(error: Value) -> Variables {
    Variables::from_iter([("error".to_owned(), error)])
}
