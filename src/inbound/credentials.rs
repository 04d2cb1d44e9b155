//! Who may call: as configured, with names of secrets, and with the secrets in place.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};

use super::{
    config::Token,
    limits::Allowance,
    scopes::Scopes,
    token::{MIN_KEY_BYTES, MIN_SECRET_BYTES, SigningKey},
};
use crate::{
    connector::{Secrets, secret_names, with_secrets},
    ports::SecretProvider,
};

/// A caller as configured; values may hold `{{secrets.NAME}}`.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name in the audit log, and part of idempotency keys.
    pub name: String,
    /// How it proves itself.
    pub proof: Proof,
    /// What it may do.
    pub allow: Scopes,
    /// Requests a second, where they differ from the general limit.
    pub rate: Option<u32>,
}

/// How a caller proves itself.
#[derive(Clone, Debug)]
pub enum Proof {
    /// HTTP Basic.
    Basic {
        /// The user's name.
        username: String,
        /// The user's password.
        password: SecretString,
    },
    /// A key in a header.
    ApiKey {
        /// The header, in lower case.
        header: String,
        /// The keys that are valid now: several while one is replaced.
        keys: Vec<SecretString>,
    },
    /// Client credentials at our token endpoint, then its tokens.
    Client {
        /// The client's id.
        id: String,
        /// The client's secret.
        secret: SecretString,
    },
    /// Tokens of somebody else.
    Jwt(Issuer),
    /// A signature of the body.
    Hmac(Signature),
}

/// Somebody else whose tokens count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// `iss` of the tokens.
    pub issuer: String,
    /// `aud` of the tokens.
    pub audience: String,
    /// Where the keys are.
    pub jwks_url: String,
    /// PEM certificates to trust there in place of the public roots.
    pub ca_file: Option<PathBuf>,
    /// The algorithms that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// Claims that must have these values, for instance `azp`.
    pub claims: BTreeMap<String, String>,
}

/// Signature algorithms of foreign tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with SHA-256.
    Rs256,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// A signature of the body.
#[derive(Clone, Debug)]
pub struct Signature {
    /// What is signed and where the signature stands.
    pub style: Style,
    /// The header with the signature, in lower case.
    pub header: String,
    /// The keys that are valid now: several while one is replaced.
    pub keys: Vec<SecretString>,
    /// How far a time stamp may be from our clock.
    pub tolerance: Duration,
}

/// What is signed and where the signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Standard Webhooks: id, time stamp and body; `v1,<base64>`.
    Standard,
    /// GitHub's: the body alone; `sha256=<hex>`.
    Body,
}

/// A caller with its secrets in place.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: Arc<str>,
    pub(crate) proof: Proof,
    pub(crate) allow: Arc<Scopes>,
    /// Signs and checks the tokens of a client.
    pub(crate) signing: Option<SigningKey>,
    pub(crate) allowance: Arc<Allowance>,
}

/// All callers with their secrets in place.
#[derive(Debug, Default)]
pub(crate) struct Keyring(pub(crate) Vec<Known>);

impl Keyring {
    /// Puts the secrets in place, or tells all that stands against it. `allowances` are those
    /// of the credentials, in order.
    pub(crate) fn resolve(
        credentials: &[Credential],
        token: &Token,
        allowances: &[Arc<Allowance>],
        secrets: &dyn SecretProvider,
    ) -> Result<Self, Vec<String>> {
        let mut mistakes = Vec::new();
        let token_key = token.key.as_ref().and_then(|key| {
            let key = resolved(key, secrets);
            key.map_err(|error| mistakes.push(format!("token.key: {error}"))).ok()
        });
        let mut known = Vec::new();
        for (credential, allowance) in credentials.iter().zip(allowances) {
            match Known::resolve(credential, token_key.as_ref(), allowance, secrets) {
                Ok(one) => known.push(one),
                Err(errors) => {
                    let name = &credential.name;
                    let named = |error: String| format!("credential '{name}': {error}");
                    mistakes.extend(errors.into_iter().map(named));
                }
            }
        }
        if mistakes.is_empty() { Ok(Self(known)) } else { Err(mistakes) }
    }
}

impl Known {
    fn resolve(
        credential: &Credential,
        token_key: Option<&SecretString>,
        allowance: &Arc<Allowance>,
        secrets: &dyn SecretProvider,
    ) -> Result<Self, Vec<String>> {
        let proof = proof(&credential.proof, secrets)?;
        let signing = signing_key(&proof, token_key).map_err(|error| vec![error])?;
        Ok(Self {
            name: credential.name.as_str().into(),
            proof,
            allow: Arc::new(credential.allow.clone()),
            signing,
            allowance: Arc::clone(allowance),
        })
    }
}

fn signing_key(
    proof: &Proof,
    token_key: Option<&SecretString>,
) -> Result<Option<SigningKey>, String> {
    let Proof::Client { secret, .. } = proof else { return Ok(None) };
    match token_key.map(ExposeSecret::expose_secret) {
        Some(key) if key.len() < MIN_KEY_BYTES => Err(format!(
            "inbound.token.key is shorter than {MIN_KEY_BYTES} bytes: take a longer random one"
        )),
        Some(key) => Ok(Some(SigningKey::new(key.as_bytes()))),
        None if secret.expose_secret().len() < MIN_SECRET_BYTES => Err(format!(
            "the client's secret is shorter than {MIN_SECRET_BYTES} bytes and signs its tokens: \
             take a longer random one, or set inbound.token.key"
        )),
        None => Ok(Some(SigningKey::new(secret.expose_secret().as_bytes()))),
    }
}

fn proof(configured: &Proof, secrets: &dyn SecretProvider) -> Result<Proof, Vec<String>> {
    let one = |value: &SecretString| resolved(value, secrets).map_err(|error| vec![error]);
    let all = |keys: &[SecretString]| {
        let (found, missing): (Vec<_>, Vec<_>) =
            keys.iter().map(|key| resolved(key, secrets)).partition(Result::is_ok);
        let missing: Vec<_> = missing.into_iter().filter_map(Result::err).collect();
        let found = found.into_iter().filter_map(Result::ok).collect::<Vec<_>>();
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    };
    Ok(match configured {
        Proof::Basic { username, password } => {
            Proof::Basic { username: username.clone(), password: one(password)? }
        }
        Proof::ApiKey { header, keys } => {
            Proof::ApiKey { header: header.clone(), keys: all(keys)? }
        }
        Proof::Client { id, secret } => Proof::Client { id: id.clone(), secret: one(secret)? },
        Proof::Jwt(issuer) => Proof::Jwt(issuer.clone()),
        Proof::Hmac(signature) => {
            Proof::Hmac(Signature { keys: all(&signature.keys)?, ..signature.clone() })
        }
    })
}

/// A value with its secrets in place. An empty one would let everybody in.
fn resolved(value: &SecretString, secrets: &dyn SecretProvider) -> Result<SecretString, String> {
    let (mut names, mut found) = (BTreeSet::new(), Secrets::new());
    secret_names(value.expose_secret(), &mut names);
    for name in names {
        if let Some(secret) = secrets.secret(&name).map_err(|error| error.to_string())? {
            found.insert(name, secret);
        }
    }
    let text = with_secrets(value.expose_secret(), &found).map_err(|error| error.message)?;
    if text.is_empty() {
        return Err("a secret is empty: it would let everybody in".to_owned());
    }
    Ok(text.into())
}
