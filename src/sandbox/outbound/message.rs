//! What a rule sends about a change, made at the moment of the change.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{BusinessRule, change::Values, template, token::TokenSlot};

/// What a live instance calls itself.
const USER_AGENT: &str = "ServiceNow/1.0";

/// What needs no encoding in a URL wherever it stands.
const OPEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A rule in force, with the token it has.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) rule: BusinessRule,
    pub(super) token: TokenSlot,
}

/// A delivery's message: the same for each try, but for what proves the sender.
#[derive(Debug)]
pub(super) struct Message {
    /// Its entry in the log.
    pub(super) id: u64,
    pub(super) installed: Arc<Installed>,
    /// The delivery's own key, whether or not it goes out as a header.
    pub(super) key: String,
    /// The record; messages of one rule about one record keep their order.
    pub(super) sys_id: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Message {
    /// Fills the rule's templates in.
    pub(super) fn render(
        installed: &Arc<Installed>,
        values: &Values<'_>,
        max_body_bytes: usize,
    ) -> Result<Self, String> {
        let rule = &installed.rule;
        let of = |name: &str| values.of(name);
        let encoded = |name: &str| utf8_percent_encode(&values.of(name), OPEN).to_string();
        let url = template::fill(&rule.url, &encoded);
        let body = rule.body.as_ref().map(|body| template::fill_json(body, &of).to_string());
        let body = Bytes::from(body.unwrap_or_default());
        if body.len() > max_body_bytes {
            let bytes = body.len();
            return Err(format!("the body has {bytes} bytes: at most {max_body_bytes} may go out"));
        }
        Ok(Self {
            id: 0,
            installed: Arc::clone(installed),
            key: values.key.to_owned(),
            sys_id: values.change.new.sys_id().to_owned(),
            method: Method::from_bytes(rule.method.as_bytes()).map_err(|e| e.to_string())?,
            url: Url::parse(&url).map_err(|error| format!("'{url}' is no URL: {error}"))?,
            headers: headers(rule, &of, !body.is_empty())?,
            body,
        })
    }
}

fn headers(
    rule: &BusinessRule,
    of: &dyn Fn(&str) -> String,
    has_body: bool,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let key = template::fill(&rule.idempotency_key, of);
    if !key.is_empty() {
        headers.insert(HeaderName::from_static("idempotency-key"), value("idempotencyKey", &key)?);
    }
    for (name, text) in &rule.headers {
        let value = value(name, &template::fill(text, of))?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn value(name: &str, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text)
        .map_err(|_| format!("{name}: '{text}' cannot be sent as a header: use ASCII on one line"))
}
