//! A request of ours as one of the HTTP library, checked before anything is sent.

use http::{HeaderName, HeaderValue, header};
use reqwest::{Method, Request, Url};
use serde_json::Value;

use super::headers;
use crate::servicenow::{
    self, Endpoint, Instance, Method as Verb, NoAnswer, NoAnswerCause, auth::grant::TOKEN_PATH,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The request as it goes out, without the header that proves who it is from.
pub(super) fn request(
    endpoint: &Endpoint,
    request: &servicenow::Request,
) -> Result<Request, NoAnswer> {
    // A URL resolves these two, however they are written; the path would be another one.
    if let Some(step) = request.path.iter().find(|segment| matches!(segment.as_str(), "." | "..")) {
        return Err(invalid(format!("the path has a step '{step}': write it without")));
    }
    let mut headers = headers::added(&request.headers, &endpoint.authentication)?;
    headers.entry(header::ACCEPT).or_insert(JSON);
    let mut prepared = bare(&endpoint.instance, method(request.method), &request.target())?;
    match &request.body {
        Some(body) => {
            headers.entry(header::CONTENT_TYPE).or_insert(JSON);
            *prepared.body_mut() = Some(bytes(body)?.into());
        }
        // Some servers want to be told that nothing follows.
        None if !matches!(request.method, Verb::Get | Verb::Delete) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        None => {}
    }
    *prepared.headers_mut() = headers;
    Ok(prepared)
}

/// The request for an access token.
pub(super) fn token(instance: &Instance, form: String) -> Result<Request, NoAnswer> {
    let mut prepared = bare(instance, Method::POST, TOKEN_PATH)?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    prepared.headers_mut().insert(header::CONTENT_TYPE, kind);
    prepared.headers_mut().insert(header::ACCEPT, JSON);
    *prepared.body_mut() = Some(form.into());
    Ok(prepared)
}

fn bare(instance: &Instance, method: Method, target: &str) -> Result<Request, NoAnswer> {
    let url = format!("{}{target}", instance.base_url());
    let url = Url::parse(&url).map_err(|error| invalid(format!("the path is invalid: {error}")))?;
    Ok(Request::new(method, url))
}

/// The request with one more header.
pub(super) fn with(mut request: Request, name: HeaderName, value: HeaderValue) -> Request {
    request.headers_mut().insert(name, value);
    request
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}

fn bytes(body: &Value) -> Result<Vec<u8>, NoAnswer> {
    serde_json::to_vec(body)
        .map_err(|error| invalid(format!("the body cannot be written as JSON: {error}")))
}

fn invalid(message: String) -> NoAnswer {
    NoAnswer { cause: NoAnswerCause::Invalid, may_have_acted: false, message }
}
