//! Journal fields: a write appends an entry to `sys_journal_field`, a raw read is empty,
//! a display read is the history, newest first.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{record::Record, schema::Name, store::Store, time};

const TABLE: &str = "sys_journal_field";

/// Text for one journal of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) element: Name,
    pub(crate) text: String,
}

/// Appends the notes to a record's journals.
pub(crate) fn append(store: &mut Store, record: &Record, notes: &[Note], now: &str, by: &str) {
    let Some(table) = store.table(TABLE).cloned() else { return };
    for note in notes {
        let mut entry = Record::new(&table.name);
        let id = store.new_id();
        let fields = [
            ("sys_id", id.as_str()),
            ("name", &record.class),
            ("element", &note.element),
            ("element_id", record.sys_id()),
            ("value", &note.text),
            ("sys_created_on", now),
            ("sys_created_by", by),
        ];
        for (field, value) in fields {
            entry.set_in(&table, field, value);
        }
        store.insert(entry);
    }
}

/// The entries of some of a record's journals as one text.
pub(crate) fn history(
    store: &Store,
    record: &Record,
    elements: &[&str],
    zone: &TimeZone,
) -> String {
    let mut text = String::new();
    let Some(table) = store.table(TABLE) else { return text };
    let entries = store.lookup(table, "element_id", record.sys_id()).unwrap_or_default();
    for entry in entries.iter().rev().filter(|entry| elements.contains(&entry.get("element"))) {
        // Writing to a String cannot fail.
        let _written = write!(
            text,
            "{} - {} ({})\n{}\n\n",
            time::seen_in(entry.get("sys_created_on"), zone),
            author(store, entry.get("sys_created_by")),
            label(store, record, entry.get("element")),
            entry.get("value"),
        );
    }
    text
}

fn author(store: &Store, user_name: &str) -> String {
    let users = store.table("sys_user").and_then(|t| store.lookup(t, "user_name", user_name));
    let name = users.as_ref().and_then(|found| found.first()).map(|user| user.get("name"));
    name.filter(|name| !name.is_empty()).unwrap_or(user_name).to_owned()
}

fn label(store: &Store, record: &Record, element: &str) -> String {
    let column = store.table(&record.class).and_then(|table| table.column(element));
    column.map_or_else(|| element.to_owned(), |column| column.label.clone())
}
