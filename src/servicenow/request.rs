//! A request to ServiceNow as a plain value.
#![deny(clippy::disallowed_types)]

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or starts something.
    Post,
    /// Replaces; the Table API treats it as PATCH.
    Put,
    /// Changes the supplied fields.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request. The host is not part of it: it comes from the endpoint, so that no input
/// can choose where credentials go.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path segments, not encoded; a slash inside one is encoded, never a separator.
    pub path: Vec<String>,
    /// Query parameters, not encoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers besides those of the client (`Accept`, `Content-Type`, authentication).
    pub headers: Vec<(String, String)>,
    /// JSON body.
    pub body: Option<Value>,
}

/// What stays as it is in a path segment or query text: `A-Za-z0-9-._~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Request {
    /// A request without query, headers or body.
    pub fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            method,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the JSON body.
    #[must_use]
    pub fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Path and query, percent-encoded, as they go on the wire.
    pub fn target(&self) -> String {
        let mut target = String::new();
        for segment in &self.path {
            target.push('/');
            target.extend(utf8_percent_encode(segment, ENCODED));
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(name, ENCODED));
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, Request};

    #[test]
    fn encodes_every_segment_and_parameter() {
        let request = Request::new(Method::Get, ["api", "now", "table", "a/../b"])
            .with_query("sysparm_query", "active=true^priority=1&x");
        assert_eq!(
            request.target(),
            "/api/now/table/a%2F..%2Fb?sysparm_query=active%3Dtrue%5Epriority%3D1%26x"
        );
    }
}
