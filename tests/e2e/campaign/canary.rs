//! A secret that must show up nowhere, and the search for it.
//!
//! It has two halves of letters and digits, which no encoding of URLs changes, joined by
//! signs that each changes; base64 is looked for at all three places in its groups.

use std::{fs::File, io::Read, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose};
use regex::bytes::Regex;

/// The secret.
#[derive(Debug)]
pub(crate) struct Canary {
    text: String,
    traces: Regex,
}

/// A search in something that comes piece by piece.
#[derive(Debug)]
pub(crate) struct Watch {
    canary: Arc<Canary>,
    tail: Vec<u8>,
}

/// Longer than any form of the secret.
const OVERLAP: usize = 256;

impl Canary {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0xca_4a_27);
        let halves: [String; 2] =
            std::array::from_fn(|_| (0..14).map(|_| random.alphanumeric()).collect());
        let text = halves.join("/+=@");
        let mut forms = halves.to_vec();
        for before in 0..3 {
            forms.extend(in_base64(&text, before));
        }
        let forms: Vec<_> = forms.iter().map(|form| regex::escape(form)).collect();
        Self { text, traces: Regex::new(&forms.join("|")).unwrap() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same as a careless server shows it: as it is, in base64 and as part of a URL.
    pub(crate) fn blabbed(&self) -> String {
        let header = general_purpose::STANDARD.encode(format!("admin:{}", self.text));
        let secret = general_purpose::STANDARD.encode(&self.text);
        let url =
            percent_encoding::utf8_percent_encode(&self.text, percent_encoding::NON_ALPHANUMERIC);
        format!("password {} in base64 {secret}, header Basic {header}, ?password={url}", self.text)
    }

    /// How often it shows.
    pub(crate) fn traces(&self, bytes: &[u8]) -> u64 {
        self.traces.find_iter(bytes).count() as u64
    }

    /// How often it shows in a file.
    pub(crate) fn traces_in(self: &Arc<Self>, path: &Path) -> u64 {
        let mut file = File::open(path).unwrap();
        let (mut watch, mut piece) = (Watch::new(Arc::clone(self)), vec![0; 1 << 20]);
        let mut traces = 0;
        loop {
            match file.read(&mut piece).unwrap() {
                0 => return traces,
                count => traces += watch.sees(&piece[..count]),
            }
        }
    }
}

/// The part of its base64 that depends on nothing around it, after so many other bytes.
fn in_base64(text: &str, before: usize) -> [String; 2] {
    let bytes: Vec<u8> = std::iter::repeat_n(b'x', before).chain(text.bytes()).collect();
    let from = (before * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    [&general_purpose::STANDARD_NO_PAD, &general_purpose::URL_SAFE_NO_PAD]
        .map(|engine| engine.encode(&bytes)[from..to].to_owned())
}

impl Watch {
    pub(crate) fn new(canary: Arc<Canary>) -> Self {
        Self { canary, tail: Vec::new() }
    }

    /// How often it shows in the next piece, or across its beginning.
    pub(crate) fn sees(&mut self, piece: &[u8]) -> u64 {
        let before = self.canary.traces(&self.tail);
        self.tail.extend_from_slice(piece);
        let traces = self.canary.traces(&self.tail).saturating_sub(before);
        let surplus = self.tail.len().saturating_sub(OVERLAP);
        self.tail.drain(..surplus);
        traces
    }
}

#[test]
fn the_canary_is_found_in_every_form_and_across_pieces() {
    let canary = Arc::new(Canary::of(1));
    assert_eq!(canary.traces(b"nothing of it"), 0);
    assert!(canary.traces(canary.blabbed().as_bytes()) >= 6);
    for before in ["", "a", "ab", "abc:"] {
        let header = format!("{before}{}!?", canary.text());
        for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE] {
            assert_eq!(canary.traces(engine.encode(&header).as_bytes()), 1, "{before}");
        }
    }
    let mut watch = Watch::new(Arc::clone(&canary));
    let text = canary.text();
    assert_eq!(watch.sees(&text.as_bytes()[..7]) + watch.sees(&text.as_bytes()[7..]), 2);
}
