//! JSON to values and back.
//!
//! Numbers keep every digit. Temporals become the ISO texts of the Java library (no zone
//! name, hours instead of days); ranges and functions have no JSON and become null.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Context, Value};
use crate::feel::number::Number;

/// Keys met so far: the records of a list share theirs.
#[derive(Default)]
struct Keys<'a>(HashMap<&'a str, Arc<str>>);

impl<'a> Keys<'a> {
    fn shared(&mut self, key: &'a str) -> Arc<str> {
        Arc::clone(self.0.entry(key).or_insert_with(|| Arc::from(key)))
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        convert(json, &mut Keys::default())
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from(&json)
    }
}

fn convert<'a>(json: &'a Json, keys: &mut Keys<'a>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => from_number(number),
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => {
            Value::list(items.iter().map(|item| convert(item, keys)).collect::<Vec<_>>())
        }
        Json::Object(entries) => {
            let entries =
                entries.iter().map(|(key, value)| (keys.shared(key), convert(value, keys)));
            let entries = entries.collect();
            Value::Context(Arc::new(Context::from_distinct(entries)))
        }
    }
}

/// A number beyond all decimals (an exponent over 32,000) becomes null.
fn from_number(number: &serde_json::Number) -> Value {
    Number::parse(number.as_str()).map_or(Value::Null, Value::Number)
}

impl Value {
    /// The value as JSON.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null | Self::Range(_) | Self::Function(_) => Json::Null,
            Self::Boolean(boolean) => Json::Bool(*boolean),
            Self::Number(number) => to_number(number),
            Self::String(text) => Json::String(text.to_string()),
            Self::List(list) => Json::Array(list.iter().map(Self::to_json).collect()),
            Self::Context(context) => {
                let entries = context.iter().map(|(key, value)| (key.to_string(), value.to_json()));
                Json::Object(entries.collect())
            }
            temporal => Json::String(temporal.java_text().unwrap_or_default()),
        }
    }
}

fn to_number(number: &Number) -> Json {
    match number.to_i64() {
        Some(whole) if number.is_machine() => whole.into(),
        _ => number.to_string().parse().map_or(Json::Null, Json::Number),
    }
}
