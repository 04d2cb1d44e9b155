//! From what a client sends for a field to the raw value, or to nothing: an instance drops
//! what it does not understand, silently.
//!
//! A reference takes a `sys_id` (also one that points nowhere); names only with
//! `sysparm_input_display_value=true`.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{
    schema::{Column, Kind},
    store::Store,
    time,
};
use crate::servicenow::SysId;

/// How values are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Raw values.
    Raw,
    /// Display values: labels, names, local times.
    Display,
}

/// Reads values for one caller.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) store: &'a Store,
    pub(crate) zone: &'a TimeZone,
    pub(crate) input: Input,
}

impl Reading<'_> {
    /// The raw value to store; `None` when the field is to stay as it is.
    pub(crate) fn accept(&self, column: &Column, value: &Value) -> Option<String> {
        let text = text_of(value);
        match column.kind {
            Kind::Choice => self.choice(column, &text),
            Kind::Boolean => boolean(&text).map(str::to_owned),
            Kind::Guid | Kind::ClassName | Kind::Journal | Kind::JournalList => None,
            _ if text.is_empty() => Some(text),
            Kind::Integer => integer(&text),
            Kind::Reference => self.reference(column, &text),
            Kind::List => Some(self.list(column, &text)),
            Kind::DateTime | Kind::DueDate => self.date_time(&text),
            Kind::Date => time::parse(&text).map(|moment| moment.date().to_string()),
            Kind::Duration => time::parse(&text).map(time::text),
            Kind::String => Some(text),
        }
    }

    /// A choice cannot be cleared, and takes listed values only.
    fn choice(&self, column: &Column, text: &str) -> Option<String> {
        let by_label = column.choices.iter().find(|(_, label)| label.eq_ignore_ascii_case(text));
        match self.input {
            Input::Display if by_label.is_some() => by_label.map(|(value, _)| value.clone()),
            _ => column.label_of(text).map(|_| text.to_owned()),
        }
    }

    fn reference(&self, column: &Column, text: &str) -> Option<String> {
        if SysId::parse(text).is_ok_and(|id| id.as_str() == text) || text == "global" {
            return Some(text.to_owned());
        }
        if self.input == Input::Raw {
            return None;
        }
        let table = self.store.table(column.reference.as_deref()?)?;
        let keys = [table.display.as_deref().unwrap_or("name"), "user_name", "number"];
        let mut rows = self.store.scan(table).into_iter();
        rows.find(|row| keys.iter().any(|key| row.get(key).eq_ignore_ascii_case(text)))
            .map(|row| row.sys_id().to_owned())
    }

    fn list(&self, column: &Column, text: &str) -> String {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let ids: Vec<String> = items
            .map(|item| self.reference(column, item).unwrap_or_else(|| item.to_owned()))
            .collect();
        ids.join(",")
    }

    fn date_time(&self, text: &str) -> Option<String> {
        let moment = time::parse(text)?;
        match self.input {
            Input::Raw => Some(time::text(moment)),
            Input::Display => time::to_raw(moment, self.zone),
        }
    }
}

/// A JSON value as the text an instance makes of it. An object with `value` (what a read
/// answered) counts as that value.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) if object.contains_key("value") => {
            object.get("value").map(text_of).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

fn boolean(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some("true"),
        "false" | "0" | "no" | "" => Some("false"),
        _ => None,
    }
}

fn integer(text: &str) -> Option<String> {
    let plain = text.trim().replace(',', "");
    let whole = plain.split_once('.').map_or(plain.as_str(), |(whole, _)| whole);
    whole.parse::<i64>().ok().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::{Value, json};

    use super::{Input, Reading};
    use crate::sandbox::{schema::Schema, store::Store};

    fn accept(input: Input, field: &str, value: &Value) -> Option<String> {
        let store = Store::new(Schema::build(&[]).unwrap(), fastrand::Rng::with_seed(1));
        let column = store.table("incident").unwrap().column(field).unwrap().clone();
        Reading { store: &store, zone: &TimeZone::UTC, input }.accept(&column, value)
    }

    #[test]
    fn numbers_and_booleans_become_texts() {
        assert_eq!(accept(Input::Raw, "urgency", &json!(2)).unwrap(), "2");
        assert_eq!(accept(Input::Raw, "knowledge", &json!(true)).unwrap(), "true");
        assert_eq!(accept(Input::Raw, "short_description", &json!(1.5)).unwrap(), "1.5");
        assert_eq!(accept(Input::Raw, "short_description", &Value::Null).unwrap(), "");
    }

    #[test]
    fn what_a_field_cannot_hold_is_dropped() {
        for (field, value) in [
            ("state", json!("99")),
            ("state", json!("")),
            ("state", json!("In Progress")),
            ("caller_id", json!("Abel Tuter")),
            ("due_date", json!("2026-01-01T00:00:00Z")),
            ("knowledge", json!("perhaps")),
            ("order", json!("many")),
        ] {
            assert_eq!(accept(Input::Raw, field, &value), None, "{field} {value}");
        }
    }

    #[test]
    fn display_input_takes_labels() {
        assert_eq!(accept(Input::Display, "state", &json!("in progress")).unwrap(), "2");
        assert_eq!(accept(Input::Display, "state", &json!("2")).unwrap(), "2");
    }
}
