//! The result of an operation -> the variables of the job.
//!
//! `resultVariable` gets the whole result; the keys of `resultPaths` and then of
//! `resultExpression` are laid over it. An expression that gives null adds nothing.
#![deny(clippy::disallowed_types)]

use serde_json::{Value, json};

use super::{
    expression::Scope,
    headers::Headers,
    input::kind_of,
    operation::{Body, Success},
};
use crate::{
    feel,
    job::Variables,
    servicenow::{Error, Reason},
};

/// The variables of a successful job, and what to warn of.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) variables: Variables,
    pub(crate) warnings: Vec<String>,
}

/// What expressions see of a success, at the top and again under `response`: the keys of
/// the result, and beside them status, headers and body as Camunda's REST connector has
/// them.
pub(crate) fn scope(success: &Success) -> Scope {
    let mut scope = Scope::default();
    scope.extend(&success.result);
    let body = match &success.body {
        Body::Whole(body) => body.into(),
        Body::ResultIs(name) => feel::Value::context([("result".into(), scope.get(name))]),
    };
    scope.set("body", body);
    scope.set("headers", &success.headers);
    scope.set("status", i64::from(success.status));
    scope.set("warnings", json!(success.warnings));
    scope
}

/// A scope with itself under `response`.
pub(crate) fn with_response(mut scope: Scope) -> Scope {
    scope.set("response", scope.clone().into_value());
    scope
}

/// Maps a success by the headers.
pub(crate) fn map(
    headers: &Headers,
    success: &Success,
    now: jiff::Timestamp,
    max_bytes: usize,
) -> Result<Output, Error> {
    let mut warnings = success.warnings.clone();
    let mut mapped = paths(headers, success, &mut warnings)?;
    if let Some(expression) = &headers.result_expression {
        let value = expression.evaluate(with_response(scope(success)), now, &mut warnings);
        match value.map_err(|why| unmapped(success, &format!("resultExpression failed: {why}")))? {
            Value::Object(map) => mapped.extend(map),
            Value::Null => {}
            other => {
                let what = format!(
                    "resultExpression gives a {} where a context is needed, e.g. ={{ticket: number}}",
                    kind_of(&other)
                );
                return Err(unmapped(success, &what));
            }
        }
    }
    let mut variables = Variables::new();
    if let Some(name) = &headers.result_variable {
        let mut result = success.result.clone();
        result.insert("warnings".to_owned(), json!(warnings));
        variables.insert(name.clone(), Value::Object(result));
    }
    variables.extend(mapped);
    check_size(success, &variables, max_bytes)?;
    Ok(Output { variables, warnings })
}

fn paths(
    headers: &Headers,
    success: &Success,
    warnings: &mut Vec<String>,
) -> Result<Variables, Error> {
    let mut variables = Variables::new();
    if headers.result_paths.is_empty() {
        return Ok(variables);
    }
    let mut result = success.result.clone();
    result.insert("warnings".to_owned(), json!(success.warnings));
    let result = Value::Object(result);
    for (name, path) in &headers.result_paths {
        let found = path
            .find(&result)
            .map_err(|why| unmapped(success, &format!("resultPaths for '{name}' failed: {why}")))?;
        if found.is_none() {
            warnings.push(format!("resultPaths for '{name}' leads to nothing: it became null"));
        }
        variables.insert(name.clone(), found.unwrap_or_default());
    }
    Ok(variables)
}

fn check_size(success: &Success, variables: &Variables, max_bytes: usize) -> Result<(), Error> {
    let bytes = serde_json::to_vec(variables).map_or(usize::MAX, |text| text.len());
    if bytes <= max_bytes {
        return Ok(());
    }
    let what = format!(
        "the variables take {bytes} bytes of {max_bytes} allowed: ask for fewer records or fields, \
         or pick what you need by resultExpression"
    );
    Err(Error { reason: Reason::ResponseTooLarge, ..unmapped(success, &what) })
}

/// The operation worked and its result cannot be used: trying again would change nothing,
/// and whoever reads the incident must know what is there already.
fn unmapped(success: &Success, what: &str) -> Error {
    let done = match (success.text("sysId"), success.word) {
        (Some(id), word) => format!("the record was {word} (sysId {id}), but "),
        (None, "started") => "the flow was started, but ".to_owned(),
        (None, _) => String::new(),
    };
    let message = format!("{done}{what}");
    Error { status: Some(success.status), ..Error::new(Reason::InvalidInput, message) }
}
