//! One call, and what came of it.

use std::{error::Error as _, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use url::Url;

use super::{Authentication, Config, message::Message, sign, token};
use crate::{ports::Clock, sandbox::error::Error};

/// How much of an answer is read; the status is enough to go by.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Calls URLs.
pub(super) struct Sender {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// An answer, as far as it is read.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// What came of a try.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// None when there was no answer.
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    pub(super) answer: String,
    pub(super) error: Option<String>,
}

impl Tried {
    pub(super) fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Sender {
    pub(super) fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(config)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_proxy()
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .build()
            .map_err(|error| Error::Tls(error.to_string()))?;
        Ok(Self { client, clock })
    }

    /// Sends the message once; twice when a kept token is refused with a 401.
    pub(super) async fn try_once(&self, message: &Message) -> Tried {
        match self.deliver(message).await {
            Ok(answer) => Tried {
                status: Some(answer.status),
                retry_after: answer.retry_after,
                answer: String::from_utf8_lossy(&answer.body).into_owned(),
                error: None,
            },
            Err(error) => Tried::failed(error),
        }
    }

    async fn deliver(&self, message: &Message) -> Result<Answered, String> {
        let rule = &message.installed.rule;
        let grant = &rule.authentication;
        if !matches!(grant, Authentication::ClientCredentials { .. }) {
            return self.send(message, self.proof(message)?).await;
        }
        let slot = &message.installed.token;
        let token = slot.get(self, grant, None).await?;
        let first = self.send(message, vec![bearer(&token)?]).await?;
        if first.status != StatusCode::UNAUTHORIZED.as_u16() {
            return Ok(first);
        }
        match slot.get(self, grant, Some(&token)).await? {
            same if same == token => Ok(first),
            renewed => self.send(message, vec![bearer(&renewed)?]).await,
        }
    }

    /// The headers that prove the sender and need no call.
    fn proof(&self, message: &Message) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let named = |name: &str, value: &str| -> Result<_, String> {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            Ok((name, HeaderValue::from_str(value).map_err(|e| e.to_string())?))
        };
        let headers = match &message.installed.rule.authentication {
            Authentication::None | Authentication::ClientCredentials { .. } => Vec::new(),
            Authentication::Basic { user, password } => {
                vec![(header::AUTHORIZATION, token::basic(user, password.reveal())?)]
            }
            Authentication::Bearer { token } => vec![bearer(token.reveal())?],
            Authentication::ApiKey { header, key } => vec![named(header, key.reveal())?],
            Authentication::Hmac { header, key, encoding, prefix } => {
                let signature = sign::body(&sign::key(key.reveal())?, &message.body, *encoding);
                vec![named(header, &format!("{prefix}{signature}"))?]
            }
            Authentication::StandardWebhooks { secret } => {
                let (key, now) = (sign::webhook_key(secret.reveal())?, self.clock.now());
                let signature = sign::webhook(&key, &message.key, now.as_second(), &message.body);
                vec![
                    named("webhook-id", &message.key)?,
                    named("webhook-timestamp", &now.as_second().to_string())?,
                    named("webhook-signature", &signature)?,
                ]
            }
        };
        Ok(headers)
    }

    async fn send(
        &self,
        message: &Message,
        proof: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Answered, String> {
        let mut headers = message.headers.clone();
        headers.extend(proof.into_iter().map(|(name, value)| (Some(name), value)));
        let (method, url) = (message.method.clone(), message.url.clone());
        self.call(method, url, headers, message.body.clone()).await
    }

    /// Posts a form that is written already.
    pub(super) async fn post_form(
        &self,
        url: &str,
        headers: HeaderMap,
        form: String,
    ) -> Result<Answered, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.call(Method::POST, url, headers, form.into()).await
    }

    async fn call(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answered, String> {
        let mut request = self.client.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(cause)?;
        let (status, retry_after) = (answer.status().as_u16(), retry_after(answer.headers()));
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER_BYTES {
            let Some(chunk) = answer.chunk().await.map_err(cause)? else { break };
            let room = MAX_ANSWER_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Answered { status, retry_after, body })
    }
}

fn bearer(token: &str) -> Result<(HeaderName, HeaderValue), String> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    Ok((header::AUTHORIZATION, value.map_err(|_| "the token is no ASCII text".to_owned())?))
}

/// Only the form in seconds; a date would need a common clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(Duration::from_hours(24)))
}

/// What happened and the innermost cause; the log has the URL already.
#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn cause(error: reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "no whole answer"
    };
    let mut innermost = None;
    let mut next = error.source();
    while let Some(source) = next {
        innermost = Some(source);
        next = source.source();
    }
    innermost.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

fn tls(config: &Config) -> Result<ClientConfig, Error> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::Tls(format!("certificates to trust: {error}"));
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = &config.trusted_pem {
        let publicly_trusted = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.len() == publicly_trusted {
            return Err(wrong(&"there is no certificate in it"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| wrong(&error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
