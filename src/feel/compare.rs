//! Equality and order of values.
//!
//! Null equals only null. Values of different types are not comparable (`None`), within
//! lists and contexts they are just not equal. Zoned moments are equal if their text is;
//! their order follows the instant.

use std::cmp::Ordering;

use super::value::{Context, Value};

/// Whether two values are equal; `None` if their types differ.
pub(crate) fn equal(a: &Value, b: &Value) -> Option<bool> {
    Some(match (a, b) {
        (Value::Null, other) | (other, Value::Null) => other.is_null(),
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Time(a), Value::Time(b)) if a.zone.is_some() == b.zone.is_some() => a == b,
        (Value::DateTime(a), Value::DateTime(b)) if a.zone.is_some() == b.zone.is_some() => a == b,
        (Value::DayTimeDuration(a), Value::DayTimeDuration(b)) => a == b,
        (Value::YearMonthDuration(a), Value::YearMonthDuration(b)) => a == b,
        (Value::List(a), Value::List(b)) => same_items(a, b),
        (Value::Context(a), Value::Context(b)) => same_entries(a, b),
        _ => return None,
    })
}

/// Whether two values are equal, those of different types not being so.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    equal(a, b) == Some(true)
}

/// A plain loop, as in `same_entries`: its frame is what a level of nesting costs.
fn same_items(a: &[Value], b: &[Value]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    for (a, b) in a.iter().zip(b) {
        if !same(a, b) {
            return false;
        }
    }
    true
}

fn same_entries(a: &Context, b: &Context) -> bool {
    if a.len() != b.len() {
        return false;
    }
    for (key, value) in a {
        match b.get(key) {
            Some(other) if same(value, other) => {}
            _ => return false,
        }
    }
    true
}

/// The order of two values; `None` if they have none.
pub(crate) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(utf16_order(a, b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => a.order(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.order(b),
        (Value::DayTimeDuration(a), Value::DayTimeDuration(b)) => Some(a.cmp(b)),
        (Value::YearMonthDuration(a), Value::YearMonthDuration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Texts are ordered by their UTF-16 units, as in Java: by the first character that differs.
fn utf16_order(a: &str, b: &str) -> Ordering {
    let blocks = a.as_bytes().chunks(64).zip(b.as_bytes().chunks(64));
    let alike = blocks.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    // What is alike is so in both, and where a character begins in it, too.
    let start = a.floor_char_boundary(alike).min(b.floor_char_boundary(alike));
    a[start..].encode_utf16().cmp(b[start..].encode_utf16())
}

/// How many values a comparison may visit, to be paid before it.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::List(list) => list.weight(),
        Value::Context(context) => context.weight(),
        Value::String(text) => 1 + text_weight(text),
        // Slower to compare, and longer when written, than what is one word.
        Value::Number(number) if !number.is_machine() => 2,
        Value::Date(_) | Value::DayTimeDuration(_) | Value::YearMonthDuration(_) => 2,
        Value::Time(_) | Value::DateTime(_) => 5,
        _ => 1,
    }
}

/// What a text adds to the weight of the value that holds it.
pub(crate) fn text_weight(text: &str) -> usize {
    text.len() / 64
}

#[cfg(test)]
mod tests {
    use super::utf16_order;

    #[test]
    fn texts_are_ordered_by_their_utf_16_units() {
        let starts = [
            "",
            "a",
            &"é".repeat(31),
            &"é".repeat(32),
            &"x".repeat(63),
            &"x".repeat(64),
            &"€".repeat(43),
        ];
        let ends = ["", "a", "b", "é", "ê", "\u{ffee}", "\u{1f600}", "\u{1f601}", "\u{10000}a"];
        for start in starts {
            let texts: Vec<_> = ends.iter().map(|end| [start, end].concat()).collect();
            for a in &texts {
                for b in &texts {
                    let expected = a.encode_utf16().cmp(b.encode_utf16());
                    assert_eq!(utf16_order(a, b), expected, "{a} {b}");
                }
            }
        }
    }
}
