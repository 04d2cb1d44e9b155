//! JSON bodies, read as kindly as can be done without guessing.
//!
//! Flow authors and generated clients send numbers as text, empty text for what they do not
//! set, `"true"`, and variables as JSON text. All that has one meaning and is taken. Names
//! that we do not know are refused, as Camunda's API does: they would be lost in silence.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use super::{expression::kind_of, problem::Problem};
use crate::{job::Variables, outcome::cut, ports::DEFAULT_TENANT};

/// Longest name, key or id that is passed on; Zeebe's own limit.
pub(crate) const MAX_TEXT: usize = 32_768;

/// Reads a body; an empty one is null.
pub(crate) fn json(body: &[u8], max_depth: usize) -> Result<Value, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::unreadable("the body is no UTF-8 text: send JSON in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    // First on the text: the parser's own limit is deeper.
    if depth(text) > max_depth {
        return Err(too_deep(max_depth));
    }
    serde_json::from_str(text).map_err(|error| {
        let hint = if error.to_string().contains("control character") {
            "; escape line breaks in texts, for instance with JSON.stringify"
        } else {
            ""
        };
        Problem::unreadable(format!("the body is no JSON: {error}{hint}"))
    })
}

/// Reads a body in which variables that are JSON text count as what the text says.
pub(crate) fn with_variables(body: &[u8], max_depth: usize) -> Result<Value, Problem> {
    let mut body = json(body, max_depth)?;
    if let Some(variables) = body.get_mut("variables")
        && let Value::String(text) = variables
        && depth(text) <= max_depth
        && let Ok(read) = serde_json::from_str(text)
    {
        *variables = read;
    }
    Ok(body)
}

fn too_deep(max_depth: usize) -> Problem {
    Problem::unreadable(format!("the JSON nests deeper than {max_depth} levels"))
}

/// How deep brackets nest outside of texts.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The properties of a request, taken one by one.
#[derive(Debug)]
pub(crate) struct Fields {
    map: Map<String, Value>,
    max_depth: usize,
}

impl Fields {
    /// Reads a body that must be an object.
    pub(crate) fn read(body: &[u8], max_depth: usize) -> Result<Self, Problem> {
        match json(body, max_depth)? {
            Value::Object(map) => Ok(Self { map, max_depth }),
            Value::Null => Err(Problem::unreadable("the body is empty: send a JSON object")),
            other => Err(Problem::unreadable(format!(
                "the body is {}: send a JSON object",
                kind_of(&other)
            ))),
        }
    }

    /// As [`Self::read`], for bodies that may be missing.
    pub(crate) fn read_or_empty(body: &[u8], max_depth: usize) -> Result<Self, Problem> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self { map: Map::new(), max_depth });
        }
        Self::read(body, max_depth)
    }

    /// The property, unless it is absent, null or empty text.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, max: usize) -> Result<Option<String>, Problem> {
        let text = match self.take(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => return Err(wrong(name, "is text", &other)),
        };
        if text.chars().count() > max {
            return Err(Problem::invalid(format!("{name} is longer than {max} characters")));
        }
        Ok(Some(text))
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, name: &str, max: usize) -> Result<String, Problem> {
        let text = self.text(name, max)?;
        text.ok_or_else(|| Problem::invalid(format!("{name} is missing")))
    }

    /// A whole number of at least `min`, also as text.
    pub(crate) fn number(&mut self, name: &str, min: i64) -> Result<Option<i64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = match &value {
            Value::Number(number) => whole(&number.to_string()),
            Value::String(text) => whole(text.trim()),
            _ => None,
        };
        let number = number.filter(|number| *number >= min);
        number
            .map(Some)
            .ok_or_else(|| wrong(name, &format!("is a whole number from {min} on"), &value))
    }

    /// `true` or `false`, also as text.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(wrong(name, "is true or false", &other)),
        }
    }

    /// Texts.
    pub(crate) fn texts(&mut self, name: &str, max: usize) -> Result<Vec<String>, Problem> {
        let items = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(wrong(name, "is a list of texts", &other)),
        };
        if items.len() > max {
            return Err(Problem::invalid(format!("{name} has more than {max} entries")));
        }
        let text = |item: Value| match item {
            Value::String(text) => Ok(text),
            other => Err(wrong(name, "is a list of texts", &other)),
        };
        items.into_iter().map(text).collect()
    }

    /// Objects.
    pub(crate) fn objects(&mut self, name: &str, max: usize) -> Result<Vec<Fields>, Problem> {
        let items = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(wrong(name, "is a list of objects", &other)),
        };
        if items.len() > max {
            return Err(Problem::invalid(format!("{name} has more than {max} entries")));
        }
        let max_depth = self.max_depth;
        let fields = |item: Value| match item {
            Value::Object(map) => Ok(Fields { map, max_depth }),
            other => Err(wrong(name, "is a list of objects", &other)),
        };
        items.into_iter().map(fields).collect()
    }

    /// Variables: an object, also as JSON text.
    pub(crate) fn variables(&mut self) -> Result<Variables, Problem> {
        match self.take("variables") {
            None => Ok(Variables::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(Value::String(text)) => self.variables_of_text(&text),
            Some(other) => Err(wrong("variables", "is an object", &other)),
        }
    }

    fn variables_of_text(&self, text: &str) -> Result<Variables, Problem> {
        if depth(text) > self.max_depth {
            return Err(too_deep(self.max_depth));
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(other) => Err(wrong("variables", "is an object, also as JSON text", &other)),
            Err(error) => {
                Err(Problem::unreadable(format!("variables is text, but no JSON: {error}")))
            }
        }
    }

    /// The tenant; the default one when none is named.
    pub(crate) fn tenant(&mut self) -> Result<String, Problem> {
        let Some(tenant) = self.text("tenantId", 31)? else { return Ok(DEFAULT_TENANT.to_owned()) };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if tenant == DEFAULT_TENANT || tenant.chars().all(plain) {
            return Ok(tenant);
        }
        Err(Problem::invalid("tenantId has letters, digits, '_', '.' and '-' only"))
    }

    /// Whatever is left is not known.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::unreadable(format!(
                "Request property [{}] cannot be parsed: it is not known here",
                cut(name, 80)
            ))),
        }
    }
}

/// A whole number: `7`, also `7.0`, never `7.5` or `7e99`.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().ok()
}

fn wrong(name: &str, what: &str, value: &Value) -> Problem {
    let shown = match value {
        Value::String(text) => format!("'{}'", cut(text, 40)),
        Value::Number(number) => cut(&number.to_string(), 40),
        other => kind_of(other).to_owned(),
    };
    Problem::unreadable(format!("Request property [{name}] cannot be parsed: it {what}"))
        .aside(format!(", not {shown}"))
}

/// A key of the engine: digits, also with a sign.
pub(crate) fn key(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::read(text.as_bytes(), 8).unwrap()
    }

    #[test]
    fn what_has_one_meaning_is_taken() {
        let mut fields = fields(
            r#"{"version": "7", "other": 7.0, "none": "", "yes": "True", "no": "", "key": 12,
                "variables": "{\"a\": 1}", "tenantId": ""}"#,
        );
        assert_eq!(fields.number("version", -1).unwrap(), Some(7));
        assert_eq!(fields.number("other", -1).unwrap(), Some(7));
        assert_eq!(fields.number("none", -1).unwrap(), None);
        assert!(fields.boolean("yes").unwrap() && !fields.boolean("no").unwrap());
        assert_eq!(fields.text("key", 9).unwrap().as_deref(), Some("12"));
        assert_eq!(fields.variables().unwrap()["a"].to_string(), "1");
        assert_eq!(fields.tenant().unwrap(), "<default>");
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn what_could_mean_something_else_is_refused_by_name() {
        for (text, part) in [
            (
                r#"{"n": "seven"}"#,
                "[n] cannot be parsed: it is a whole number from 1 on, not 'seven'",
            ),
            (r#"{"n": 0}"#, "not 0"),
            (r#"{"n": 1.5}"#, "not 1.5"),
            (r#"{"n": 99999999999999999999}"#, "not 99999999999999999999"),
            (r#"{"n": [1]}"#, "not a list"),
        ] {
            let error = fields(text).number("n", 1).unwrap_err();
            let said = format!("{}{}", error.detail, error.aside);
            assert!(said.contains(part), "{text}: {said}");
        }
        assert!(fields(r#"{"b": 1}"#).boolean("b").is_err());
        assert!(fields(r#"{"variables": [1]}"#).variables().is_err());
        assert!(fields(r#"{"variables": "[1]"}"#).variables().is_err());
        assert!(fields(r#"{"tenantId": "a b"}"#).tenant().is_err());
        assert!(fields(r#"{"x": 1}"#).finish().unwrap_err().detail.contains("[x]"));
    }

    #[test]
    fn depth_counts_brackets_but_not_those_in_texts() {
        assert_eq!(depth(r#"{"a": ["[[[", "\"[[", {}]}"#), 3);
        let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
        assert!(json(deep.as_bytes(), 8).unwrap_err().detail.contains("deeper than 8"));
        assert!(json(deep.as_bytes(), 9).is_ok());
        let hidden = format!(r#"{{"variables": "{{\"a\": {deep}}}"}}"#);
        let error = Fields::read(hidden.as_bytes(), 8).unwrap().variables().unwrap_err();
        assert!(error.detail.contains("deeper"), "{}", error.detail);
    }

    #[test]
    fn a_body_that_is_no_json_says_what_to_do() {
        let error = json(b"{\"a\": \"line\nbreak\"}", 8).unwrap_err();
        assert!(error.detail.contains("JSON.stringify"), "{}", error.detail);
        assert!(json(b"\xff", 8).unwrap_err().detail.contains("UTF-8"));
        assert_eq!(json("\u{feff}{}".as_bytes(), 8).unwrap().to_string(), "{}");
    }

    #[test]
    fn a_key_is_digits() {
        assert_eq!((key("2251799813685249"), key("-1")), (Some(2_251_799_813_685_249), Some(-1)));
        for text in ["", "-", "+1", " 1", "1e3", "0x1", "99999999999999999999"] {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
