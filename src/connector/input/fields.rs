//! Field values as ServiceNow takes them: texts.
#![deny(clippy::disallowed_types)]

use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Map, Value};

use super::{decimal, invalid, kind_of};
use crate::{
    outcome::cut,
    servicenow::{Error, encoded_query::is_field_name},
};

/// The journal that shows comments and work notes together.
pub(crate) const MERGED_JOURNAL: &str = "comments_and_work_notes";
/// Fields of ServiceNow's own tables that append an entry each time they are written.
pub(crate) const JOURNALS: [&str; 4] =
    ["comments", "work_notes", MERGED_JOURNAL, "approval_history"];

/// Of the names of fields that are null, as much as an error shows.
const MAX_LISTED_CHARS: usize = 500;

/// Field values ready to be sent, in the author's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    values: Vec<(String, String)>,
    /// Journals beside the known ones.
    journals: Vec<String>,
    /// What is null, where the author may have meant a value.
    nulls: Vec<String>,
}

impl Fields {
    /// Reads values. Null is left out, so that the field stays as it is, and so is an empty
    /// context: the first may be a mistake, the second says that it is none.
    pub(crate) fn from_values(values: &Map<String, Value>) -> Result<Self, Error> {
        let mut fields = Vec::with_capacity(values.len());
        let mut nulls = Vec::new();
        for (name, value) in values {
            if !is_field_name(name) {
                return Err(invalid(format!(
                    "fields: '{}' is no field name: use the name, not the label",
                    cut(name, 80)
                )));
            }
            if value.as_object().is_some_and(Map::is_empty) {
                continue;
            }
            match wire_text(name, value)? {
                Some(text) => fields.push((name.clone(), text)),
                None => nulls.push(format!("field '{name}'")),
            }
        }
        Ok(Self { values: fields, journals: Vec::new(), nulls })
    }

    /// The same, when an input that would hold more of them is null.
    pub(super) fn with_null_input(mut self, name: &str) -> Self {
        self.nulls.push(name.to_owned());
        self
    }

    /// A warning for each null that was left out.
    pub(crate) fn null_warnings(&self) -> Vec<String> {
        self.nulls.iter().map(|what| format!("{what} is null and was left out")).collect()
    }

    /// That there is nothing to write, and why.
    pub(super) fn none_has_a_value(&self) -> Error {
        if self.nulls.is_empty() {
            return invalid("fields is missing or empty: give at least one field a value");
        }
        let nulls: Vec<_> = self.nulls.iter().map(|what| format!("{what} is null")).collect();
        invalid(format!(
            "no field has a value ({}): correct the expressions that give null, or give at least \
             one field a value",
            cut(&nulls.join(", "), MAX_LISTED_CHARS)
        ))
    }

    /// The same, on an instance that has these journals of its own.
    pub(crate) fn with_journals(self, names: &[String]) -> Self {
        Self { journals: names.to_vec(), ..self }
    }

    /// Whether a field appends something each time that it is written.
    pub(crate) fn is_journal(&self, field: &str) -> bool {
        JOURNALS.contains(&field) || self.journals.iter().any(|name| name == field)
    }

    /// Whether a write of these fields appends something each time.
    pub(crate) fn write_journals(&self) -> bool {
        self.names().any(|name| self.is_journal(name))
    }

    /// A field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Sets a field unless the author has.
    pub(crate) fn set_if_absent(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none() {
            self.values.push((name.to_owned(), value.into()));
        }
    }

    /// All but these.
    pub(crate) fn without(&self, names: &[String]) -> Self {
        let kept = self.values.iter().filter(|(name, _)| !names.contains(name));
        Self { values: kept.cloned().collect(), ..self.clone() }
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The body of a request.
    pub(crate) fn to_body(&self) -> Value {
        Value::Object(self.values.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect())
    }
}

/// A value as text; `None` for null.
pub(super) fn wire_text(name: &str, value: &Value) -> Result<Option<String>, Error> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => decimal::plain(&number.to_string()).ok_or_else(|| {
            invalid(format!("field '{name}' has a number too long to be a value: give it as text"))
        })?,
        Value::String(text) => utc_text(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => return list_text(name, items).map(Some),
        Value::Object(_) => return Err(nested(name, value)),
    }))
}

fn list_text(name: &str, items: &[Value]) -> Result<String, Error> {
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        if matches!(item, Value::Array(_) | Value::Object(_)) {
            return Err(nested(name, item));
        }
        texts.extend(wire_text(name, item)?);
    }
    Ok(texts.join(","))
}

fn nested(name: &str, value: &Value) -> Error {
    invalid(format!(
        "field '{name}' holds a nested {}: give text, a number, a boolean or a list of these",
        kind_of(value)
    ))
}

/// A date and time with a zone as ServiceNow stores it: UTC, without saying so. Everything
/// else stays text.
fn utc_text(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let looks_like_one = (17..=64).contains(&bytes.len()) && bytes[4] == b'-' && bytes[10] == b'T';
    if !looks_like_one {
        return None;
    }
    let moment = match text.split_once('@') {
        // FEEL writes a zone by name as `…@Europe/Berlin`.
        Some((local, zone)) => {
            format!("{local}[{zone}]").parse::<ZonedDateTime>().ok()?.timestamp()
        }
        None => text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<ZonedDateTime>().ok().map(|zoned| zoned.timestamp()))?,
    };
    Some(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Fields;

    fn text(value: &Value) -> Option<String> {
        let fields = Fields::from_values(json!({ "f": value }).as_object().unwrap()).unwrap();
        fields.get("f").map(str::to_owned)
    }

    fn refusal(value: &Value) -> String {
        Fields::from_values(json!({ "f": value }).as_object().unwrap()).unwrap_err().message
    }

    #[test]
    fn values_become_texts() {
        for (value, expected) in [
            (json!(" as it is "), " as it is "),
            (json!(""), ""),
            (json!(true), "true"),
            (json!(3), "3"),
            (serde_json::from_str("1.50e1").unwrap(), "15.0"),
            (json!(["a", 1, null, false]), "a,1,false"),
            (json!([]), ""),
        ] {
            let expected = if expected == "15.0" { "15" } else { expected };
            assert_eq!(text(&value).as_deref(), Some(expected));
        }
        assert_eq!(text(&json!(null)), None);
    }

    #[test]
    fn moments_with_a_zone_become_utc() {
        for given in [
            "2026-03-29T12:30:00Z",
            "2026-03-29T14:30:00+02:00",
            "2026-03-29T14:30+02:00",
            "2026-03-29T14:30:00.999+02:00",
            "2026-03-29T14:30:00+02:00[Europe/Berlin]",
            "2026-03-29T14:30:00@Europe/Berlin",
            "2026-03-29T14:30:00[Europe/Berlin]",
        ] {
            assert_eq!(text(&json!(given)).as_deref(), Some("2026-03-29 12:30:00"), "{given}");
        }
    }

    #[test]
    fn other_dates_and_texts_stay_as_they_are() {
        for given in [
            "2026-03-29",
            "2026-03-29T14:30:00",
            "2026-03-29 14:30:00",
            "2026-03-29T14:30:00Z is when it broke",
            "2026-13-45T99:99:99Z",
            "äöüäöüäöüäöüäöüäöü",
        ] {
            assert_eq!(text(&json!(given)).as_deref(), Some(given));
        }
    }

    #[test]
    fn nested_values_are_refused_by_the_fields_name() {
        for value in [json!({"a": 1}), json!([[1]]), json!([{"a": 1}])] {
            let message = refusal(&value);
            assert!(message.starts_with("field 'f' holds a nested"), "{message}");
        }
        assert_eq!(text(&json!({})), None);
        assert!(refusal(&serde_json::from_str("1e999").unwrap()).contains("too long"));
    }

    #[test]
    fn labels_are_no_field_names() {
        let map = json!({"Short description": "x"});
        let error = Fields::from_values(map.as_object().unwrap()).unwrap_err();
        assert!(error.message.contains("'Short description' is no field name"));
    }

    #[test]
    fn what_the_author_set_is_not_overwritten() {
        let map = json!({"correlation_id": "mine", "note": null});
        let mut fields = Fields::from_values(map.as_object().unwrap()).unwrap();
        fields.set_if_absent("correlation_id", "ours");
        fields.set_if_absent("note", "ours");
        assert_eq!(fields.to_body(), json!({"correlation_id": "mine", "note": "ours"}));
    }
}
