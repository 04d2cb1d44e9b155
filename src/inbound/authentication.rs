//! Who calls.
//!
//! Policy: what a request presents first decides, in the order `Authorization`, API key,
//! signature; a wrong one is not made good by another. Every comparison of secrets takes
//! the same time for right and wrong, and every credential of a kind is compared, so that
//! time tells nothing about names. Secrets are looked up again now and then: files may be
//! replaced while the endpoint runs.

mod api_key;
mod basic;
mod bearer;
mod door;
mod hmac;
mod jwt;

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    config::Config,
    credentials::{Keyring, Known, Proof},
    jwks::KeySets,
    limits::Allowance,
    problem::Problem,
    scopes::Scopes,
};
use crate::ports::{Clock, SecretProvider};

pub(crate) use basic::decode as decode_basic;
pub use door::Door;
pub(crate) use jwt::{Jwk, jwks};

/// Somebody whom we know.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: Arc<str>,
    pub(crate) allow: Arc<Scopes>,
    pub(crate) allowance: Arc<Allowance>,
    pub(crate) signed: Signed,
}

/// What the caller's proof covers beside who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    /// Nothing: the connection vouches for the whole request.
    Nothing,
    /// The body alone.
    Body,
    /// The body and this id.
    BodyAndId(String),
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denied(pub(crate) String);

/// How far the headers alone lead.
#[derive(Debug)]
pub(crate) enum ByHeaders {
    Known(Caller),
    /// The signature covers the body.
    NeedsBody,
}

/// Knows who may call.
#[derive(Debug)]
pub(crate) struct Authenticator {
    config: Arc<Config>,
    secrets: Arc<dyn SecretProvider>,
    clock: Arc<dyn Clock>,
    key_sets: KeySets,
    allowances: Vec<Arc<Allowance>>,
    anonymous: Caller,
    keyring: RwLock<Arc<Keyring>>,
}

impl Authenticator {
    /// With the secrets in place; else everything that is wrong with them.
    pub(crate) fn new(
        config: Arc<Config>,
        secrets: Arc<dyn SecretProvider>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Vec<String>> {
        let rate = |own: Option<u32>| Arc::new(Allowance::new(own.unwrap_or(config.limits.rate)));
        let allowances: Vec<_> = config.credentials.iter().map(|known| rate(known.rate)).collect();
        let keyring = Keyring::resolve(&config.credentials, &config.token, &allowances, &*secrets);
        let (keyring, key_sets) = match (keyring, KeySets::new(&config.credentials)) {
            (Ok(keyring), Ok(key_sets)) => (keyring, key_sets),
            (keyring, key_sets) => {
                let mut mistakes = keyring.err().unwrap_or_default();
                mistakes.extend(key_sets.err());
                return Err(mistakes);
            }
        };
        let anonymous = Caller {
            name: "anonymous".into(),
            allow: Arc::new(Scopes::everything()),
            allowance: rate(None),
            signed: Signed::Nothing,
        };
        let keyring = RwLock::new(Arc::new(keyring));
        Ok(Self { config, secrets, clock, key_sets, allowances, anonymous, keyring })
    }

    /// Looks the secrets up again. The old ones stay when that fails.
    pub(crate) fn renew(&self) {
        let (credentials, token) = (&self.config.credentials, &self.config.token);
        match Keyring::resolve(credentials, token, &self.allowances, &*self.secrets) {
            Ok(keyring) => {
                *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
            }
            Err(errors) => {
                let error = errors.join("; ");
                tracing::warn!(error, "secrets of the inbound endpoint stay as they are");
            }
        }
    }

    /// The callers with their secrets.
    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a header carries somebody's API key.
    pub(crate) fn is_key_header(&self, name: &str) -> bool {
        let proofs = self.config.credentials.iter().map(|credential| &credential.proof);
        let mut headers = proofs.filter_map(|proof| match proof {
            Proof::ApiKey { header, .. } => Some(header),
            _ => None,
        });
        headers.any(|header| header == name)
    }

    /// Who sends these headers.
    pub(crate) async fn by_headers(&self, headers: &HeaderMap) -> Result<ByHeaders, Denied> {
        if self.config.open {
            return Ok(ByHeaders::Known(self.anonymous.clone()));
        }
        let keyring = self.keyring();
        if let Some(text) = authorization(headers)? {
            let known = self.by_authorization(&keyring, text).await?;
            return Ok(ByHeaders::Known(Caller::of(known, Signed::Nothing)));
        }
        if let Some(outcome) = api_key::check(&keyring, headers) {
            return outcome.map(|known| ByHeaders::Known(Caller::of(known, Signed::Nothing)));
        }
        if hmac::is_presented(&keyring, headers) {
            return Ok(ByHeaders::NeedsBody);
        }
        Err(Denied("this request carries no credentials".to_owned()))
    }

    async fn by_authorization<'k>(
        &self,
        keyring: &'k Keyring,
        text: &str,
    ) -> Result<&'k Known, Denied> {
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            basic::check(keyring, rest.trim())
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let check = bearer::Check {
                keyring,
                audience: &self.config.token.audience,
                key_sets: &self.key_sets,
                now: self.clock.now(),
            };
            check.token(rest.trim()).await
        } else {
            Err(Denied("the scheme of Authorization is Basic or Bearer".to_owned()))
        }
    }

    /// Who signed this body.
    pub(crate) fn by_body(&self, headers: &HeaderMap, body: &[u8]) -> Result<Caller, Denied> {
        let keyring = self.keyring();
        let (known, signed) = hmac::check(&keyring, headers, body, self.clock.now())?;
        Ok(Caller::of(known, signed))
    }

    /// The answer to somebody who is not let in.
    pub(crate) fn refusal(&self, denied: &Denied) -> Problem {
        let status = axum::http::StatusCode::UNAUTHORIZED;
        let mut problem = Problem::new(status, "UNAUTHORIZED", &denied.0);
        for challenge in self.challenges() {
            problem = problem.header(header::WWW_AUTHENTICATE, challenge);
        }
        problem
    }

    /// One challenge for each kind of proof that is configured.
    fn challenges(&self) -> Vec<String> {
        let challenge = |proof: &Proof| match proof {
            Proof::Basic { .. } => "Basic realm=\"inbound\", charset=\"UTF-8\"".to_owned(),
            Proof::Client { .. } | Proof::Jwt(_) => "Bearer realm=\"inbound\"".to_owned(),
            Proof::ApiKey { header, .. } => {
                format!("ApiKey realm=\"inbound\", header=\"{header}\"")
            }
            Proof::Hmac(signature) => {
                format!("Signature realm=\"inbound\", header=\"{}\"", signature.header)
            }
        };
        let proofs = self.config.credentials.iter().map(|credential| &credential.proof);
        let mut challenges: Vec<_> = proofs.map(challenge).collect();
        challenges.sort();
        challenges.dedup();
        challenges
    }
}

impl Caller {
    fn of(known: &Known, signed: Signed) -> Self {
        Self {
            name: Arc::clone(&known.name),
            allow: Arc::clone(&known.allow),
            allowance: Arc::clone(&known.allowance),
            signed,
        }
    }
}

/// The one value of `Authorization`; official clients send an empty one where they have
/// nothing to say.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Denied("there is more than one Authorization header".to_owned()));
    }
    let text = value.to_str().map_err(|_| Denied("Authorization cannot be read".to_owned()))?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

/// Compares two secrets in a time that depends on neither.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    Sha256::digest(a).as_slice().ct_eq(Sha256::digest(b).as_slice()).into()
}

#[cfg(test)]
mod tests;
