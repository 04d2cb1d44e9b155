//! An answer as a plain value, and how it goes out: with the headers of a live instance,
//! and chunked, without a content length.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde_json::Value;

/// Status, headers of its own and a body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) content: Content,
}

/// An answer's body.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    Html(String),
}

impl Answer {
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), content: Content::Nothing }
    }

    pub(crate) fn html(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), content: Content::Html(body.into()) }
    }

    /// The same with a further header.
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body's bytes.
    pub(crate) fn bytes(&self) -> Bytes {
        match &self.content {
            Content::Nothing => Bytes::new(),
            Content::Json(value) => value.to_string().into(),
            Content::Html(text) => text.clone().into(),
        }
    }

    /// Everything but the body. `opens_session` adds the cookies of a new session.
    pub(crate) fn head(&self, opens_session: bool) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        live_headers(headers);
        if opens_session {
            session_cookies(headers);
        }
        match self.content {
            Content::Nothing => None,
            Content::Json(_) => headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json;charset=UTF-8"),
            ),
            Content::Html(_) => headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html;charset=UTF-8")),
        };
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        response
    }

    /// The whole response.
    pub(crate) fn into_response(self, opens_session: bool) -> Response<Body> {
        let mut response = self.head(opens_session);
        let bytes = self.bytes();
        if !bytes.is_empty() {
            *response.body_mut() = chunked(bytes);
        }
        response
    }
}

/// A body of unknown length, as a live instance sends it.
fn chunked(bytes: Bytes) -> Body {
    Body::from_stream(futures_util::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]))
}

fn live_headers(headers: &mut HeaderMap) {
    const FIXED: [(&str, &str); 9] = [
        ("server", "ServiceNow"),
        ("keep-alive", "timeout=20"),
        ("x-is-logged-in", "true"),
        ("server-timing", "sem_wait;dur=0, sesh_wait;dur=0"),
        ("cache-control", "no-cache,no-store,must-revalidate,max-age=-1"),
        ("pragma", "no-store,no-cache"),
        ("expires", "0"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let transaction = format!("{:012x}", fastrand::u64(..1 << 48));
    if let Ok(value) = HeaderValue::from_str(&transaction) {
        headers.insert(HeaderName::from_static("x-transaction-id"), value);
    }
}

fn session_cookies(headers: &mut HeaderMap) {
    let id = || format!("{:032X}", fastrand::u128(..));
    let route = format!("{:032x}", fastrand::u128(..));
    for cookie in [
        format!("JSESSIONID={}; Path=/; HttpOnly;Secure", id()),
        "glide_user=; Max-Age=0; Path=/; HttpOnly;Secure".to_owned(),
        "glide_user_session=; Max-Age=0; Path=/; HttpOnly;Secure".to_owned(),
        format!("glide_user_route=glide.{route}; Max-Age=2147483647; Path=/; HttpOnly;Secure"),
        format!("glide_session_store={}; Max-Age=1800; Path=/; HttpOnly;Secure", id()),
        "BIGipServerpool_sandbox=16777343.36895.0000; path=/; Httponly; Secure".to_owned(),
    ] {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}
