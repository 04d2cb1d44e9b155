//! A request, read: verb, path, parameters, headers, body.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Method, header},
};
use futures_util::StreamExt as _;
use serde_json::{Map, Value};

use super::{answer::Answer, failure};

/// `glide.rest.max_content_length`.
pub(crate) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// How much of an oversized body is still read, so that the client sees the answer.
const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    /// The verb as sent.
    pub(crate) sent_method: Method,
    /// The verb that counts: `X-http-method-override` turns a POST into another.
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The path's parts, decoded.
    pub(crate) segments: Vec<String>,
    pub(crate) version: Version,
    pub(crate) query_text: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The size of a body that was too large to take.
    pub(crate) oversized: Option<u64>,
    /// Scheme and authority that the client used.
    pub(crate) origin: String,
    /// How a scripted fault bends this call.
    pub(crate) twist: Twist,
}

/// What a scripted fault can make the API overlook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Twist {
    /// A client-chosen `sys_id` is not honoured.
    pub(crate) ignores_id: bool,
    /// `sysparm_query` and plain pairs are not looked at.
    pub(crate) ignores_query: bool,
}

/// The version segment of an API path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// None given: the newest.
    Latest,
    /// `v1`
    V1,
    /// `v2`
    V2,
}

impl Version {
    fn of(segments: &[String]) -> Self {
        match segments.get(2).map(String::as_str) {
            Some("v1") => Self::V1,
            Some("v2") => Self::V2,
            _ => Self::Latest,
        }
    }

    /// What paths of this version begin with; links echo it.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Latest => "/api/now",
            Self::V1 => "/api/now/v1",
            Self::V2 => "/api/now/v2",
        }
    }
}

impl Call {
    /// Reads a request to its end; `None` when the client gave up on the way.
    pub(crate) async fn read(request: Request, scheme: &str) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let (body, oversized) = read_body(body).await?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let path = parts.uri.path().to_owned();
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let query_text = parts.uri.query().unwrap_or_default().to_owned();
        Some(Self {
            method: effective_method(&parts.method, &parts.headers),
            sent_method: parts.method,
            version: Version::of(&segments),
            segments,
            path,
            query: url::form_urlencoded::parse(query_text.as_bytes()).into_owned().collect(),
            query_text,
            origin: format!("{scheme}://{}", host.unwrap_or("localhost")),
            headers: parts.headers,
            body,
            oversized,
            twist: Twist::default(),
        })
    }

    /// A query parameter's value; of several the first.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter is `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The table that the path names, if it is one of the Table or Aggregate API.
    pub(crate) fn table(&self) -> Option<&str> {
        let at = if self.version == Version::Latest { 2 } else { 3 };
        let api = self.segments.get(at).map(String::as_str);
        let is_api = self.path.starts_with("/api/now/") && matches!(api, Some("table" | "stats"));
        self.segments.get(at + 1).filter(|_| is_api).map(String::as_str)
    }

    /// The body as a record: a JSON object, of an array the first; nothing means no fields.
    pub(crate) fn record(&self) -> Result<Map<String, Value>, Answer> {
        let content_type = self.header("content-type").unwrap_or("application/json");
        if !content_type.to_ascii_lowercase().contains("json") {
            return Err(failure::unsupported_media_type(content_type));
        }
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(Value::Array(records)) => match records.into_iter().next() {
                Some(Value::Object(fields)) => Ok(fields),
                None => Ok(Map::new()),
                Some(_) => Err(failure::unreadable_body()),
            },
            _ => Err(failure::unreadable_body()),
        }
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn effective_method(sent: &Method, headers: &HeaderMap) -> Method {
    let wanted = headers.get("x-http-method-override").map(axum::http::HeaderValue::as_bytes);
    match wanted.map(|name| Method::from_bytes(&name.to_ascii_uppercase())) {
        Some(Ok(method)) if sent == Method::POST => method,
        _ => sent.clone(),
    }
}

/// The body, or how large it was. Reads no more than it must keep or politely skip.
async fn read_body(body: Body) -> Option<(Bytes, Option<u64>)> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut total) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        total += chunk.len();
        if total <= MAX_BODY_BYTES {
            kept.extend_from_slice(&chunk);
        } else {
            kept = Vec::new();
        }
        if total > MAX_DRAINED_BYTES {
            break;
        }
    }
    let oversized = (total > MAX_BODY_BYTES).then(|| u64::try_from(total).unwrap_or(u64::MAX));
    Some((kept.into(), oversized))
}
