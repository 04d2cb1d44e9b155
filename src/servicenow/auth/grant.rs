//! An OAuth grant: what is sent to the token endpoint, and how its answer is read.

use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded::Serializer;

use super::bearer;
use crate::{
    outcome::cut,
    servicenow::{Instance, NoAnswer, NoAnswerCause, Response, endpoint::OauthClient},
};

/// Path of ServiceNow's token endpoint.
pub(in crate::servicenow) const TOKEN_PATH: &str = "/oauth_token.do";

/// How long a token is good for when the endpoint does not say.
const UNSAID_LIFETIME: Duration = Duration::from_mins(5);

/// The longest lifetime that is believed.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// Longest error text taken over from the endpoint, in characters.
const MAX_TEXT: usize = 300;

/// Client credentials, or with a user the password grant.
#[derive(Clone, Copy)]
pub(in crate::servicenow) struct Grant<'a> {
    pub(super) client: &'a OauthClient,
    pub(super) user: Option<(&'a str, &'a SecretString)>,
}

/// Instance, client, grant, user and a fingerprint of the secrets, as one hash: equal for
/// equal credentials only, so a changed password never meets the old one's token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::servicenow) struct TokenKey([u8; 32]);

/// An access token as the header that carries it.
#[derive(Clone, Debug)]
pub(in crate::servicenow) struct AccessToken {
    /// The value of `Authorization`, marked sensitive.
    pub(in crate::servicenow) header: HeaderValue,
    /// How long it is good for, counted from before the request for it.
    pub(in crate::servicenow) lifetime: Duration,
}

impl Grant<'_> {
    /// What the token is kept under.
    pub(in crate::servicenow) fn key(&self, instance: &Instance) -> TokenKey {
        let (username, password) = self.user.map_or(("", ""), |(u, p)| (u, p.expose_secret()));
        let parts = [
            instance.base_url(),
            self.kind(),
            &self.client.client_id,
            self.client.client_secret.expose_secret(),
            self.client.scope.as_deref().unwrap_or_default(),
            username,
            password,
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        TokenKey(hash.finalize().into())
    }

    /// The form that asks for a token.
    pub(in crate::servicenow) fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", self.kind());
        form.append_pair("client_id", &self.client.client_id);
        form.append_pair("client_secret", self.client.client_secret.expose_secret());
        if let Some((username, password)) = self.user {
            form.append_pair("username", username);
            form.append_pair("password", password.expose_secret());
        }
        if let Some(scope) = &self.client.scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }

    fn kind(&self) -> &'static str {
        if self.user.is_some() { "password" } else { "client_credentials" }
    }

    /// Reads the endpoint's answer.
    pub(in crate::servicenow) fn read(&self, answer: &Response) -> Result<AccessToken, NoAnswer> {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match (answer.status, &body) {
            (200, Some(body)) => self.token(body),
            (408 | 425 | 429, _) => Err(unavailable(&format!("HTTP {}", answer.status))),
            (400 | 401, _) | (400..=499, Some(_)) => {
                Err(self.refusal(answer.status, body.as_ref()))
            }
            (status, _) => Err(unavailable(&described(status, answer))),
        }
    }

    fn token(&self, body: &Value) -> Result<AccessToken, NoAnswer> {
        let Some(token) = body.get("access_token").and_then(Value::as_str) else {
            // Some instances report their refusal with status 200.
            return Err(if body.get("error").is_some() {
                self.refusal(200, Some(body))
            } else {
                unavailable("an answer without access_token")
            });
        };
        let seconds = match body.get("expires_in") {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let header = bearer(token).filter(|_| !token.is_empty());
        Ok(AccessToken {
            header: header.ok_or_else(|| unavailable("a token that a header cannot carry"))?,
            lifetime: seconds.map_or(UNSAID_LIFETIME, Duration::from_secs).min(MAX_LIFETIME),
        })
    }

    fn refusal(&self, status: u16, body: Option<&Value>) -> NoAnswer {
        let text = |key| body.and_then(|body| body.get(key)).and_then(Value::as_str);
        let said: Vec<_> =
            [text("error"), text("error_description")].into_iter().flatten().collect();
        let said = match self.without_secrets(&said.join(", ")) {
            said if said.is_empty() => String::new(),
            said => format!(" ({})", cut(&said, MAX_TEXT)),
        };
        let remedy = match self.user {
            Some(_) => "check client id, client secret, user and password",
            None => {
                "check client id and client secret, and that the instance allows the \
                 client credentials grant"
            }
        };
        NoAnswer {
            cause: NoAnswerCause::TokenRefused,
            may_have_acted: false,
            message: format!("{TOKEN_PATH} gave no token: HTTP {status}{said}; {remedy}"),
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        let password = self.user.map(|(_, password)| password);
        let secrets = [Some(&self.client.client_secret), password].into_iter().flatten();
        secrets
            .map(ExposeSecret::expose_secret)
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The endpoint did not answer usefully.
pub(in crate::servicenow) fn unavailable(what: &str) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::TokenUnavailable,
        may_have_acted: false,
        message: format!("{TOKEN_PATH} gave no token: {what}"),
    }
}

fn described(status: u16, answer: &Response) -> String {
    let kind = answer.header("Content-Type").unwrap_or("no content type");
    let hint = if kind.starts_with("text/html") {
        "; a page where a token was due means that the instance sleeps or is being upgraded"
    } else {
        ""
    };
    format!("HTTP {status} with {}{hint}", cut(kind, 80))
}

#[cfg(test)]
mod tests;
