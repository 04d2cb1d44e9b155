//! Does the time of a refusal tell how much of a secret was right? After dudect (Reparaz,
//! Balasch, Verbauwhede 2017): two classes of wrong proofs in random turns, cropped times,
//! Welch's t. What is timed is the endpoint's whole check, by its headers and body.
//!
//! Each check is measured a second time with a comparison behind it that stops at the first
//! wrong byte: what that gives away must be seen, or the first figure would say nothing.

use std::{hint::black_box, sync::Arc, time::Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::FutureExt;
use secrecy::SecretString;
use servicenow_worker::{
    inbound::{Config, Credential, Door, Proof, Scopes, Signature, Style},
    ports::{Clock, SecretProvider, SecretUnreadable},
};

/// Calls of one measurement.
const CALLS: usize = 1_000_000;
/// Calls before those that count.
const WARM_UP: usize = 20_000;
/// Longer times than those of so many in a hundred calls are the machine's, not the check's.
const CROP: usize = 90;
/// A `t` beyond this is no accident. dudect takes 10 for a leak beyond doubt.
const T: f64 = 10.0;
/// What a leak has at least: a fifth of what the naive comparison gives away over 32 bytes.
const NANOSECONDS: f64 = 1.0;

const BODY: &[u8] = br#"{"sys_id":"9d385017c611228701d22104cc95c371","sys_mod_count":7}"#;
const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        Ok(None)
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_795_000_000).unwrap()
    }
}

/// A way to prove who one is.
struct Kind {
    name: &'static str,
    proof: Proof,
    header: &'static str,
    /// What is compared, when it is right.
    right: Vec<u8>,
    /// The header's value for these bytes.
    text: fn(&[u8]) -> String,
}

/// Times of one class, in ns.
struct Class(Vec<f64>);

/// What two classes of times differ by.
struct Difference {
    nanoseconds: f64,
    t: f64,
}

/// Prints all figures, then ends the program if one of them must not be.
pub(crate) fn run() {
    let mut is_good = true;
    for kind in kinds() {
        let own = measure(&kind, false);
        let naive = measure(&kind, true);
        println!("{:<20} {own}, with a naive comparison {naive}", kind.name);
        is_good &= !own.is_leak() && naive.is_leak();
    }
    if !is_good {
        println!("a check that takes its time by what is right, or a leak that was not seen");
        std::process::exit(1);
    }
}

fn kinds() -> [Kind; 4] {
    let signature = |style, header: &str| {
        let (header, keys) = (header.to_owned(), vec![SecretString::from(format!("whsec_{KEY}"))]);
        Proof::Hmac(Signature { style, header, keys, tolerance: std::time::Duration::from_mins(5) })
    };
    let mac = |prefix: &str| {
        let key = BASE64_STANDARD.decode(KEY).unwrap();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        ring::hmac::sign(&key, &[prefix.as_bytes(), BODY].concat()).as_ref().to_vec()
    };
    let api_key = Proof::ApiKey { header: "x-api-key".to_owned(), keys: vec![KEY.into()] };
    let basic = Proof::Basic { username: "flows".to_owned(), password: KEY.into() };
    [
        Kind {
            name: "signature, standard",
            proof: signature(Style::Standard, "webhook-signature"),
            header: "webhook-signature",
            right: mac("msg_1.1795000000."),
            text: |bytes| format!("v1,{}", BASE64_STANDARD.encode(bytes)),
        },
        Kind {
            name: "signature, github",
            proof: signature(Style::Body, "x-hub-signature-256"),
            header: "x-hub-signature-256",
            right: mac(""),
            text: |bytes| format!("sha256={}", hex(bytes)),
        },
        Kind {
            name: "API key",
            proof: api_key,
            header: "x-api-key",
            right: KEY.into(),
            text: |bytes| String::from_utf8(bytes.to_vec()).unwrap(),
        },
        Kind {
            name: "password",
            proof: basic,
            header: "authorization",
            right: KEY.into(),
            text: |bytes| {
                let pair = [b"flows:", bytes].concat();
                format!("Basic {}", BASE64_STANDARD.encode(pair))
            },
        },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

impl Kind {
    fn door(&self) -> Door {
        let (name, allow) = ("bench".to_owned(), Scopes::everything());
        let credential = Credential { name, proof: self.proof.clone(), allow, rate: None };
        let config = Config { credentials: vec![credential], ..Config::default() };
        Door::new(config, Arc::new(NoSecrets), Arc::new(Fixed)).unwrap()
    }

    /// A request with a proof of these bytes.
    fn headers(&self, bytes: &[u8]) -> HeaderMap {
        let value = HeaderValue::try_from((self.text)(bytes)).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
        headers.insert("webhook-timestamp", HeaderValue::from_static("1795000000"));
        headers.insert(HeaderName::from_static(self.header), value);
        headers
    }

    /// What is wrong in the first byte, or only in the last. A letter stays a letter.
    fn wrong(&self, is_last: bool) -> Vec<u8> {
        let mut bytes = self.right.clone();
        let at = if is_last { bytes.len() - 1 } else { 0 };
        bytes[at] ^= fastrand::u8(1..8);
        bytes
    }
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock looks whether it is paused first")]
fn measure(kind: &Kind, is_naive: bool) -> Difference {
    let door = kind.door();
    let lets_in = |headers: &HeaderMap| door.lets_in(headers, BODY).now_or_never().unwrap();
    assert!(lets_in(&kind.headers(&kind.right)), "{}: refused for another reason", kind.name);
    let mut classes = [Class(Vec::with_capacity(CALLS)), Class(Vec::with_capacity(CALLS))];
    for number in 0..WARM_UP + CALLS {
        let class = fastrand::usize(..2);
        let given = kind.wrong(class == 1);
        let headers = kind.headers(&given);
        let began = Instant::now();
        let mut is_in = lets_in(&headers);
        if is_naive {
            is_in |= same(black_box(&kind.right), black_box(&given));
        }
        let took = began.elapsed();
        assert!(!black_box(is_in));
        if number >= WARM_UP {
            classes[class].0.push(took.as_nanos() as f64);
        }
    }
    difference(classes)
}

/// As one would write it.
#[inline(never)]
fn same(right: &[u8], given: &[u8]) -> bool {
    right.len() == given.len() && right.iter().zip(given).all(|(a, b)| a == b)
}

/// Of the times below the crop, which is the same for both.
fn difference(classes: [Class; 2]) -> Difference {
    let mut all: Vec<f64> = classes.iter().flat_map(|class| class.0.iter().copied()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let crop = all[all.len() * CROP / 100];
    let [first, last] = classes.map(|class| {
        let times: Vec<f64> = class.0.into_iter().filter(|time| *time < crop).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let nanoseconds = last.0 - first.0;
    Difference { nanoseconds, t: nanoseconds / (first.1 + last.1).sqrt() }
}

impl Difference {
    fn is_leak(&self) -> bool {
        self.t.abs() > T && self.nanoseconds.abs() > NANOSECONDS
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+.2} ns, t {:+.1}", self.nanoseconds, self.t)
    }
}
