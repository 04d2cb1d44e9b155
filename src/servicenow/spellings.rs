//! The spellings in which a secret may come back in an answer, so that each can be masked.
#![deny(clippy::disallowed_types)]

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose as base64_engine};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be encoded in any part of a URL stays.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'!');

/// As it is, in URLs, in JSON, in HTML, in base64; each once.
pub(crate) fn of(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned()];
    spellings.extend(in_urls(secret));
    spellings.extend(in_json(secret));
    spellings.extend(in_html(secret));
    spellings.extend(in_base64(secret));
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// In the four kinds of base64.
pub(crate) fn in_base64(secret: &str) -> [String; 4] {
    [
        base64_engine::STANDARD.encode(secret),
        base64_engine::STANDARD_NO_PAD.encode(secret),
        base64_engine::URL_SAFE.encode(secret),
        base64_engine::URL_SAFE_NO_PAD.encode(secret),
    ]
}

fn in_urls(secret: &str) -> Vec<String> {
    let upper = [
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, RESERVED).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    ];
    upper.into_iter().flat_map(|text| [lower_digits(&text), text]).collect()
}

/// The same with `%2f` for `%2F`.
fn lower_digits(encoded: &str) -> String {
    let mut after_percent = 3;
    let lower = |letter: char| {
        after_percent = if letter == '%' { 0 } else { after_percent + 1 };
        if after_percent <= 2 { letter.to_ascii_lowercase() } else { letter }
    };
    encoded.chars().map(lower).collect()
}

fn in_json(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted.trim_start_matches('"');
    let plain = plain.strip_suffix('"').unwrap_or(plain);
    let ascii = |upper: bool| {
        plain.encode_utf16().fold(String::new(), |mut text, unit| {
            let letter = u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from);
            // Writing to a text does not fail.
            match (letter, upper) {
                (Some(letter), _) => text.push(letter),
                (None, true) => write!(text, "\\u{unit:04X}").unwrap_or_default(),
                (None, false) => write!(text, "\\u{unit:04x}").unwrap_or_default(),
            }
            text
        })
    };
    let spellings = [plain.to_owned(), ascii(true), ascii(false)];
    spellings.into_iter().flat_map(|text| [text.replace('/', "\\/"), text]).collect()
}

fn in_html(secret: &str) -> [String; 3] {
    let escaped = |apostrophe: &str| {
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', apostrophe)
    };
    [escaped("&#39;"), escaped("&#x27;"), escaped("'")]
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_secret_is_known_however_it_is_escaped() {
        let spellings = of("p\"ä/&'<x y");
        for spelling in [
            "p\"ä/&'<x y",
            "p%22%C3%A4%2F%26%27%3Cx%20y",
            "p%22%c3%a4%2f%26%27%3cx%20y",
            "p%22%C3%A4%2F%26%27%3Cx+y",
            "p\\\"ä/&'<x y",
            "p\\\"\\u00e4\\/&'<x y",
            "p\\\"\\u00E4/&'<x y",
            "p&quot;ä/&amp;&#39;&lt;x y",
            "cCLDpC8mJzx4IHk=",
            "cCLDpC8mJzx4IHk",
        ] {
            assert!(spellings.iter().any(|known| known == spelling), "{spelling}");
        }
    }

    #[test]
    fn a_plain_one_has_few() {
        assert_eq!(of("abcd"), ["YWJjZA", "YWJjZA==", "abcd"]);
        assert!(of("abc-d_e!f").contains(&"abc%2Dd%5Fe%21f".to_owned()));
        assert!(of("abc-d_e?f").contains(&"abc-d_e%3Ff".to_owned()));
        assert!(of("\"").contains(&"\\\"".to_owned()));
    }
}
