//! Values picked from a request: a FEEL expression (`=…`) or a JSONPath (`$…`).
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use crate::{
    connector::{JsonPath, functions},
    feel,
    outcome::cut,
};

/// Most characters of what is wrong that a caller is shown.
const MAX_SHOWN: usize = 300;

/// Picks a value; checked when the configuration is read.
#[derive(Clone, Debug)]
pub struct Picker {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Feel(feel::Expression),
    Path(JsonPath),
}

/// What pickers see. A JSONPath looks at the body; FEEL sees these names.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    body: Value,
    context: feel::Value,
    now: jiff::Timestamp,
}

impl Picker {
    /// Reads a picker; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('$') {
            let path = JsonPath::parse(text)?;
            return Ok(Self { text: text.to_owned(), kind: Kind::Path(path) });
        }
        if !text.starts_with('=') {
            return Err(format!(
                "'{}' is neither FEEL nor JSONPath: write =body.name or $.name",
                cut(text, 80)
            ));
        }
        let parsed = feel::Expression::parse(text);
        let parsed = parsed.map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), kind: Kind::Feel(parsed) })
    }

    /// As it stands in the configuration, not at any length.
    pub(crate) fn text(&self) -> String {
        cut(&self.text, MAX_SHOWN)
    }

    /// Why there is no value: what the expression did not find. It may quote the body.
    pub(crate) fn why_nothing(&self, scope: &Scope) -> String {
        let Kind::Feel(expression) = &self.kind else { return String::new() };
        let environment = functions::environment(scope.now);
        let Ok(evaluation) = expression.evaluate(&scope.context, &environment) else {
            return String::new();
        };
        let warnings: Vec<_> = evaluation.warnings.iter().map(ToString::to_string).collect();
        if warnings.is_empty() {
            return String::new();
        }
        format!(" ({})", cut(&warnings.join("; "), MAX_SHOWN))
    }

    /// The value; null where there is none.
    pub(crate) fn pick(&self, scope: &Scope) -> Result<Value, String> {
        match &self.kind {
            Kind::Path(path) => path.find(&scope.body).map(Option::unwrap_or_default),
            Kind::Feel(expression) => {
                let environment = functions::environment(scope.now);
                let evaluated = expression.evaluate(&scope.context, &environment);
                let evaluation = evaluated.map_err(|error| cut(&error.to_string(), MAX_SHOWN))?;
                Ok(evaluation.value.to_json())
            }
        }
    }

    /// The value as a text that identifies something: a text that is not empty, or a number.
    pub(crate) fn pick_text(&self, scope: &Scope) -> Result<Option<String>, String> {
        match self.pick(scope)? {
            Value::Null => Ok(None),
            Value::String(text) if text.trim().is_empty() => Ok(None),
            Value::String(text) => Ok(Some(text)),
            Value::Number(number) => Ok(Some(number.to_string())),
            other => Err(format!("gives {}, not a text or number", kind_of(&other))),
        }
    }
}

impl Scope {
    /// Over a body, with further names for FEEL.
    pub(crate) fn new(
        body: Value,
        names: impl IntoIterator<Item = (&'static str, Value)>,
        now: jiff::Timestamp,
    ) -> Self {
        let mut entries = vec![("body".into(), feel::Value::from(&body))];
        let names = names.into_iter();
        entries.extend(names.map(|(name, value)| (name.into(), feel::Value::from(value))));
        Self { context: feel::Value::context(entries), body, now }
    }

    /// With one more name for FEEL.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        let known = self.context.as_context();
        let mut entries: Vec<_> = known.into_iter().flatten().cloned().collect();
        entries.push((name.into(), feel::Value::from(value)));
        self.context = feel::Value::context(entries);
        self
    }

    /// The body.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }
}

/// What a value is, in words for people.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// An object, or what the value is in its place.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, &'static str> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        other => Err(kind_of(&other)),
    }
}
