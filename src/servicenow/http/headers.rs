//! Headers of both directions.
//!
//! A job may add headers, but none that changes who it is, where it goes, how it is
//! framed, or which verb it is (ServiceNow honours `X-HTTP-Method-Override`).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    outcome::cut,
    servicenow::{Authentication, NoAnswer, NoAnswerCause},
};

/// Headers that a job may not set, in lower case.
const RESERVED: [&str; 19] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-usertoken",
];

/// Spellings that upper-casing the first letters does not give.
const SPELLINGS: [&str; 8] = [
    "ETag",
    "WWW-Authenticate",
    "X-MFA_TOKEN",
    "X-RateLimit-Limit",
    "X-RateLimit-Reset",
    "X-RateLimit-Rule",
    "X-Transaction-ID",
    "X-XSS-Protection",
];

/// The headers that a job adds, checked.
pub(super) fn added(
    headers: &[(String, String)],
    authentication: &Authentication,
) -> Result<HeaderMap, NoAnswer> {
    let mut added = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        let shown = cut(name, 80);
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            refused(&format!("'{shown}' is no header name: use letters, digits and dashes"))
        })?;
        if is_reserved(&key, authentication) {
            return Err(refused(&format!(
                "the header '{shown}' belongs to the connection: leave it out of the headers"
            )));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            refused(&format!(
                "the value of the header '{shown}' has a line break or another control \
                 character: remove it"
            ))
        })?;
        // It may hold a secret.
        value.set_sensitive(true);
        added.append(key, value);
    }
    Ok(added)
}

fn is_reserved(name: &HeaderName, authentication: &Authentication) -> bool {
    let carries_key = match authentication {
        Authentication::ApiKey { header, .. } => name.as_str().eq_ignore_ascii_case(header),
        _ => false,
    };
    // `x_http_method_override` means the same to servers that map dashes to underscores.
    let dashed = name.as_str().replace('_', "-");
    carries_key || RESERVED.contains(&dashed.as_str())
}

/// An answer's headers with canonical names, without the session that came with them.
pub(super) fn received(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| *name != header::SET_COOKIE)
        .map(|(name, value)| {
            (canonical(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// `x-total-count` as `X-Total-Count`.
fn canonical(name: &str) -> String {
    if let Some(spelling) = SPELLINGS.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return (*spelling).to_owned();
    }
    let mut word_starts = true;
    let upper = |letter: char| {
        let written = if word_starts { letter.to_ascii_uppercase() } else { letter };
        word_starts = letter == '-';
        written
    };
    name.chars().map(upper).collect()
}

fn refused(message: &str) -> NoAnswer {
    NoAnswer { cause: NoAnswerCause::Invalid, may_have_acted: false, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Authentication, HeaderMap, HeaderName, HeaderValue, added, canonical, received};

    fn api_key() -> Authentication {
        Authentication::ApiKey { header: "X-SN-ApiKey".to_owned(), key: "k".into() }
    }

    fn add(name: &str, value: &str) -> Result<HeaderMap, String> {
        added(&[(name.to_owned(), value.to_owned())], &api_key()).map_err(|e| e.message)
    }

    #[test]
    fn headers_of_the_connection_cannot_be_set_in_any_spelling() {
        for name in [
            "Authorization",
            "HOST",
            "cookie",
            "Content-Length",
            "transfer-encoding",
            "X-HTTP-Method-Override",
            "X_HTTP_METHOD_OVERRIDE",
            "X-UserToken",
            "Connection",
            "x-sn-apikey",
        ] {
            let message = add(name, "x").unwrap_err();
            assert!(message.contains(&format!("'{name}'")), "{message}");
            assert!(message.contains("leave it out"), "{message}");
        }
    }

    #[test]
    fn names_and_values_that_would_break_the_framing_are_refused() {
        for name in ["", "a b", "a:b", "a\r\nb", "ä"] {
            assert!(add(name, "x").unwrap_err().contains("is no header name"), "{name}");
        }
        for value in ["a\r\nX-Evil: 1", "a\nb", "a\0b"] {
            let message = add("X-Trace", value).unwrap_err();
            assert!(message.contains("'X-Trace'") && !message.contains("Evil"), "{message}");
        }
    }

    #[test]
    fn other_headers_are_taken_and_repeated_ones_kept() {
        let pairs = ["1", "2"].map(|value| ("X-Trace".to_owned(), value.to_owned()));
        let added = added(&pairs, &api_key()).unwrap();
        assert_eq!(added.get_all("x-trace").iter().collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn names_come_back_in_the_spelling_that_expressions_use() {
        for (sent, name) in [
            ("content-type", "Content-Type"),
            ("x-total-count", "X-Total-Count"),
            ("location", "Location"),
            ("www-authenticate", "WWW-Authenticate"),
            ("etag", "ETag"),
            ("x-ratelimit-reset", "X-RateLimit-Reset"),
            ("x-is-logged-in", "X-Is-Logged-In"),
            ("x-mfa_token", "X-MFA_TOKEN"),
        ] {
            assert_eq!(canonical(sent), name);
        }
    }

    #[test]
    fn several_values_stay_several_and_sessions_stay_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("link", "<a>"), ("set-cookie", "JSESSIONID=1"), ("link", "<b>")] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let link = |value: &str| ("Link".to_owned(), value.to_owned());
        assert_eq!(received(&headers), [link("<a>"), link("<b>")]);
    }
}
