//! Fuzzing in short form: the doors of [`servicenow_worker::fuzzing`] against mutated seeds,
//! on a stack of 256 KiB. The long form is `fuzz/`; see `docs/reliability.md`.
//!
//! `FUZZ_RUNS` sets the number of runs of each door, `FUZZ_SEED` the seed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::disallowed_methods, reason = "measures time, and is set by the environment")]

use std::time::{Duration, Instant};

use servicenow_worker::fuzzing;

/// An eighth of what a worker's thread has.
const STACK_BYTES: usize = 256 << 10;
const RUNS: u64 = 100_000;
/// More than a hundred times what the longest run may take; a hang is what it catches.
const PATIENCE: Duration = Duration::from_mins(1);
const MAX_BYTES: usize = 4_096;

/// What mutations put in: the pieces that grammars are made of, and their enemies.
const PIECES: [&str; 64] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "\"",
    "'",
    "`",
    "\\",
    ".",
    "..",
    ",",
    ":",
    "=",
    "^",
    "@",
    "?",
    "$",
    "*",
    "**",
    "-",
    "//",
    "/*",
    "*/",
    "<=",
    "!=",
    " in ",
    " and ",
    " or ",
    "not(",
    "if ",
    " then ",
    " else ",
    "for x in ",
    " return ",
    "some x in ",
    " satisfies ",
    "function(x) ",
    " instance of ",
    " between ",
    "null",
    "true",
    "1e308",
    "-0",
    "99999999999999999999999999999999999999999",
    "@\"2026-01-01T00:00:00Z\"",
    "@\"P1Y\"",
    "duration(\"PT1S\")",
    "item",
    "partial",
    "xs",
    "records",
    "record.caller_id",
    "{{#each xs}}",
    "{{/each}}",
    "{{#if x}}",
    "{{/if}}",
    "javascript:",
    "\u{2028}",
    "\u{0}",
    "\u{1F600}",
];

fn setting(name: &'static str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
        Err(_) => default,
    }
}

fn fuzz(name: &str, seeds: Vec<String>) {
    let (_, door) = *fuzzing::DOORS.iter().find(|(door, _)| *door == name).unwrap();
    let runs = setting("FUZZ_RUNS", RUNS);
    let mut random = fastrand::Rng::with_seed(setting("FUZZ_SEED", 1));
    let work = move || {
        for run in 0..runs {
            let text = mutated(&seeds, &mut random);
            let begin = Instant::now();
            door(text.as_bytes());
            assert!(begin.elapsed() < PATIENCE, "run {run} took {:?}: {text:?}", begin.elapsed());
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A seed, changed in up to eight places.
fn mutated(seeds: &[String], random: &mut fastrand::Rng) -> String {
    let mut text: Vec<char> = random.choice(seeds).unwrap().chars().collect();
    for _ in 0..random.usize(0..8) {
        let [from, to] = [(); 2].map(|()| random.usize(0..=text.len()));
        let (from, to) = (from.min(to), from.max(to));
        match random.u8(0..6) {
            0 => drop(text.drain(from..to.min(from + 8))),
            1 => drop(text.splice(from..from, random.choice(PIECES).unwrap().chars())),
            2 => drop(text.splice(from..to, random.choice(PIECES).unwrap().chars())),
            3 => {
                let piece = text[from..to.min(from + 40)].repeat(random.usize(1..20));
                drop(text.splice(from..from, piece));
            }
            4 => {
                let other: Vec<char> = random.choice(seeds).unwrap().chars().collect();
                let start = random.usize(0..=other.len());
                drop(text.splice(from..to, other[start..].to_vec()));
            }
            _ => text.insert(from, random.char(..)),
        }
        text.truncate(MAX_BYTES);
    }
    text.into_iter().collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.replace("\\n", "\n")).collect()
}

fn expressions() -> Vec<String> {
    let cases = concat!(
        include_str!("../src/feel/cases.jsonl"),
        include_str!("../src/feel/builtins/cases.jsonl"),
    );
    let expression = |line| {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        case["expr"].as_str().unwrap().to_owned()
    };
    cases.lines().filter(|line| line.starts_with('{')).map(expression).collect()
}

#[test]
fn no_expression_hurts() {
    fuzz("expression", expressions());
}

#[test]
fn no_json_path_hurts() {
    fuzz("json_path", lines(include_str!("../fuzz/seeds/json_path.txt")));
}

#[test]
fn no_template_hurts() {
    fuzz("template", lines(include_str!("../fuzz/seeds/template.txt")));
}

#[test]
fn no_value_widens_an_encoded_query() {
    fuzz("encoded_query", lines(include_str!("../fuzz/seeds/encoded_query.txt")));
}
