//! Access tokens for the gateway: fetched once for all calls that wait, renewed ahead while
//! the old one still serves, and a refusal remembered for a while, since token endpoints
//! lock out those who keep asking.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use super::{Error, Oidc};
use crate::ports::{GatewayError, GatewayErrorKind};

/// How long a refusal of the endpoint counts.
const REFUSED_FOR: Duration = Duration::from_secs(30);
/// How long another failure counts.
const FAILED_FOR: Duration = Duration::from_secs(1);
/// Lifetime of a token whose answer names none.
const UNKNOWN_LIFETIME: Duration = Duration::from_mins(5);
/// Longest lifetime believed.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// A token and its place in the order of tokens.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: SecretString,
    pub(super) number: u64,
    renew_at: Instant,
    expires_at: Instant,
}

/// The tokens of one client.
#[derive(Debug)]
pub(super) struct Tokens {
    oidc: Oidc,
    client: reqwest::Client,
    latest: RwLock<Option<Token>>,
    fetching: Mutex<Fetching>,
}

/// Held by whoever fetches.
#[derive(Debug, Default)]
struct Fetching {
    fetched: u64,
    failure: Option<(Instant, GatewayError)>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    expires_in: Option<Value>,
}

impl Tokens {
    pub(super) fn new(oidc: Oidc, tls: rustls::ClientConfig) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| Error::TokenClient(error.to_string()))?;
        Ok(Self { oidc, client, latest: RwLock::default(), fetching: Mutex::default() })
    }

    /// A token that can be used now. While one is being renewed the old one serves; without
    /// a usable one all callers wait for the one that fetches.
    pub(super) async fn current(&self) -> Result<Token, GatewayError> {
        if let Some(token) = self.usable() {
            let due = Instant::now() >= token.renew_at;
            return match self.fetching.try_lock() {
                // A failure is in the log; the old token serves until it ends.
                Ok(mut fetching) if due && self.is_latest(&token) => {
                    Ok(self.fetch(&mut fetching).await.unwrap_or(token))
                }
                _ => Ok(token),
            };
        }
        let mut fetching = self.fetching.lock().await;
        match self.usable() {
            Some(token) => Ok(token),
            None => self.fetch(&mut fetching).await,
        }
    }

    /// The gateway refused token `number`: fetch another, unless somebody did already. Tells
    /// whether there is a different one now.
    pub(super) async fn renew(&self, number: u64) -> bool {
        let mut fetching = self.fetching.lock().await;
        let Some(refused) = self.latest() else { return false };
        if refused.number != number {
            return true;
        }
        let renewed = self.fetch(&mut fetching).await;
        renewed.is_ok_and(|token| token.text.expose_secret() != refused.text.expose_secret())
    }

    fn latest(&self) -> Option<Token> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// False when somebody has renewed it meanwhile.
    fn is_latest(&self, token: &Token) -> bool {
        self.latest().is_some_and(|latest| latest.number == token.number)
    }

    fn usable(&self) -> Option<Token> {
        self.latest().filter(|token| Instant::now() < token.expires_at)
    }

    async fn fetch(&self, fetching: &mut Fetching) -> Result<Token, GatewayError> {
        if let Some((until, error)) = &fetching.failure
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.ask().await {
            Ok(answer) => {
                fetching.failure = None;
                fetching.fetched += 1;
                let token = Token::new(answer, fetching.fetched);
                *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
                Ok(token)
            }
            Err((pause, error)) => {
                tracing::warn!(%error, "no token for the gateway");
                fetching.failure = Some((Instant::now() + pause, error.clone()));
                Err(error)
            }
        }
    }

    async fn ask(&self) -> Result<Answer, (Duration, GatewayError)> {
        let failed = |what: String| {
            let message = format!("token endpoint {}: {what}", self.oidc.token_url);
            (FAILED_FOR, GatewayError { kind: GatewayErrorKind::Unavailable, message })
        };
        let request = self
            .client
            .post(&self.oidc.token_url)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.form());
        let response = request.send().await.map_err(|error| failed(without_url(error)))?;
        let status = response.status();
        if status.is_client_error() {
            let message = format!(
                "token endpoint {} answered {status}: check client id, secret, audience and scope",
                self.oidc.token_url
            );
            let kind = GatewayErrorKind::Unauthenticated;
            return Err((REFUSED_FOR, GatewayError { kind, message }));
        }
        if !status.is_success() {
            return Err(failed(format!("answered {status}")));
        }
        let body = response.bytes().await.map_err(|error| failed(without_url(error)))?;
        serde_json::from_slice(&body).map_err(|_| failed("answered without a token".to_owned()))
    }

    fn form(&self) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.oidc.client_id)
            .append_pair("client_secret", self.oidc.client_secret.expose_secret());
        for (name, value) in [("audience", &self.oidc.audience), ("scope", &self.oidc.scope)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        form.finish()
    }
}

impl Token {
    fn new(answer: Answer, number: u64) -> Self {
        let lifetime = answer.lifetime();
        let ahead = Duration::from_mins(1).min(lifetime / 10);
        let now = Instant::now();
        Self {
            text: answer.access_token,
            number,
            renew_at: now + lifetime.saturating_sub(ahead),
            expires_at: now + lifetime,
        }
    }
}

impl Answer {
    /// How long the token serves. Some endpoints write the seconds as text; what makes no
    /// sense counts as not said.
    fn lifetime(&self) -> Duration {
        let seconds = match &self.expires_in {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        match seconds {
            Some(seconds) if seconds >= 1.0 => {
                Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64()))
            }
            _ => UNKNOWN_LIFETIME,
        }
    }
}

fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
