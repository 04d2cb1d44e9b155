//! Functions that turn values into texts and numbers, and back.

mod text;

use super::{Builtin, Call};
use crate::feel::compare::weight;
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("string", &["from"], string),
    Builtin::new("number", &["from"], number),
    Builtin::new("number", &["from", "grouping separator"], number),
    Builtin::new("number", &["from", "grouping separator", "decimal separator"], number),
    Builtin::new("to json", &["value"], to_json),
    Builtin::new("from json", &["json"], from_json),
];

fn string(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Null] => Ok(Value::Null),
        [Value::String(text)] => Ok(Value::String(text.clone())),
        [value] => text::plain(call, value).map(Value::from),
        _ => call.mismatch(arguments),
    }
}

/// Reads a number; separators may be left out by null.
fn number(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (text, grouping, point) = match arguments {
        [Value::String(text)] => (text, None, None),
        [Value::String(text), Value::String(grouping)]
        | [Value::String(text), Value::String(grouping), Value::Null] => {
            (text, Some(&**grouping), None)
        }
        [Value::String(text), Value::Null, Value::String(point)] => (text, None, Some(&**point)),
        [Value::String(text), Value::String(grouping), Value::String(point)] => {
            (text, Some(&**grouping), Some(&**point))
        }
        _ => return call.mismatch(arguments),
    };
    if grouping.is_some_and(|sign| !matches!(sign, " " | "," | "."))
        || point.is_some_and(|sign| !matches!(sign, "," | ".") || grouping == point)
    {
        return call.null("the separators must differ and be ',' or '.', for grouping also ' '");
    }
    call.budget().bytes(text.len())?;
    call.budget().steps(cost::reading(text))?;
    let digits = text.replace(grouping.unwrap_or("\0"), "").replace(point.unwrap_or("."), ".");
    match Number::parse(&digits) {
        Some(number) => Ok(Value::Number(number)),
        None => call.null(format!("'{}' is no number", shortened(text))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn to_json(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = arguments else { return call.mismatch(arguments) };
    text::json(call, value).map(Value::from)
}

/// Reads JSON; temporals in it stay texts.
fn from_json(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let text = match arguments {
        [Value::Null] => return Ok(Value::Null),
        [Value::String(text)] => text,
        _ => return call.mismatch(arguments),
    };
    call.budget().bytes(text.len())?;
    // Each of many short entries takes longer than its bytes.
    call.budget().steps(text.len() + text.len() / 2)?;
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => {
            let value = Value::from(json);
            call.budget().items(weight(&value))?;
            Ok(value)
        }
        Err(error) => call.null(format!("the text is no JSON: {error}")),
    }
}
