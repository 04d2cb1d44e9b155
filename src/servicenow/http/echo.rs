//! Masks an access token that comes back in an answer.
//!
//! The other credentials are known to whoever builds the outcome, and masked there. The token
//! is known here alone.

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use memchr::memmem;

use crate::servicenow::{Reply, spellings};

const MASK: &str = "***";
/// Shorter ones are no tokens, and would shred every answer.
const MIN_LENGTH: usize = 8;

/// The reply without the token of this `Authorization` header.
pub(super) fn masked(reply: Reply, authorization: &HeaderValue) -> Reply {
    let mut response = reply?;
    let text = authorization.to_str().unwrap_or_default();
    let token = text.strip_prefix("Bearer ").unwrap_or_default();
    if token.len() < MIN_LENGTH {
        return Ok(response);
    }
    for form in longest_first(spellings::of(token)) {
        response.body = without(response.body, form.as_bytes());
        for (_, value) in &mut response.headers {
            if value.contains(&form) {
                *value = value.replace(&form, MASK);
            }
        }
    }
    Ok(response)
}

/// So that no part of a longer one stays.
fn longest_first(mut forms: Vec<String>) -> Vec<String> {
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

fn without(body: Bytes, form: &[u8]) -> Bytes {
    let finder = memmem::Finder::new(form);
    let mut ends = finder.find_iter(&body).peekable();
    if ends.peek().is_none() {
        return body;
    }
    let mut masked = BytesMut::with_capacity(body.len());
    let mut from = 0;
    for at in ends {
        masked.extend_from_slice(&body[from..at]);
        masked.extend_from_slice(MASK.as_bytes());
        from = at + form.len();
    }
    masked.extend_from_slice(&body[from..]);
    masked.freeze()
}

#[cfg(test)]
mod tests {
    use super::{HeaderValue, masked};
    use crate::servicenow::Response;

    fn reply(header: &str, body: &str) -> Response {
        let headers = vec![("X-Said".to_owned(), header.to_owned())];
        Response { status: 400, headers, body: body.to_owned().into() }
    }

    #[test]
    fn the_token_is_masked_in_body_and_headers_however_often_it_comes() {
        let authorization = HeaderValue::from_static("Bearer abcd-efgh-1");
        let echoed = reply(
            "got abcd-efgh-1",
            "abcd-efgh-1 and abcd-efgh-1abcd-efgh-1, abcd-efgh, YWJjZC1lZmdoLTE abcd%2Defgh%2D1",
        );
        let masked = masked(Ok(echoed), &authorization).unwrap();
        assert_eq!(masked.body, "*** and ******, abcd-efgh, *** ***");
        assert_eq!(masked.header("X-Said"), Some("got ***"));
    }

    #[test]
    fn an_answer_without_it_stays_as_it_is() {
        for authorization in ["Bearer abcd-efgh-1", "Bearer x", "Bearer "] {
            let authorization = HeaderValue::from_static(authorization);
            let same = masked(Ok(reply("x", "xyz")), &authorization).unwrap();
            assert_eq!((&same.body[..], same.header("X-Said")), (&b"xyz"[..], Some("x")));
        }
    }
}
