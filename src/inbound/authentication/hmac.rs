//! Signatures of the body: Standard Webhooks, and GitHub's.
//!
//! The raw bytes are checked, never JSON written anew. Every key and every signature is
//! tried, so that keys can be replaced without a gap. Standard Webhooks signs id and time
//! stamp too: a stale one is refused, and the id is the idempotency key, so that a replay
//! within the window is held off like any repetition. GitHub's style signs nothing but the
//! body; there the body itself is the key.

use axum::http::HeaderMap;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::{Denied, Keyring, Known, Proof, Signed};
use crate::inbound::credentials::{Signature, Style};

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Most signatures in one header.
const MAX_SIGNATURES: usize = 16;
/// Longest id.
const MAX_ID: usize = 256;

/// Whether the headers carry a signature that somebody of ours may have made.
pub(super) fn is_presented(keyring: &Keyring, headers: &HeaderMap) -> bool {
    signatures(keyring).any(|(_, signature)| headers.contains_key(signature.header.as_str()))
}

fn signatures(keyring: &Keyring) -> impl Iterator<Item = (&Known, &Signature)> {
    keyring.0.iter().filter_map(|known| match &known.proof {
        Proof::Hmac(signature) => Some((known, signature)),
        _ => None,
    })
}

/// Who signed this body.
pub(super) fn check<'k>(
    keyring: &'k Keyring,
    headers: &HeaderMap,
    body: &[u8],
    now: jiff::Timestamp,
) -> Result<(&'k Known, Signed), Denied> {
    let mut why = Denied("this request carries no signature".to_owned());
    for (known, signature) in signatures(keyring) {
        let Some(given) = text(headers, &signature.header) else { continue };
        let checked = match signature.style {
            Style::Standard => standard(signature, headers, given, body, now),
            Style::Body => body_alone(signature, given, body),
        };
        match checked {
            Ok(signed) => return Ok((known, signed)),
            Err(denied) => why = denied,
        }
    }
    Err(why)
}

fn standard(
    signature: &Signature,
    headers: &HeaderMap,
    given: &str,
    body: &[u8],
    now: jiff::Timestamp,
) -> Result<Signed, Denied> {
    let missing = |name: &str| Denied(format!("header {name} is missing"));
    let id = text(headers, "webhook-id").ok_or_else(|| missing("webhook-id"))?;
    let stamp = text(headers, "webhook-timestamp").ok_or_else(|| missing("webhook-timestamp"))?;
    if id.is_empty() || id.len() > MAX_ID || id.contains('.') {
        return Err(Denied(format!("webhook-id has 1 to {MAX_ID} characters and no full stop")));
    }
    let seconds: i64 = stamp
        .parse()
        .map_err(|_| Denied("webhook-timestamp is the time in seconds since 1970".to_owned()))?;
    let mut signed = format!("{id}.{stamp}.").into_bytes();
    signed.extend_from_slice(body);
    let parts = given.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    let candidates: Vec<Vec<u8>> =
        parts.take(MAX_SIGNATURES).filter_map(|text| BASE64.decode(text).ok()).collect();
    if !fits(signature, &signed, &candidates) {
        return Err(wrong());
    }
    // Only now: the time stamp of somebody without a key is of no interest.
    let tolerance = i64::try_from(signature.tolerance.as_secs()).unwrap_or(i64::MAX);
    if now.as_second().abs_diff(seconds) > tolerance.unsigned_abs() {
        return Err(Denied(format!(
            "webhook-timestamp is more than {tolerance} s from our clock: sign each attempt anew"
        )));
    }
    Ok(Signed::BodyAndId(id.to_owned()))
}

fn body_alone(signature: &Signature, given: &str, body: &[u8]) -> Result<Signed, Denied> {
    let text = given.strip_prefix("sha256=").unwrap_or(given);
    let candidates: Vec<Vec<u8>> = [hex(text), BASE64.decode(text).ok()]
        .into_iter()
        .flatten()
        .filter(|bytes| bytes.len() == 32)
        .collect();
    if fits(signature, body, &candidates) { Ok(Signed::Body) } else { Err(wrong()) }
}

/// Whether any candidate was made with any of the keys; all are tried.
fn fits(signature: &Signature, signed: &[u8], candidates: &[Vec<u8>]) -> bool {
    let mut found = false;
    for key in signature.keys.iter().flat_map(|key| keys_of(key, signature.style)) {
        for candidate in candidates {
            found |= hmac::verify(&key, signed, candidate).is_ok();
        }
    }
    found
}

/// The bytes of a key: base64 after `whsec_`, else the text itself, and for Standard
/// Webhooks base64 without the prefix too, as ServiceNow's `generateMac` takes it.
fn keys_of(key: &SecretString, style: Style) -> Vec<hmac::Key> {
    let text = key.expose_secret();
    let make = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
    match (text.strip_prefix("whsec_"), style) {
        (Some(encoded), _) => BASE64.decode(encoded).iter().map(|bytes| make(bytes)).collect(),
        (None, Style::Standard) => {
            let decoded = BASE64.decode(text).ok().filter(|bytes| bytes.len() >= 16);
            decoded.iter().map(|bytes| make(bytes)).chain([make(text.as_bytes())]).collect()
        }
        (None, Style::Body) => vec![make(text.as_bytes())],
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    // Of two, one may be what we check and the other what somebody behind us reads.
    values.next().is_none().then(|| value.trim())
}

fn wrong() -> Denied {
    Denied("the signature fits neither this body nor a key of ours".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderValue;

    use super::*;

    fn signature(style: Style, header: &str, keys: &[&str]) -> Signature {
        Signature {
            style,
            header: header.to_owned(),
            keys: keys.iter().map(|key| (*key).into()).collect(),
            tolerance: Duration::from_mins(5),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn the_published_test_vector_of_standard_webhooks_is_accepted() {
        let own = signature(
            Style::Standard,
            "webhook-signature",
            &["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        );
        let given = "v1a,xx v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let headers = headers(&[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
        ]);
        let body = br#"{"test": 2432232314}"#;
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let check = |body: &[u8], now| standard(&own, &headers, given, body, now);
        let id = Signed::BodyAndId("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned());
        assert_eq!(check(body, at(1_614_265_330 + 300)), Ok(id.clone()));
        assert_eq!(check(body, at(1_614_265_330 - 300)), Ok(id));
        let stale = check(body, at(1_614_265_330 + 301)).unwrap_err();
        assert!(stale.0.contains("300 s from our clock"), "{}", stale.0);
        assert_eq!(check(br#"{"test":2432232314}"#, at(1_614_265_330)), Err(wrong()));
    }

    #[test]
    fn a_body_signature_is_hex_or_base64() {
        // The example of GitHub's documentation.
        let own = signature(Style::Body, "x-hub-signature-256", &["It's a Secret to Everybody"]);
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(body_alone(&own, right, b"Hello, World!"), Ok(Signed::Body));
        let bytes = hex(&right[7..]).unwrap();
        assert_eq!(body_alone(&own, &BASE64.encode(bytes), b"Hello, World!"), Ok(Signed::Body));
        assert!(body_alone(&own, right, b"Hello, World").is_err());
        assert!(body_alone(&own, "sha256=", b"Hello, World!").is_err());
    }
}
