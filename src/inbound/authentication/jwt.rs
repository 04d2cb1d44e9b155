//! JSON Web Tokens: taken apart, their claims and their signatures.
//!
//! The algorithm comes from the configuration and the key's type, never from the token
//! alone; `none` does not exist here. `exp` must be there and be a number.
#![deny(clippy::disallowed_types)]

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Map, Value};

use super::Denied;
use crate::inbound::credentials::Algorithm;

/// Longest token.
const MAX_TOKEN: usize = 16 * 1024;
/// How far clocks may differ.
const LEEWAY: i64 = 30;

/// A token that was taken apart; nothing of it is trusted yet.
#[derive(Debug)]
pub(super) struct Parsed<'t> {
    header: Map<String, Value>,
    payload: Map<String, Value>,
    /// What is signed.
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
}

/// What the claims must say.
#[derive(Debug)]
pub(super) struct Claims<'c> {
    pub(super) audience: &'c str,
    pub(super) further: Option<&'c BTreeMap<String, String>>,
    pub(super) now: jiff::Timestamp,
}

impl<'t> Parsed<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, Denied> {
        let broken = || Denied("the bearer token is no JWT".to_owned());
        if text.len() > MAX_TOKEN {
            return Err(broken());
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(broken)?;
        let (header, payload) = signed.split_once('.').ok_or_else(broken)?;
        let object = |part: &str| match serde_json::from_slice(&BASE64.decode(part).ok()?).ok()? {
            Value::Object(map) => Some(map),
            _ => None,
        };
        let parsed = Self {
            header: object(header).ok_or_else(broken)?,
            payload: object(payload).ok_or_else(broken)?,
            signed,
            signature: BASE64.decode(signature).map_err(|_| broken())?,
        };
        // An extension that must be understood is one that we do not understand.
        if parsed.header.contains_key("crit") { Err(broken()) } else { Ok(parsed) }
    }

    pub(super) fn algorithm(&self) -> Option<&str> {
        self.header.get("alg")?.as_str()
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid")?.as_str()
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.payload.get("iss")?.as_str()
    }

    pub(super) fn subject(&self) -> Option<&str> {
        self.payload.get("sub")?.as_str()
    }

    /// Checks time, audience and further claims.
    pub(super) fn check(&self, wanted: &Claims<'_>) -> Result<(), Denied> {
        let now = wanted.now.as_second();
        let exp = self.seconds("exp")?.ok_or_else(|| Denied("the token has no exp".to_owned()))?;
        if exp.saturating_add(LEEWAY) <= now {
            return Err(Denied("the token has expired: fetch another".to_owned()));
        }
        if self.seconds("nbf")?.is_some_and(|nbf| nbf.saturating_sub(LEEWAY) > now) {
            return Err(Denied("the token is not valid yet".to_owned()));
        }
        let is_for_us = match self.payload.get("aud") {
            Some(Value::String(audience)) => audience == wanted.audience,
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(wanted.audience)),
            _ => false,
        };
        if !is_for_us {
            return Err(Denied("the token's audience is another".to_owned()));
        }
        let differs = |(name, value): &(&String, &String)| {
            self.payload.get(*name).and_then(Value::as_str) != Some(value.as_str())
        };
        match wanted.further.into_iter().flatten().find(differs) {
            Some((name, _)) => Err(Denied(format!("the token's claim '{name}' is another"))),
            None => Ok(()),
        }
    }

    fn seconds(&self, name: &str) -> Result<Option<i64>, Denied> {
        match self.payload.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let whole = number.as_i64();
                #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
                let seconds = whole.or_else(|| number.as_f64().map(|seconds| seconds as i64));
                Ok(seconds)
            }
            Some(_) => Err(Denied(format!("the token's {name} is no number"))),
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jwk {
    pub(crate) id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point on P-256.
    P256(Vec<u8>),
}

impl Jwk {
    /// Whether the key is one for this algorithm.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        let (name, is_rsa) = match algorithm {
            Algorithm::Rs256 => ("RS256", true),
            Algorithm::Ps256 => ("PS256", true),
            Algorithm::Es256 => ("ES256", false),
        };
        self.algorithm.as_deref().is_none_or(|own| own == name)
            && matches!(self.material, Material::Rsa { .. }) == is_rsa
    }

    /// Whether this key signed the text.
    pub(super) fn signed(&self, algorithm: Algorithm, text: &str, signature: &[u8]) -> bool {
        let text = text.as_bytes();
        match &self.material {
            Material::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                let parameters = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                key.verify(parameters, text, signature).is_ok()
            }
            Material::P256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(text, signature).is_ok()
            }
        }
    }
}

/// The keys of a JWKS document that we can use; `None` when it is none.
pub(crate) fn jwks(document: &[u8]) -> Option<Vec<Jwk>> {
    let document: Value = serde_json::from_slice(document).ok()?;
    Some(document.get("keys")?.as_array()?.iter().filter_map(jwk).collect())
}

fn jwk(value: &Value) -> Option<Jwk> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |name: &str| BASE64.decode(text(name)?.trim_end_matches('=')).ok();
    let material = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let modulus = bytes("n")?;
            let leading = modulus.iter().take_while(|byte| **byte == 0).count();
            Material::Rsa { modulus: modulus[leading..].to_vec(), exponent: bytes("e")? }
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Material::P256([vec![4], x, y].concat())
        }
        _ => return None,
    };
    Some(Jwk {
        id: text("kid").map(str::to_owned),
        algorithm: text("alg").map(str::to_owned),
        material,
    })
}
