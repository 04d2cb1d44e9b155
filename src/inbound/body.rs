//! Bodies: capped while they arrive, and waited for no longer than the limit.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;

use super::{limits::Limits, operation::Operation, problem::Problem};

/// Refuses by the headers alone what would be refused later: size, encoding, media type.
pub(crate) fn check_headers(
    operation: Operation,
    headers: &HeaderMap,
    limits: &Limits,
) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str());
    if let Some(Ok(length)) = text(header::CONTENT_LENGTH)
        && length.parse::<usize>().is_ok_and(|length| length > limits.body_bytes)
    {
        return Err(too_large(limits));
    }
    if !matches!(text(header::CONTENT_ENCODING), None | Some(Ok("" | "identity"))) {
        return Err(unsupported("compressed bodies are not taken: leave Content-Encoding out"));
    }
    let Some(form) = text(header::CONTENT_TYPE) else { return Ok(()) };
    let form = form.unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = form.split_once(';').unwrap_or((&form, ""));
    let essence = essence.trim();
    let fits = match operation {
        Operation::Token => essence == "application/x-www-form-urlencoded",
        _ => essence == "application/json" || essence.ends_with("+json"),
    };
    if !essence.is_empty() && operation.has_body() && !fits {
        let wanted = match operation {
            Operation::Token => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        return Err(unsupported(&format!("send Content-Type: {wanted}")));
    }
    let charset = parameters.split(';').find_map(|parameter| {
        parameter
            .trim()
            .strip_prefix("charset=")
            .map(|charset| charset.trim_matches('"').to_owned())
    });
    match charset.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii") => Ok(()),
        Some(_) => Err(unsupported("send the body in UTF-8")),
    }
}

/// Reads a body to its end.
pub(crate) async fn read(body: Body, limits: &Limits) -> Result<Bytes, Problem> {
    let reading = tokio::time::timeout(limits.body_timeout, collect(body, limits));
    reading.await.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "Request Timeout",
            format!("the body did not arrive within {:?}", limits.body_timeout),
        ))
    })
}

async fn collect(body: Body, limits: &Limits) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut collected = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::unreadable("the body breaks off"))?;
        if collected.len() + chunk.len() > limits.body_bytes {
            return Err(too_large(limits));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.into())
}

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("the body is larger than {} bytes", limits.body_bytes);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large", detail)
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", detail)
}
