//! The conditions of a search against the records that it found.
//!
//! ServiceNow drops a condition on a field that the table does not have, or that the user may
//! not read, and answers the records that meet the rest. What was found shows it: a record
//! comes without the field, or with another value.
#![deny(clippy::disallowed_types)]

use crate::{
    connector::{
        input::{Condition, DisplayValue},
        operation::{echo::same_value, table_api::View},
    },
    outcome::cut,
    servicenow::Record,
};

/// The fields of conditions that the answer would not have.
pub(super) fn unselected(view: &View, conditions: &[Condition]) -> Vec<String> {
    let Some(fields) = &view.fields else { return Vec::new() };
    let mut unselected: Vec<String> = Vec::new();
    for Condition { field, .. } in conditions {
        if !fields.contains(field) && !unselected.contains(field) {
            unselected.push(field.clone());
        }
    }
    unselected
}

/// A warning for each condition that a record does not meet.
pub(super) fn ignored(view: &View, conditions: &[Condition], records: &[Record]) -> Vec<String> {
    // Whole records have no fields of the records that they refer to.
    let is_asked_for = |one: &&Condition| view.fields.is_some() || !one.field.contains('.');
    let conditions = conditions.iter().filter(is_asked_for);
    conditions
        .filter_map(|one| records.iter().find_map(|record| contradiction(view, one, record)))
        .collect()
}

fn contradiction(view: &View, condition: &Condition, record: &Record) -> Option<String> {
    let Condition { field, values } = condition;
    let why = if !record.has(field) {
        format!("table '{}' has no such field, or the worker's user may not read it", view.table)
    } else if view.display != DisplayValue::Display && is_comparable(values) {
        let found = record.text(field).unwrap_or_default();
        if values.iter().any(|asked| same_value(asked, found)) {
            return None;
        }
        let asked = cut(&values.join(", "), 80);
        format!("asked for '{asked}', ServiceNow answers '{}'", cut(found, 80))
    } else {
        return None;
    };
    Some(format!(
        "the query's condition on '{field}' may have been ignored, so that other records were found \
         as well: {why}"
    ))
}

/// Whether values can be told from what is stored: moments are read in the user's own zone.
fn is_comparable(values: &[String]) -> bool {
    let is_moment = |text: &String| {
        let bytes = text.trim().as_bytes();
        bytes.len() > 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b' '
    };
    !values.is_empty() && !values.iter().any(is_moment)
}
