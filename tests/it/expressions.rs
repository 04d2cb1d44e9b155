//! The examples of `docs/expressions.md`: each `feel` block is evaluated over the `json`
//! block before it, and gives what its last line, a comment, says.

use serde_json::Value;
use servicenow_worker::{connector::functions, feel};

const PAGE: &str = include_str!("../../docs/expressions.md");
const NOW: &str = "2026-06-01T12:00:00Z";

/// The fenced blocks of the page: language and text.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap())
}

#[test]
fn every_example_gives_what_the_page_says() {
    let environment = functions::environment(NOW.parse().unwrap());
    let mut context = Value::Null;
    let mut examples = 0;
    for (language, text) in blocks() {
        match language {
            "json" => context = serde_json::from_str(text).unwrap(),
            "feel" => {
                let (_, said) = text.rsplit_once("\n// ").unwrap_or_else(|| panic!("{text}"));
                let said: Value = serde_json::from_str(said).unwrap();
                let expression = feel::Expression::parse(text).unwrap();
                let input = feel::Value::from(&context);
                let answer = expression.evaluate(&input, &environment).unwrap();
                assert_eq!(answer.value.to_json(), said, "{text}");
                let is_lookup = text.starts_with("=records[1].state");
                assert_eq!(answer.warnings.len(), usize::from(is_lookup), "{text}: {answer:?}");
                examples += 1;
            }
            _ => {}
        }
    }
    assert!(examples >= 20, "only {examples} examples");
}
