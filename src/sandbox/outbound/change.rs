//! What happened to a record, whether that concerns a rule, and the values it brings.

use jiff::Timestamp;

use super::{BusinessRule, Operation};
use crate::sandbox::{
    caller::Caller,
    display,
    journal::Note,
    query::{Query, Scene, path::Path},
    record::Record,
    schema::Table,
    store::Store,
    time,
};

/// What `${event.…}` knows.
pub(super) const EVENT_FIELDS: [&str; 5] = ["key", "operation", "table", "time", "user"];

/// A committed change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) operation: Operation,
    /// The record before; none of a new one.
    pub(crate) old: Option<&'a Record>,
    /// The record after; of a deleted one what it was.
    pub(crate) new: &'a Record,
    /// What was added to its journals.
    pub(crate) notes: &'a [Note],
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
}

/// The values that a rule's templates may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) change: &'a Change<'a>,
    pub(super) store: &'a Store,
    /// The rule's table.
    pub(super) table: &'a Table,
    /// The delivery's own key.
    pub(super) key: &'a str,
}

/// Where a name's value comes from.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Current(&'a str),
    Previous(&'a str),
    Display(&'a str),
    Event(&'a str),
}

impl<'a> Source<'a> {
    fn of(name: &'a str) -> Self {
        match name.split_once('.') {
            Some(("current", field)) => Self::Current(field),
            Some(("previous", field)) => Self::Previous(field),
            Some(("display", field)) => Self::Display(field),
            Some(("event", field)) => Self::Event(field),
            _ => Self::Current(name),
        }
    }
}

/// Whether a template of a rule on that table may have this name.
pub(super) fn is_known(store: &Store, table: &Table, name: &str) -> bool {
    match Source::of(name) {
        Source::Event(field) => EVENT_FIELDS.contains(&field),
        Source::Current(field) | Source::Previous(field) | Source::Display(field) => {
            Path::resolve(store, table, field).is_some()
        }
    }
}

impl Change<'_> {
    /// Whether the rule fires.
    pub(super) fn meets(&self, rule: &BusinessRule, store: &Store) -> bool {
        let Some(table) = store.table(&rule.table) else { return false };
        let by = &self.caller.user_name;
        rule.when.contains(&self.operation)
            && table.family.contains(&self.new.class)
            && !rule.unless_user.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(by))
            && self.touches(&rule.changes)
            && self.satisfies(&rule.condition, store, table)
    }

    /// A deletion changes no field, and takes all of them away.
    fn touches(&self, fields: &[String]) -> bool {
        fields.is_empty()
            || self.operation == Operation::Delete
            || fields.iter().any(|field| self.changed(field))
    }

    fn changed(&self, field: &str) -> bool {
        let before = self.old.map_or("", |old| old.get(field));
        before != self.new.get(field) || self.note(field).is_some()
    }

    fn note(&self, field: &str) -> Option<&str> {
        let mut notes = self.notes.iter();
        notes.find(|note| &*note.element == field).map(|note| note.text.as_str())
    }

    fn satisfies(&self, condition: &str, store: &Store, table: &Table) -> bool {
        if condition.is_empty() {
            return true;
        }
        let scene = Scene {
            now: self.now,
            zone: &self.caller.zone,
            user_id: &self.caller.sys_id,
            user_name: &self.caller.user_name,
        };
        Query::parse(condition, store, table, &scene).matches(store, self.new)
    }
}

impl Values<'_> {
    /// The value of a name; what is not there is an empty text.
    pub(super) fn of(&self, name: &str) -> String {
        match Source::of(name) {
            Source::Event(field) => self.event(field),
            Source::Previous(field) => {
                self.change.old.map_or_else(String::new, |old| self.raw(old, field))
            }
            // A journal's raw value is empty; a rule sees what this change adds to it.
            Source::Current(field) => match self.change.note(field) {
                Some(text) => text.to_owned(),
                None => self.raw(self.change.new, field),
            },
            Source::Display(field) => self.display(field),
        }
    }

    fn raw(&self, record: &Record, field: &str) -> String {
        let path = Path::resolve(self.store, self.table, field);
        path.map_or_else(String::new, |path| path.value(self.store, record).to_owned())
    }

    fn display(&self, field: &str) -> String {
        let Some(path) = Path::resolve(self.store, self.table, field) else { return String::new() };
        let end = path.walk(self.store, self.change.new);
        end.map_or_else(String::new, |(record, column)| {
            display::of_field(self.store, record, column, &self.change.caller.zone)
        })
    }

    fn event(&self, field: &str) -> String {
        let change = self.change;
        match field {
            "key" => self.key.to_owned(),
            "operation" => change.operation.as_str().to_owned(),
            "table" => change.new.class.to_string(),
            "time" => time::raw(change.now),
            "user" => change.caller.user_name.clone(),
            _ => String::new(),
        }
    }
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}
