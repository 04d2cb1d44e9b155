//! A secret that must turn up nowhere, and the search for it.
//!
//! Nothing here needs the rest of the tests, so that other suites can include this file.
#![allow(dead_code, reason = "whoever includes this file needs a part of it")]

use base64::{Engine as _, engine::general_purpose as base64_engine};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A secret and every form in which it must not be seen.
#[derive(Debug)]
pub(crate) struct Canary {
    forms: Vec<(&'static str, String)>,
}

/// With `%2f` for `%2F`.
fn url_encoded_in_small_letters(secret: &str) -> String {
    let byte = |byte: &u8| match byte {
        plain if plain.is_ascii_alphanumeric() => char::from(*plain).to_string(),
        other => format!("%{other:02x}"),
    };
    secret.as_bytes().iter().map(byte).collect()
}

impl Canary {
    /// The forms of a secret that stands alone.
    pub(crate) fn of(secret: &str) -> Self {
        let encoded = |engine: &base64_engine::GeneralPurpose| engine.encode(secret);
        Self {
            forms: vec![
                ("plain", secret.to_owned()),
                // More than the beginning is not needed to guess the rest.
                ("half", secret.chars().take(secret.chars().count() / 2).collect()),
                ("base64", encoded(&base64_engine::STANDARD_NO_PAD)),
                ("base64 for URLs", encoded(&base64_engine::URL_SAFE_NO_PAD)),
                ("URL-encoded", utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()),
                ("URL-encoded in small letters", url_encoded_in_small_letters(secret)),
                ("form", url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()),
                ("JSON", serde_json::Value::from(secret).to_string().trim_matches('"').to_owned()),
                ("JSON of PHP", secret.replace('/', "\\/")),
                ("HTML", secret.replace('&', "&amp;").replace('<', "&lt;")),
            ],
        }
    }

    /// Together with the pair that basic authentication makes of it.
    pub(crate) fn with_user(secret: &str, user: &str) -> Self {
        let mut canary = Self::of(secret);
        let pair = base64_engine::STANDARD_NO_PAD.encode(format!("{user}:{secret}"));
        canary.forms.push(("pair", pair));
        canary
    }

    /// All forms, for a server that gives them all away.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().filter(|(name, _)| *name != "half").map(|(_, form)| form.as_str())
    }

    /// Looks for it.
    ///
    /// # Panics
    /// When it is there.
    pub(crate) fn is_nowhere_in(&self, place: &str, text: &str) {
        for (name, form) in &self.forms {
            if let Some(at) = text.find(form.as_str()) {
                let around: String = text[..at].chars().rev().take(300).collect();
                let around: String = around.chars().rev().collect();
                panic!("the canary, {name}, is in {place} after: {around}");
            }
        }
    }
}
