//! By what a repeated request is recognized.
//!
//! A key comes from a header or from a place in the body. Where the caller's proof covers
//! the body only, a header could be changed by whoever replays the request: there the key is
//! taken from what is signed. Keys of two credentials never meet.

use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::{
    answer::Answer,
    authentication::{Caller, Signed},
    expression::{Picker, Scope},
    memory::{Digest, Memory, Recall},
    problem::Problem,
};

/// Longest key.
const MAX_KEY: usize = 200;
/// Longest identity: message and business ids take 256 characters everywhere.
const MAX_IDENTITY: usize = 200;

/// A caller's key, and what makes it unique at the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// As the caller wrote it.
    pub(crate) text: String,
    /// Unique over credentials and operations: message id and business id.
    pub(crate) identity: String,
}

/// Where a key may be.
#[derive(Debug)]
pub(crate) struct Places<'p> {
    pub(crate) headers: &'p [String],
    pub(crate) body: Option<&'p Picker>,
    /// Whether the place in the body is looked at before the headers.
    pub(crate) body_first: bool,
    /// What the key is for: an operation or a route.
    pub(crate) purpose: &'p str,
}

impl Places<'_> {
    /// The key of a request. `scope` is over its body.
    pub(crate) fn key(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: &[u8],
        scope: impl FnOnce() -> Result<Scope, Problem>,
    ) -> Result<Option<Key>, Problem> {
        let in_body = || match self.body {
            None => Ok(None),
            Some(picker) => picker.pick_text(&scope()?).map_err(|error| {
                Problem::invalid("the idempotency key of the body").aside(format!(": {error}"))
            }),
        };
        let text = match &caller.signed {
            Signed::Nothing if self.body_first => match in_body()? {
                Some(text) => Some(text),
                None => in_headers(self.headers, headers)?,
            },
            Signed::Nothing => match in_headers(self.headers, headers)? {
                Some(text) => Some(text),
                None => in_body()?,
            },
            Signed::BodyAndId(id) => Some(in_body()?.unwrap_or_else(|| id.clone())),
            Signed::Body => Some(in_body()?.unwrap_or_else(|| hex(&digest(body)))),
        };
        text.map(|text| Key::new(&caller.name, self.purpose, text)).transpose()
    }
}

impl Key {
    fn new(credential: &str, purpose: &str, text: String) -> Result<Self, Problem> {
        if text.chars().count() > MAX_KEY {
            return Err(Problem::invalid(format!(
                "the idempotency key is longer than {MAX_KEY} characters"
            )));
        }
        let plain = format!("{credential}:{purpose}:{text}");
        let identity = if plain.len() <= MAX_IDENTITY && plain.is_ascii() {
            plain
        } else {
            format!("sha256:{}", hex(&digest(plain.as_bytes())))
        };
        Ok(Self { text, identity })
    }
}

fn in_headers(names: &[String], headers: &HeaderMap) -> Result<Option<String>, Problem> {
    for name in names {
        let mut values = headers.get_all(name.as_str()).iter();
        let Some(value) = values.next() else { continue };
        if values.next().is_some() {
            return Err(Problem::invalid(format!("header {name} is there twice")));
        }
        let text = value.to_str().ok().map(unquoted).filter(|text| !text.is_empty());
        return text.map(|text| Some(text.to_owned())).ok_or_else(|| {
            Problem::invalid(format!("header {name} is empty or has characters beyond ASCII"))
        });
    }
    Ok(None)
}

/// The draft standard writes the key in quotes; hardly anybody does.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// SHA-256 of a payload.
pub(crate) fn digest(payload: &[u8]) -> Digest {
    Sha256::digest(payload).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// Runs a request that may be a repetition. `run` is told whether it is known to be one.
pub(crate) async fn once(
    memory: &Memory,
    key: Option<&Key>,
    payload: Digest,
    run: impl AsyncFnOnce(bool) -> Result<Answer, Problem>,
) -> Result<Answer, Problem> {
    let Some(Key { identity, .. }) = key else { return run(false).await };
    let repeated = match memory.recall(identity, &payload) {
        Recall::Unknown => false,
        Recall::Repeated(None) => true,
        Recall::Repeated(Some(answer)) => return Ok(answer.replayed()),
        Recall::Conflicting => {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Unprocessable Content",
                "this idempotency key was used for another payload: take a new key for each \
                 event, and the same one only to send the same again",
            ));
        }
    };
    let outcome = run(repeated).await;
    match &outcome {
        Ok(answer) => memory.keep(identity, payload, Some(answer)),
        // It may have been done: only the same request may follow under this key.
        Err(problem) if problem.outcome_unknown => memory.keep(identity, payload, None),
        Err(_) => {}
    }
    outcome
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_taken_with_and_without_quotes_and_only_once() {
        let names = ["idempotency-key".to_owned(), "webhook-id".to_owned()];
        let mut headers = HeaderMap::new();
        assert_eq!(in_headers(&names, &headers).unwrap(), None);
        headers.insert("webhook-id", HeaderValue::from_static("w"));
        assert_eq!(in_headers(&names, &headers).unwrap().as_deref(), Some("w"));
        headers.insert("idempotency-key", HeaderValue::from_static("\"a b\""));
        assert_eq!(in_headers(&names, &headers).unwrap().as_deref(), Some("a b"));
        headers.append("idempotency-key", HeaderValue::from_static("c"));
        assert!(in_headers(&names, &headers).unwrap_err().detail.contains("twice"));
    }

    #[test]
    fn keys_of_two_credentials_or_purposes_differ_and_long_ones_are_hashed() {
        let key = |credential, purpose, text: &str| {
            Key::new(credential, purpose, text.to_owned()).unwrap().identity
        };
        assert_eq!(key("flows", "publish", "INC1:3"), "flows:publish:INC1:3");
        assert_ne!(key("a", "publish", "k"), key("b", "publish", "k"));
        let long = key("a", "publish", &"x".repeat(199));
        assert!(long.starts_with("sha256:") && long.len() <= MAX_IDENTITY, "{long}");
        assert!(Key::new("a", "p", "x".repeat(201)).is_err());
    }
}
