//! A record as ServiceNow answers it: every scalar a string, in one of three shapes.
//!
//! Raw: `"1"`, a reference `{"link", "value"}` or its bare value. With display values:
//! `"New"`, a reference `{"display_value", "link"}`. With both: `{"display_value", "value"}`
//! for every field. Fields that do not exist or may not be read are simply absent.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(Map<String, Value>);

impl Record {
    /// Reads a record out of an answer's `result`; `None` when that is no object.
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    /// The field's raw value where the answer has it, else its display value; `None` for
    /// an absent field.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.0.get(field)? {
            Value::String(text) => Some(text),
            Value::Object(both) => {
                both.get("value").or_else(|| both.get("display_value")).and_then(Value::as_str)
            }
            _ => None,
        }
    }

    /// Whether the answer has the field, with or without a value.
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: &str) {
        self.0.shift_remove(field);
    }

    /// The record's identity.
    pub fn sys_id(&self) -> Option<&str> {
        self.text("sys_id").filter(|text| !text.is_empty())
    }

    /// The record's number, on tables that have one.
    pub fn number(&self) -> Option<&str> {
        self.text("number").filter(|text| !text.is_empty())
    }

    /// Puts each field's display value in place of a pair of display value and value.
    pub fn reduce_to_display_values(&mut self) {
        for value in self.0.values_mut() {
            if let Some(display) = value.get_mut("display_value") {
                *value = display.take();
            }
        }
    }

    /// The record as JSON.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Record;

    #[test]
    fn raw_values_are_found_in_all_three_shapes() {
        let record = Record::from_value(json!({
            "state": "1",
            "caller_id": {"link": "https://i/api/now/table/sys_user/a", "value": "a"},
            "priority": {"display_value": "3 - Moderate", "value": "3"},
            "opened_by": {"display_value": "David Loo", "link": "https://i"},
            "empty": "",
        }))
        .unwrap();
        assert_eq!(record.text("state"), Some("1"));
        assert_eq!(record.text("caller_id"), Some("a"));
        assert_eq!(record.text("priority"), Some("3"));
        assert_eq!(record.text("opened_by"), Some("David Loo"));
        assert_eq!(record.text("empty"), Some(""));
        assert_eq!(record.text("absent"), None);
        assert_eq!(record.number(), None);
    }

    #[test]
    fn pairs_reduce_to_what_people_see() {
        let mut record = Record::from_value(json!({
            "priority": {"display_value": "3 - Moderate", "value": "3"}, "number": "INC1",
        }))
        .unwrap();
        record.reduce_to_display_values();
        assert_eq!(record.into_value(), json!({"priority": "3 - Moderate", "number": "INC1"}));
    }

    #[test]
    fn anything_but_an_object_is_no_record() {
        assert_eq!(Record::from_value(json!([])), None);
        assert_eq!(Record::from_value(json!("x")), None);
    }
}
