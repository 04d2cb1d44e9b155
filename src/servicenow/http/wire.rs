//! The client's requests and answers as plain HTTP messages, for a simulation that brings its
//! own connections: what is on the wire is the client's, only the library below is not.

use ::http::{HeaderMap, Request};
use bytes::Bytes;

use super::{headers, prepared};
use crate::servicenow::{self, Endpoint, NoAnswer, NoAnswerCause, auth::Proof};

/// The request as the client sends it, its proof of who it is from included.
pub fn request(
    endpoint: &Endpoint,
    request: &servicenow::Request,
) -> Result<Request<Bytes>, NoAnswer> {
    let Proof::Header(name, value) = Proof::of(&endpoint.authentication)? else {
        return Err(invalid("tokens are for the client itself to fetch"));
    };
    let prepared = prepared::with(prepared::request(endpoint, request)?, name, value);
    let body = prepared.body().and_then(|body| body.as_bytes()).map(Bytes::copy_from_slice);
    let mut message = Request::new(body.unwrap_or_default());
    *message.method_mut() = prepared.method().clone();
    *message.uri_mut() =
        prepared.url().as_str().parse().map_err(|_| invalid("the URL is no URI"))?;
    *message.headers_mut() = prepared.headers().clone();
    Ok(message)
}

/// The answer's headers as the client hands them on.
pub fn headers(received: &HeaderMap) -> Vec<(String, String)> {
    headers::received(received)
}

fn invalid(message: &str) -> NoAnswer {
    let message = message.to_owned();
    NoAnswer { cause: NoAnswerCause::Invalid, may_have_acted: false, message }
}
