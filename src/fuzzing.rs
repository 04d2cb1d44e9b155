//! Doors for fuzzers (feature `fuzzing`): bytes in, a panic when a promise is broken.
//!
//! `fuzz/` has a cargo-fuzz target per door, for long runs; `tests/fuzz.rs` is the short form
//! that every change passes. A door is deterministic and keeps nothing between calls but
//! what the worker itself keeps between jobs.
#![expect(clippy::missing_panics_doc, reason = "to panic is how a door tells")]

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{
    connector::{
        functions,
        fuzzing::{JsonPath, Templates, query},
    },
    feel,
};

/// Deepest nesting that readers of JSON accept.
const JSON_NESTING: usize = 128;
/// Largest text that a template may render to.
const MAX_RENDERED: usize = 1 << 20;

/// What expressions, paths and templates see: the result of a find, as a job would have it.
pub static RESULT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "outcome": "found", "sysId": "9d385017c611228701d22104cc95c371", "number": "INC0000001",
        "count": 2, "x": 1, "xs": [1, 2, 3.5, null, "a", true], "text": "Ünïcode \u{1F600} \"q\"",
        "record": {"sys_id": "9d385017c611228701d22104cc95c371", "state": "2", "active": "true",
            "opened_at": "2026-05-04 10:11:12", "caller_id": {"link": "https://x/y", "value": "62"}},
        "records": [{"number": "INC1", "priority": "1"}, {"number": "INC2", "priority": null}],
        "response": {"status": 200, "headers": {"x-a": "b"}, "body": {"result": []}},
    })
});

static FEEL_RESULT: LazyLock<feel::Value> = LazyLock::new(|| feel::Value::from(&*RESULT));
static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

/// Parses and evaluates a text as FEEL.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = match feel::Expression::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "a syntax error of unbounded length");
            return;
        }
    };
    let environment = functions::environment(jiff::Timestamp::UNIX_EPOCH);
    if let Ok(evaluation) = parsed.evaluate(&FEEL_RESULT, &environment) {
        let json = evaluation.value.to_json();
        assert!(depth(&json) <= JSON_NESTING, "a result nests deeper than JSON is read");
    }
}

/// Reads a text as a JSONPath and follows it.
pub fn json_path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(path) = JsonPath::parse(text) else { return };
    if let Ok(Some(Value::Array(found))) = path.find(&RESULT) {
        assert!(found.len() <= 100_000, "{} matches in a result of 40 values", found.len());
    }
}

/// Renders a text as a template.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(object) = TEMPLATES.render_object("fieldsTemplate", text, &RESULT) {
        let length = Value::Object(object).to_string().len();
        assert!(length <= 2 * MAX_RENDERED, "a template rendered {length} bytes");
    }
}

/// Builds an encoded query from a field, an operator and values, one a line.
///
/// Whatever the values hold, the query is one condition on that field, and no part of it is
/// run by ServiceNow.
pub fn encoded_query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(4, '\n');
    let [field, operator] = [(); 2].map(|()| lines.next().unwrap_or_default());
    let values: Vec<_> = lines.collect();
    let value = match values.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let list = json!([{"field": field, "op": operator, "value": value}]);
    for input in [list, json!({ field: value }), json!(text)] {
        let Ok(query) = query(Some(&input)) else { continue };
        let built = query.encoded.as_str();
        assert!(!built.contains(char::is_control), "control characters in {built:?}");
        if input.is_string() {
            continue;
        }
        assert!(built.starts_with(field), "{built:?} is no condition on {field:?}");
        assert!(!built.contains('^'), "{built:?} is more than one condition");
        assert!(!built.to_ascii_lowercase().contains("javascript:"), "{built:?} would be run");
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// A door: its target's name, and what takes the bytes.
pub type Door = (&'static str, fn(&[u8]));

/// All doors.
pub const DOORS: [Door; 4] = [
    ("expression", expression),
    ("json_path", json_path),
    ("template", template),
    ("encoded_query", encoded_query),
];
