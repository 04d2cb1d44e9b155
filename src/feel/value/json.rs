//! JSON to values and back.
//!
//! Numbers keep every digit. Temporals become the ISO texts of the Java library (no zone
//! name, hours instead of days). Functions have no JSON and become null; as entries of a
//! context they are left out.
//!
//! Plain loops instead of iterators: their frames are what a level of nesting costs.

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
        Json::Array(items) => list(items, keys),
        Json::Object(entries) => context(entries, keys),
    }
}

fn list<'a>(items: &'a [Json], keys: &mut Keys<'a>) -> Value {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        values.push(convert(item, keys));
    }
    Value::list(values)
}

fn context<'a>(entries: &'a serde_json::Map<String, Json>, keys: &mut Keys<'a>) -> Value {
    let mut values = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        values.push((keys.shared(key), convert(value, keys)));
    }
    Value::Context(Arc::new(Context::from_distinct(values)))
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
            Self::List(list) => to_array(list),
            Self::Context(context) => to_object(context),
            temporal => Json::String(temporal.java_text().unwrap_or_default()),
        }
    }
}

fn to_array(items: &[Value]) -> Json {
    let mut array = Vec::with_capacity(items.len());
    for item in items {
        array.push(item.to_json());
    }
    Json::Array(array)
}

fn to_object(context: &Context) -> Json {
    let mut object = serde_json::Map::with_capacity(context.len());
    for (key, value) in context {
        if !matches!(value, Value::Function(_)) {
            object.insert(key.to_string(), value.to_json());
        }
    }
    Json::Object(object)
}

fn to_number(number: &Number) -> Json {
    match number.to_i64() {
        Some(whole) if number.is_machine() => whole.into(),
        _ => number.to_string().parse().map_or(Json::Null, Json::Number),
    }
}
