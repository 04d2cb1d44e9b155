//! Task headers: how the author wants results and errors to be handled.
//!
//! `resultVariable`, `resultExpression`, `errorExpression`, `retryBackoff` and `jobTimeout`
//! mean what they mean to Camunda's connectors; `resultPaths` and `bpmnErrors` are ours.
//! Everything is read before the first request: a broken header must never cost a call.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use serde_json::Value;

use super::{
    duration,
    expression::{Expression, Expressions},
    input::{invalid, kind_of},
    json_path::JsonPath,
};
use crate::{
    job::Job,
    outcome::cut,
    servicenow::{Error, Reason},
};

/// Every header that is read.
pub const HEADERS: [&str; 7] = [
    "resultVariable",
    "resultExpression",
    "resultPaths",
    "errorExpression",
    "bpmnErrors",
    "retryBackoff",
    "jobTimeout",
];

/// Most entries of `resultPaths`.
const MAX_PATHS: usize = 100;
/// A shorter lock would end before its job's first call could.
const SHORTEST_LOCK: Duration = Duration::from_secs(5);

/// The headers of one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    pub(crate) result_variable: Option<String>,
    pub(crate) result_expression: Option<Expression>,
    pub(crate) result_paths: Vec<(String, JsonPath)>,
    pub(crate) error_expression: Option<Expression>,
    pub(crate) bpmn_errors: BpmnErrors,
    pub(crate) retry_backoff: Option<Duration>,
    pub(crate) job_timeout: Option<Duration>,
}

/// Which reasons are thrown as BPMN errors without an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BpmnErrors {
    named: Vec<Reason>,
    all: bool,
}

impl Headers {
    pub(crate) fn read(job: &Job, expressions: &Expressions) -> Result<Self, Error> {
        let expression = |name: &'static str| {
            job.header(name).map(|text| expressions.parse(name, text)).transpose()
        };
        Ok(Self {
            result_variable: job.header("resultVariable").map(str::to_owned),
            result_expression: expression("resultExpression")?,
            result_paths: result_paths(job)?,
            error_expression: expression("errorExpression")?,
            bpmn_errors: job
                .header("bpmnErrors")
                .map_or(Ok(BpmnErrors::default()), BpmnErrors::parse)?,
            retry_backoff: duration_in(job, "retryBackoff")?,
            job_timeout: match duration_in(job, "jobTimeout")? {
                Some(time) if time < SHORTEST_LOCK => {
                    return Err(invalid(
                        "header jobTimeout is less than 5 seconds, too little for a call: give a \
                         time like PT2M",
                    ));
                }
                timeout => timeout,
            },
        })
    }
}

fn duration_in(job: &Job, name: &str) -> Result<Option<Duration>, Error> {
    let Some(text) = job.header(name) else { return Ok(None) };
    let parsed = duration::parse(text).filter(|d| d.as_millis() <= i64::MAX as u128);
    parsed.map(Some).ok_or_else(|| {
        invalid(format!(
            "header {name} '{}' is no duration: write it like PT10S, PT5M or P1D",
            cut(text, 40)
        ))
    })
}

fn result_paths(job: &Job) -> Result<Vec<(String, JsonPath)>, Error> {
    let Some(text) = job.header("resultPaths") else { return Ok(Vec::new()) };
    let wrong = |what: &str| {
        invalid(format!(
            "header resultPaths {what}: write a JSON object of variables and paths, e.g. \
             {{\"ticket\": \"$.number\"}}"
        ))
    };
    let map = match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        Ok(other) => return Err(wrong(&format!("is a {}", kind_of(&other)))),
        Err(error) => return Err(wrong(&format!("is no JSON ({error})"))),
    };
    if map.len() > MAX_PATHS {
        return Err(wrong(&format!("has {} entries where {MAX_PATHS} are allowed", map.len())));
    }
    map.into_iter()
        .map(|(variable, path)| {
            let text = path.as_str().ok_or_else(|| {
                wrong(&format!("has a {} for '{}'", kind_of(&path), cut(&variable, 80)))
            })?;
            let path = JsonPath::parse(text).map_err(|why| {
                invalid(format!(
                    "header resultPaths has an invalid path for '{}': {why}",
                    cut(&variable, 80)
                ))
            })?;
            Ok((variable, path))
        })
        .collect()
}

impl BpmnErrors {
    /// Reads a list of reasons with commas, or `*`.
    fn parse(text: &str) -> Result<Self, Error> {
        let mut errors = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name == "*" {
                errors.all = true;
                continue;
            }
            let reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
            errors.named.push(reason.ok_or_else(|| {
                let known: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
                invalid(format!(
                    "header bpmnErrors names '{}', which is no reason: use * or some of {}",
                    cut(name, 40),
                    known.join(", ")
                ))
            })?);
        }
        Ok(errors)
    }

    /// Whether a failure is thrown. `*` leaves failures alone that the worker is still
    /// going to retry; a reason named outright is thrown at once.
    pub(crate) fn includes(&self, reason: Reason, will_be_retried: bool) -> bool {
        self.named.contains(&reason) || (self.all && !will_be_retried)
    }
}
