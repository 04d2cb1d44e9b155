//! Variables of a job, read into typed values; past this module there is no raw input.
//!
//! The names are the element templates' bindings and a public contract. Every error names
//! the variable, what it holds and the remedy, and is permanent: nothing has been sent.
//! Null and blank text count as absent, since that is how a modeler leaves a field empty.
#![deny(clippy::disallowed_types)]

mod decimal;
mod fields;
mod query;
mod target;

use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use fields::{Fields, JOURNALS, MERGED_JOURNAL};
#[cfg(feature = "fuzzing")]
pub(crate) use query::read as query;
pub(crate) use query::{Condition, Query};
pub(crate) use target::{Target, connection_name, credential_texts};

use super::{Access, Config, Secrets, honouring::Honouring, template::Templates};
use crate::{
    job::{Job, Variables},
    outcome::cut,
    servicenow::{
        EncodedQuery, Error, Reason, SysId, Table,
        encoded_query::{Operator, is_field_name},
    },
};

/// The inputs of every job type.
pub(crate) const WHERE_AND_WHO: [&str; 4] =
    ["connection", "instance", "authentication", "operation"];

/// The inputs of one job, with what is needed to read them.
pub(crate) struct Inputs<'a> {
    pub(crate) job: &'a Job,
    pub(crate) variables: &'a Variables,
    pub(crate) config: &'a Config,
    pub(crate) target: &'a Target,
    pub(crate) templates: &'a Templates,
    pub(crate) secrets: &'a Secrets,
    pub(crate) honouring: &'a Arc<Honouring>,
    pub(crate) now: jiff::Timestamp,
}

/// How values come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisplayValue {
    Raw,
    Display,
    Both,
}

impl DisplayValue {
    /// The value of `sysparm_display_value`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "false",
            Self::Display => "true",
            Self::Both => "all",
        }
    }
}

/// Which record is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordRef {
    SysId(SysId),
    Number(String),
}

impl Inputs<'_> {
    /// A table that this connection may touch that way.
    pub(crate) fn table(&self, access: Access) -> Result<Table, Error> {
        let text = self.required_text("table", "name the table, e.g. incident")?;
        let table = Table::parse(text).map_err(|error| invalid(format!("table: {error}")))?;
        if self.target.tables.allow(access, &table) {
            return Ok(table);
        }
        let verb = if access == Access::Read { "read" } else { "written" };
        Err(invalid(format!(
            "table '{table}' may not be {verb} over connection '{}': change its tables setting",
            self.target.connection
        )))
    }

    /// The record, by `sysId` or `number`, never both.
    pub(crate) fn record_ref(&self) -> Result<RecordRef, Error> {
        match (self.text("sysId")?, self.text("number")?) {
            (Some(text), None) => Ok(RecordRef::SysId(sys_id("sysId", text)?)),
            (None, Some(number)) => {
                EncodedQuery::default()
                    .and("number", Operator::Equal, &[number])
                    .map_err(|error| invalid(format!("number: {error}")))?;
                Ok(RecordRef::Number(number.to_owned()))
            }
            (Some(_), Some(_)) => Err(invalid("sysId and number are both given: leave one empty")),
            (None, None) => {
                Err(invalid("sysId and number are both missing: give one of them, as text"))
            }
        }
    }

    /// The field values to write: `fieldsTemplate`, overlaid with `fields`, overlaid with
    /// `otherFields`.
    pub(crate) fn fields(&self) -> Result<Fields, Error> {
        let mut values = self.rendered("fieldsTemplate")?.unwrap_or_default();
        for name in ["fields", "otherFields"] {
            if let Some(own) = self.context(name)? {
                values.extend(own.clone());
            }
        }
        let mut fields = Fields::from_values(&values)?.with_journals(&self.target.journal_fields);
        if self.variables.get("otherFields").is_some_and(Value::is_null) {
            fields = fields.with_null_input("otherFields");
        }
        if fields.is_empty() { Err(fields.none_has_a_value()) } else { Ok(fields) }
    }

    /// A template rendered over `templateData` and what is known of the job.
    pub(crate) fn rendered(&self, name: &str) -> Result<Option<Map<String, Value>>, Error> {
        let Some(source) = self.text(name)? else { return Ok(None) };
        let mut data = match self.variables.get("templateData") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(data)) => data.clone(),
            Some(other) => return Err(wrong("templateData", other, "a context")),
        };
        data.entry("job").or_insert_with(|| job_data(self.job));
        self.templates.render_object(name, source, &Value::Object(data)).map(Some)
    }

    /// The query as text, context or list of conditions; absent or empty means all records,
    /// null does not.
    pub(crate) fn query(&self) -> Result<Query, Error> {
        query::read(self.variables.get("query"))
    }

    /// The fields to answer with, `None` for all.
    pub(crate) fn select(&self) -> Result<Option<Vec<String>>, Error> {
        self.field_names("select")
    }

    /// Field names as a list, or as text with commas.
    pub(crate) fn field_names(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let names: Vec<String> = match self.variables.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => {
                text.split(',').map(|part| part.trim().to_owned()).collect()
            }
            Some(list @ Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(|text| text.trim().to_owned()))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong(name, list, "a list of field names"))?,
            Some(other) => {
                return Err(wrong(name, other, "a list of field names, or text with commas"));
            }
        };
        let names: Vec<String> = names.into_iter().filter(|text| !text.is_empty()).collect();
        if let Some(bad) = names.iter().find(|text| !is_field_name(text)) {
            return Err(invalid(format!("{name}: '{}' is no field name", cut(bad, 80))));
        }
        Ok((!names.is_empty()).then_some(names))
    }

    /// `displayValue`, raw by default.
    pub(crate) fn display_value(&self) -> Result<DisplayValue, Error> {
        let word = match self.variables.get("displayValue") {
            Some(Value::Bool(flag)) => {
                return Ok(if *flag { DisplayValue::Display } else { DisplayValue::Raw });
            }
            _ => self.text("displayValue")?,
        };
        match word {
            None | Some("false") => Ok(DisplayValue::Raw),
            Some("true") => Ok(DisplayValue::Display),
            Some("all") => Ok(DisplayValue::Both),
            Some(other) => Err(unknown_word("displayValue", other, "false, true or all")),
        }
    }

    /// Whether a missing record is an error; else the result is null.
    pub(crate) fn missing_is_error(&self) -> Result<bool, Error> {
        match self.text("onMissing")? {
            None | Some("error") => Ok(true),
            Some("null") => Ok(false),
            Some(other) => Err(unknown_word("onMissing", other, "error or null")),
        }
    }

    /// A whole number in a range; numbers in text are taken too.
    pub(crate) fn whole_number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, Error> {
        let text = match self.variables.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(other) => return Err(wrong(name, other, "a whole number")),
        };
        let number = decimal::plain(&text).and_then(|text| text.parse().ok());
        number.filter(|n| range.contains(n)).map(Some).ok_or_else(|| {
            invalid(format!(
                "{name} is {}: use a whole number from {} to {}",
                cut(&text, 40),
                range.start(),
                range.end()
            ))
        })
    }

    /// A text, trimmed; blank counts as absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        text_in(self.variables, name)
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, name: &str, remedy: &str) -> Result<&str, Error> {
        self.text(name)?.ok_or_else(|| invalid(format!("{name} is missing: {remedy}")))
    }

    /// A context; null counts as absent.
    pub(crate) fn context(&self, name: &str) -> Result<Option<&Map<String, Value>>, Error> {
        match self.variables.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(other) => Err(wrong(name, other, "a context, e.g. ={short_description: title}")),
        }
    }
}

/// What templates may say of the job; keys are texts, as everywhere in Camunda's JSON.
fn job_data(job: &Job) -> Value {
    serde_json::json!({
        "bpmnProcessId": job.bpmn_process_id,
        "elementId": job.element_id,
        "processInstanceKey": job.process_instance_key.to_string(),
    })
}

/// A text among variables, trimmed; blank counts as absent.
pub(crate) fn text_in<'a>(variables: &'a Variables, name: &str) -> Result<Option<&'a str>, Error> {
    match variables.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(other) => Err(wrong(name, other, "text")),
    }
}

/// A sys_id in a variable or field.
pub(crate) fn sys_id(name: &str, text: &str) -> Result<SysId, Error> {
    SysId::parse(text).map_err(|error| invalid(format!("{name}: {error}")))
}

/// An input error.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Reason::InvalidInput, message)
}

/// An input of the wrong type.
pub(crate) fn wrong(name: &str, value: &Value, wanted: &str) -> Error {
    invalid(format!("{name} is a {}: give {wanted}", kind_of(value)))
}

/// A word that is not one of the known.
pub(crate) fn unknown_word(name: &str, word: &str, known: &str) -> Error {
    invalid(format!("{name} '{}' is not known: use {known}", cut(word, 40)))
}

/// A value's type in FEEL's words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "context",
    }
}
