//! What a flow is called with: path, method, query parameters, headers and payload.
#![deny(clippy::disallowed_types)]

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::{
    connector::{
        input::{Inputs, invalid, kind_of, unknown_word, wrong},
        secrets,
    },
    outcome::cut,
    servicenow::{Error, Method, Request},
};

/// Headers that decide who the request is from and what it is: not the author's.
const FORBIDDEN_HEADERS: [&str; 14] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
    "x-usertoken",
];

/// The request as its author wants it.
pub(super) fn read(inputs: &Inputs<'_>) -> Result<Request, Error> {
    let method = method(inputs)?;
    let mut request = Request::new(method, path(inputs)?.split('/'));
    request.query = query_parameters(inputs)?;
    request.headers = headers(inputs)?;
    request.body = payload(inputs)?;
    if method == Method::Get && request.body.is_some() {
        return Err(invalid("method GET takes no payload: use POST, or leave the payload empty"));
    }
    Ok(request)
}

/// The path without its leading slash.
fn path<'a>(inputs: &'a Inputs<'_>) -> Result<&'a str, Error> {
    let remedy = "give the path of the trigger, e.g. /api/x_acme/start_onboarding";
    let text = inputs.required_text("path", remedy)?;
    let segments: Vec<&str> = text.strip_prefix('/').unwrap_or(text).split('/').collect();
    let well = segments.iter().all(|segment| {
        !matches!(*segment, "" | "." | "..")
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:@+,=".contains(c))
    });
    match segments.as_slice() {
        ["api", "now", ..] => Err(invalid(
            "path is one of ServiceNow's own APIs (/api/now): use a record operation for tables",
        )),
        ["api", _, _, ..] if well => Ok(text.strip_prefix('/').unwrap_or(text)),
        _ => Err(invalid(format!(
            "path '{}' is not understood: write /api/<namespace>/<rest> without '?', '#' and '%', \
             query parameters go into queryParameters",
            cut(text, 120)
        ))),
    }
}

fn method(inputs: &Inputs<'_>) -> Result<Method, Error> {
    match inputs.text("method")?.map(str::to_ascii_uppercase).as_deref() {
        None | Some("POST") => Ok(Method::Post),
        Some("GET") => Ok(Method::Get),
        Some("PUT") => Ok(Method::Put),
        Some("PATCH") => Ok(Method::Patch),
        Some("DELETE") => Ok(Method::Delete),
        Some(other) => Err(unknown_word("method", other, "POST, GET, PUT, PATCH or DELETE")),
    }
}

fn query_parameters(inputs: &Inputs<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut parameters = Vec::new();
    for (name, value) in inputs.context("queryParameters")?.into_iter().flatten() {
        parameters.extend(scalar("queryParameters", name, value)?.map(|text| (name.clone(), text)));
    }
    Ok(parameters)
}

/// The author's headers, secrets in place.
fn headers(inputs: &Inputs<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut headers = Vec::new();
    for (name, value) in inputs.context("headers")?.into_iter().flatten() {
        let Some(text) = scalar("headers", name, value)? else { continue };
        if let Some(what) = secrets::misspelt(&text) {
            return Err(invalid(format!("headers: '{}': {what}", cut(name, 80))));
        }
        let text = secrets::replace_in_text(&text, inputs.secrets)?;
        let lower = name.trim().to_ascii_lowercase();
        if FORBIDDEN_HEADERS.contains(&lower.as_str()) {
            return Err(invalid(format!(
                "headers: '{lower}' cannot be set: credentials belong into the connection"
            )));
        }
        if HeaderName::from_bytes(lower.as_bytes()).is_err()
            || HeaderValue::from_str(&text).is_err()
        {
            return Err(invalid(format!(
                "headers: '{}' is no header: use letters, digits and dashes for the name and one \
                 line for the value",
                cut(&lower, 80)
            )));
        }
        headers.push((lower, text));
    }
    Ok(headers)
}

/// A scalar as text; null is left out.
fn scalar(input: &str, name: &str, value: &Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        other => Err(invalid(format!(
            "{input}: '{}' is a {}: give text, a number or a boolean",
            cut(name, 80),
            kind_of(other)
        ))),
    }
}

/// `payloadTemplate`, overlaid with `payload` where both are contexts.
fn payload(inputs: &Inputs<'_>) -> Result<Option<Value>, Error> {
    let template = inputs.rendered("payloadTemplate")?;
    let payload = match inputs.variables.get("payload") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(value @ (Value::Object(_) | Value::Array(_))) => Some(value.clone()),
        Some(other) => return Err(wrong("payload", other, "a context, e.g. ={user: name}")),
    };
    match (template, payload) {
        (None, payload) => Ok(payload),
        (Some(template), None) => Ok(Some(Value::Object(template))),
        (Some(mut template), Some(Value::Object(own))) => {
            template.extend(own);
            Ok(Some(Value::Object(template)))
        }
        (Some(_), Some(_)) => Err(invalid(
            "payload is a list and payloadTemplate is given too: leave one of them empty",
        )),
    }
}
