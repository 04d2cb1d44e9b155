//! One row: its table and the fields that are not empty.

use std::collections::BTreeMap;

use super::schema::{Name, Table};

/// A row. Every value is a text; a field without value is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) class: Name,
    values: BTreeMap<Name, String>,
}

impl Record {
    pub(crate) fn new(class: &Name) -> Self {
        Self { class: class.clone(), values: BTreeMap::new() }
    }

    /// The raw value; empty when there is none.
    pub(crate) fn get(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    pub(crate) fn sys_id(&self) -> &str {
        self.get("sys_id")
    }

    pub(crate) fn set(&mut self, field: &Name, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.values.remove(field);
        } else {
            self.values.insert(field.clone(), value);
        }
    }

    /// Sets a field by name, if the table has it.
    pub(crate) fn set_in(&mut self, table: &Table, field: &str, value: impl Into<String>) {
        if let Some(column) = table.column(field) {
            self.set(&column.name, value);
        }
    }

    /// Sets a field by name, if the table has it and it is empty.
    pub(crate) fn fill_in(&mut self, table: &Table, field: &str, value: impl Into<String>) {
        if self.get(field).is_empty() {
            self.set_in(table, field, value);
        }
    }

    /// The fields with a value.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.values.iter().map(|(name, value)| (name, value.as_str()))
    }
}
