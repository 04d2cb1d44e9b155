//! Tokens of our own: JWTs signed with HS256 that every replica can check.
//!
//! The signing key comes from `inbound.token.key`, or from the client's own secret: then a
//! token ends with the secret it was made from, and no client can sign for another.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};

/// `iss` of our tokens.
pub(crate) const ISSUER: &str = "servicenow-worker";
/// Shortest `inbound.token.key`.
pub(crate) const MIN_KEY_BYTES: usize = 32;
/// Shortest secret of a client that signs tokens: whoever sees a token can try secrets.
pub(crate) const MIN_SECRET_BYTES: usize = 16;

/// Signs and checks the tokens of one client.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey(hmac::Key);

/// What goes into a token.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) client: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) lifetime: Duration,
    /// Tells two tokens of one second apart.
    pub(crate) id: u64,
}

impl SigningKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // Not the secret itself, or a token's signature would be one that the client could
        // be made to use elsewhere.
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&root, b"servicenow-worker inbound token v1");
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// A new token.
    pub(crate) fn issue(&self, claims: &Claims<'_>, now: jiff::Timestamp) -> String {
        let issued = now.as_second();
        let lifetime = i64::try_from(claims.lifetime.as_secs()).unwrap_or(i64::MAX);
        let payload = json!({
            "iss": ISSUER,
            "sub": claims.client,
            "client_id": claims.client,
            "aud": claims.audience,
            "iat": issued,
            "exp": issued.saturating_add(lifetime),
            "jti": format!("{:016x}", claims.id),
        });
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&payload));
        let signature = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// Whether we signed this, compared in constant time.
    pub(crate) fn signed(&self, text: &str, signature: &[u8]) -> bool {
        hmac::verify(&self.0, text.as_bytes(), signature).is_ok()
    }
}
