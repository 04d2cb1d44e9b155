//! Signatures as senders make them, written anew and not taken from the endpoint.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;

use super::wire::Request;

/// The key that the hook's senders have.
pub(crate) const HOOK: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The one it replaces.
pub(crate) const OLD_HOOK: &str = "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQ=";
/// GitHub's.
pub(crate) const GITHUB: &str = "It's a Secret to Everybody";

/// What ServiceNow's `generateMac` gives: base64 of HMAC-SHA256 under a base64 key.
pub(crate) fn generate_mac(key: &str, data: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(key).unwrap());
    BASE64_STANDARD.encode(hmac::sign(&key, data))
}

impl Request {
    /// Signed as Standard Webhooks has it.
    pub(crate) fn signed(self, key: &str, id: &str, timestamp: i64) -> Self {
        let data = [format!("{id}.{timestamp}.").as_bytes(), &self.body].concat();
        let signature = generate_mac(key, &data);
        self.header("webhook-id", id)
            .header("webhook-timestamp", &timestamp.to_string())
            .header("webhook-signature", &format!("v1,{signature}"))
    }

    /// Signed as GitHub does.
    pub(crate) fn signed_body(self, key: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = hmac::sign(&key, &self.body);
        let hex: Vec<_> = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.header("x-hub-signature-256", &format!("sha256={}", hex.concat()))
    }
}
