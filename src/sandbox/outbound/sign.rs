//! HMAC-SHA256 in the two forms that scripts on an instance make.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;

use super::Encoding;

/// The key that `generateMac` would use.
pub(super) fn key(base64: &str) -> Result<hmac::Key, String> {
    match STANDARD.decode(base64) {
        Ok(bytes) if !bytes.is_empty() => Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        _ => Err("the key is not base64: write it as generateMac takes it".to_owned()),
    }
}

/// The key behind a secret of Standard Webhooks.
pub(super) fn webhook_key(secret: &str) -> Result<hmac::Key, String> {
    key(secret.strip_prefix("whsec_").unwrap_or(secret))
}

/// The signature of a body.
pub(super) fn body(key: &hmac::Key, body: &[u8], encoding: Encoding) -> String {
    let signature = hmac::sign(key, body);
    match encoding {
        Encoding::Base64 => STANDARD.encode(signature),
        Encoding::Hex => {
            signature.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
        }
    }
}

/// The value of `webhook-signature`.
pub(super) fn webhook(key: &hmac::Key, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut signed = hmac::Context::with_key(key);
    signed.update(format!("{id}.{timestamp}.").as_bytes());
    signed.update(body);
    format!("v1,{}", STANDARD.encode(signed.sign()))
}

fn digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::{Encoding, body, key, webhook, webhook_key};

    #[test]
    fn a_body_is_signed_as_in_githubs_example() {
        let key = key(&STANDARD.encode("It's a Secret to Everybody")).unwrap();
        let hex = body(&key, b"Hello, World!", Encoding::Hex);
        assert_eq!(hex, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
        let base64 = body(&key, b"Hello, World!", Encoding::Base64);
        assert_eq!(base64, "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=");
    }

    #[test]
    fn a_webhook_is_signed_as_in_the_example_of_the_standard() {
        let key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = webhook(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
