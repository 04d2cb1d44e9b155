//! Who a call is from: credentials turned into the one header that carries them.
//!
//! Policy (ServiceNow: "OAuth API request parameters", "Configure API key", RFC 7617):
//!
//! - Basic, bearer and API key need nothing but the endpoint's own words.
//! - The OAuth grants fetch an access token from `<instance>/oauth_token.do`. It is kept
//!   in memory, one fetch at a time; `auth/cache.rs` says when it is renewed. ServiceNow
//!   hands out the *same* token while it is valid, and answers a wrong client, a wrong
//!   user and a switched-off grant alike with 401.
//! - A token endpoint that says no is a refusal; one that is down, busy, or answers with
//!   a page in place of JSON (a hibernating instance) is merely unavailable.
//! - Nothing here prints a secret: header values are marked sensitive, and the endpoint's
//!   own error text is cleared of the secrets that were sent.

pub(in crate::servicenow) mod cache;
pub(in crate::servicenow) mod grant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::ExposeSecret;

use super::{Authentication, NoAnswer, NoAnswerCause};

use grant::Grant;

/// What a call needs to prove who it is from.
pub(super) enum Proof<'a> {
    /// This header.
    Header(HeaderName, HeaderValue),
    /// An access token, got by this grant.
    Token(Grant<'a>),
}

impl<'a> Proof<'a> {
    /// The proof for these credentials; an error when they cannot stand in a header.
    pub(super) fn of(authentication: &'a Authentication) -> Result<Self, NoAnswer> {
        match authentication {
            Authentication::Basic { username, password } => {
                basic(username, password.expose_secret())
            }
            Authentication::Bearer { token } => Ok(Self::Header(
                AUTHORIZATION,
                bearer(token.expose_secret()).ok_or_else(|| illegal("the bearer token"))?,
            )),
            Authentication::ApiKey { header, key } => Ok(Self::Header(
                HeaderName::from_bytes(header.as_bytes())
                    .map_err(|_| illegal("the name of the API key's header"))?,
                sensitive(key.expose_secret()).ok_or_else(|| illegal("the API key"))?,
            )),
            Authentication::OauthClientCredentials(client) => {
                Ok(Self::Token(Grant { client, user: None }))
            }
            Authentication::OauthPassword { client, username, password } => {
                Ok(Self::Token(Grant { client, user: Some((username, password)) }))
            }
        }
    }
}

fn basic(username: &str, password: &str) -> Result<Proof<'static>, NoAnswer> {
    // The first colon ends the user name, so one inside it would move the border.
    if username.contains(':') {
        return Err(unusable("the user name has a colon, which basic authentication cannot carry"));
    }
    let pair = STANDARD.encode(format!("{username}:{password}"));
    let value = sensitive(&format!("Basic {pair}")).ok_or_else(|| illegal("the user name"))?;
    Ok(Proof::Header(AUTHORIZATION, value))
}

/// `Bearer` with this token; `None` when the token cannot stand in a header.
fn bearer(token: &str) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

/// A header value that does not print.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn illegal(what: &str) -> NoAnswer {
    unusable(&format!(
        "{what} has characters that a header cannot carry: look for a line break or blank in it"
    ))
}

fn unusable(message: &str) -> NoAnswer {
    NoAnswer { cause: NoAnswerCause::Invalid, may_have_acted: false, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::{Authentication, HeaderValue, NoAnswerCause, Proof};

    fn header(authentication: &Authentication) -> (String, HeaderValue) {
        match Proof::of(authentication).unwrap() {
            Proof::Header(name, value) => (name.to_string(), value),
            Proof::Token(_) => panic!("no header"),
        }
    }

    #[test]
    fn each_kind_of_credentials_has_its_header() {
        let secret = || SecretString::from("geheim");
        let basic = Authentication::Basic { username: "wörker".to_owned(), password: secret() };
        let key = Authentication::ApiKey { header: "x-sn-apikey".to_owned(), key: secret() };
        let bearer = Authentication::Bearer { token: secret() };
        for (authentication, name, value) in [
            (basic, "authorization", "Basic d8O2cmtlcjpnZWhlaW0="),
            (bearer, "authorization", "Bearer geheim"),
            (key, "x-sn-apikey", "geheim"),
        ] {
            let header = header(&authentication);
            assert_eq!(header, (name.to_owned(), HeaderValue::from_static(value)));
            assert!(header.1.is_sensitive());
        }
    }

    #[test]
    fn credentials_that_a_header_cannot_carry_are_refused_without_showing_them() {
        let secret = || SecretString::from("geheim\r\nX: y");
        for authentication in [
            Authentication::Basic { username: "a:b".to_owned(), password: secret() },
            Authentication::Bearer { token: secret() },
            Authentication::ApiKey { header: "x-sn-apikey".to_owned(), key: secret() },
            Authentication::ApiKey { header: "x y".to_owned(), key: "k".into() },
        ] {
            let Err(error) = Proof::of(&authentication) else { panic!("{authentication:?}") };
            assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Invalid, false));
            assert!(!error.message.contains("geheim"), "{error}");
        }
    }
}
