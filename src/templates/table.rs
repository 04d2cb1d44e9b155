//! What is known of a table's fields: the files under `tables/`, in a form that an
//! instance's own metadata can be written in as well.
#![deny(clippy::disallowed_types)]

use serde::Deserialize;

/// A table and those of its fields that people fill.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub table: String,
    /// What people call it.
    pub label: String,
    /// How its records' numbers begin.
    pub prefix: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether a new record needs it.
    #[serde(default)]
    pub mandatory: bool,
    /// The table that it refers to.
    pub reference: Option<String>,
    /// What it is for.
    pub hint: Option<String>,
    /// The field that decides which of its choices there are.
    pub dependent_on: Option<String>,
    /// Its values.
    #[serde(default)]
    pub choices: Vec<FieldChoice>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A line of text.
    String,
    /// Several lines of text.
    Text,
    /// One of its choices.
    Choice,
    /// The `sys_id` of a record.
    Reference,
    /// Several `sys_id`s.
    List,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A date and time.
    DateTime,
    /// A date.
    Date,
    /// Entries that are added to.
    Journal,
}

/// A value of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldChoice {
    /// What is stored.
    pub value: String,
    /// What people see.
    pub label: String,
    /// The value of the field it depends on for which it is there.
    pub dependent_value: Option<String>,
}

/// Why templates cannot be made from a table's metadata.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTable {
    /// It is not in the form of `tables/*.json`.
    #[error("metadata of table '{0}' cannot be read: {1}")]
    Unreadable(&'static str, serde_json::Error),
    /// A field that a template needs is not there.
    #[error("metadata of table '{0}' has no field '{1}', which its template shows")]
    MissingField(String, &'static str),
}

impl Table {
    /// The metadata of a table, as it is shipped.
    pub fn shipped(name: &'static str, text: &str) -> Result<Self, InvalidTable> {
        serde_json::from_str(text).map_err(|error| InvalidTable::Unreadable(name, error))
    }

    /// A field by name.
    pub fn field(&self, name: &'static str) -> Result<&Field, InvalidTable> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.ok_or_else(|| InvalidTable::MissingField(self.table.clone(), name))
    }
}
