//! `query`: the author's text, or values from which a query is built.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use super::{fields::wire_text, invalid, wrong};
use crate::{
    outcome::cut,
    servicenow::{
        EncodedQuery, Error,
        encoded_query::{InvalidQuery, Operator},
    },
};

/// Most conditions of a built query.
const MAX_CONDITIONS: usize = 100;

/// A query, and those of its conditions that the records found can be held against.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) encoded: EncodedQuery,
    /// None for a text: it is the author's own.
    pub(crate) conditions: Vec<Condition>,
}

/// A condition that was built from values.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) field: String,
    /// What the field is one of; empty for tests of another kind.
    pub(crate) values: Vec<String>,
}

/// Reads text, a context `{active: true}` or a list of `{field, op, value}`.
///
/// Null is what a mistyped name gives: it neither means all records nor those without a value.
pub(crate) fn read(value: Option<&Value>) -> Result<Query, Error> {
    match value {
        None => Ok(Query::default()),
        Some(Value::Null) => Err(invalid(
            "query is null, and a search without conditions would read the whole table: correct \
             the expression that gives it, or leave query out to mean every record",
        )),
        Some(Value::String(text)) => {
            let encoded = EncodedQuery::from_text(text).map_err(|error| refused(&error))?;
            Ok(Query { encoded, conditions: Vec::new() })
        }
        Some(Value::Object(map)) => from_context(map),
        Some(Value::Array(conditions)) => from_conditions(conditions),
        Some(other) => Err(wrong(
            "query",
            other,
            "an encoded query as text, a context {field: value}, or a list of {field, op, value}",
        )),
    }
}

fn from_context(map: &Map<String, Value>) -> Result<Query, Error> {
    check_count(map.len())?;
    map.iter().try_fold(Query::default(), |query, (field, value)| {
        let operator = match value {
            Value::Array(_) => Operator::In,
            _ => Operator::Equal,
        };
        condition(query, field, operator, value)
    })
}

fn from_conditions(conditions: &[Value]) -> Result<Query, Error> {
    check_count(conditions.len())?;
    conditions.iter().try_fold(Query::default(), |query, item| {
        let Value::Object(map) = item else {
            return Err(wrong("query", item, "each condition as {field, op, value}"));
        };
        let field = map.get("field").and_then(Value::as_str).unwrap_or_default();
        let value = map.get("value").unwrap_or(&Value::Null);
        let name = map.get("op").and_then(Value::as_str).unwrap_or("=");
        let operator = Operator::parse(name)
            .ok_or_else(|| refused(&InvalidQuery::Operator(name.to_owned(), field.to_owned())))?;
        condition(query, field, operator, value)
    })
}

fn check_count(count: usize) -> Result<(), Error> {
    if count > MAX_CONDITIONS {
        return Err(invalid(format!("query has {count} conditions: {MAX_CONDITIONS} are allowed")));
    }
    Ok(())
}

fn condition(
    mut query: Query,
    field: &str,
    operator: Operator,
    value: &Value,
) -> Result<Query, Error> {
    let texts = match operator {
        Operator::IsEmpty | Operator::IsNotEmpty => Vec::new(),
        Operator::In | Operator::NotIn | Operator::Between => texts_of(field, value)?,
        _ if matches!(value, Value::Array(_)) => {
            return Err(invalid(format!("query: '{field}' has a list: use op in or not in")));
        }
        _ => texts_of(field, value)?,
    };
    let wanted = match operator {
        Operator::IsEmpty | Operator::IsNotEmpty => 0..=0,
        Operator::Between => 2..=2,
        Operator::In | Operator::NotIn => 1..=1_000,
        _ => 1..=1,
    };
    if !wanted.contains(&texts.len()) {
        return Err(invalid(format!(
            "query: '{field}' has {} values where {} are needed",
            texts.len(),
            if operator == Operator::Between { "2" } else { "1 to 1000" }
        )));
    }
    let values: Vec<&str> = texts.iter().map(String::as_str).collect();
    query.encoded = query.encoded.and(field, operator, &values).map_err(|error| refused(&error))?;
    let values = match operator {
        Operator::Equal => texts,
        // One text may be a whole list.
        Operator::In => texts.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    query.conditions.push(Condition { field: field.to_owned(), values });
    Ok(query)
}

fn texts_of(field: &str, value: &Value) -> Result<Vec<String>, Error> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        if matches!(item, Value::Array(_)) {
            return Err(invalid(format!("query: '{field}' holds a list inside a list")));
        }
        texts.push(wire_text(field, item)?.ok_or_else(|| is_null(field, value))?);
    }
    Ok(texts)
}

fn is_null(field: &str, value: &Value) -> Error {
    let field = cut(field, 80);
    invalid(match value {
        Value::Array(_) => format!("query: '{field}' has a null in its list: take it out"),
        _ => format!(
            "query: '{field}' is null: correct the expression that gives it, or ask for records \
             without a value by {{field: \"{field}\", op: \"is empty\"}} in a list of conditions"
        ),
    })
}

fn refused(error: &InvalidQuery) -> Error {
    invalid(format!("query: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn query(value: &Value) -> String {
        read(Some(value)).unwrap().encoded.to_string()
    }

    fn refusal(value: &Value) -> String {
        read(Some(value)).unwrap_err().message
    }

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!(query(&json!(" active=true ")), "active=true");
        assert_eq!(
            query(&json!({"active": true, "state": [1, 2], "close_code": "", "priority": 1})),
            "active=true^stateIN1,2^close_code=^priority=1"
        );
        assert_eq!(
            query(&json!([
                {"field": "short_description", "op": "contains", "value": "Server down"},
                {"field": "priority", "op": "between", "value": [1, 3]},
                {"field": "sys_created_on", "op": ">=", "value": "2026-01-01T01:00:00+01:00"},
                {"field": "caller_id", "op": "is not empty"},
                {"field": "active", "value": true},
            ])),
            "short_descriptionLIKEServer down^priorityBETWEEN1@3\
             ^sys_created_on>=2026-01-01 00:00:00^caller_idISNOTEMPTY^active=true"
        );
        assert_eq!(query(&json!({})), "");
        assert_eq!(read(None).unwrap().encoded.to_string(), "");
    }

    #[test]
    fn null_is_a_mistake_wherever_it_stands() {
        assert!(refusal(&Value::Null).starts_with("query is null"));
        for value in [json!({"a": null}), json!([{"field": "a", "value": null}])] {
            assert!(refusal(&value).starts_with("query: 'a' is null: "), "{value}");
        }
        for op in ["in", "not in", "between"] {
            let list = json!([{"field": "a", "op": op, "value": [1, null]}]);
            assert!(refusal(&list).contains("'a' has a null in its list"), "{op}");
        }
    }

    #[test]
    fn data_cannot_widen_a_built_query() {
        for value in [
            json!({"number": "INC1^ORactive=true"}),
            json!({"number": ["INC1", "x^NQ"]}),
            json!({"number^ORx": "INC1"}),
            json!([{"field": "number", "op": "=^", "value": "x"}]),
            json!([{"field": "number", "value": "javascript:gs.getUserID()"}]),
            json!([{"field": "a=1^b", "value": "x"}]),
        ] {
            assert!(refusal(&value).starts_with("query: "), "{value}");
        }
    }

    #[test]
    fn wrong_shapes_are_said() {
        assert!(refusal(&json!(7)).starts_with("query is a number"));
        assert!(refusal(&json!(["active=true"])).starts_with("query is a text"));
        assert!(
            refusal(&json!([{"field": "a", "op": "sounds like", "value": 1}]))
                .contains("not known")
        );
        assert!(refusal(&json!([{"field": "a", "op": "in", "value": []}])).contains("0 values"));
        assert!(
            refusal(&json!([{"field": "a", "op": "between", "value": [1]}])).contains("1 values")
        );
        assert!(
            refusal(&json!([{"field": "a", "op": "=", "value": [1, 2]}])).contains("use op in")
        );
        assert!(refusal(&json!([{"field": "a"}])).contains("'a' is null"));
        assert!(refusal(&json!({"a": {"b": 1}})).contains("nested context"));
    }
}
