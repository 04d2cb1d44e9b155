//! Encoded queries, read the way an instance reads them.
//!
//! `^` is and, `^OR` binds to the condition before it, `^NQ` is or between whole blocks.
//! A part with an unknown field, an unknown operator or an unreadable value is dropped
//! and the rest holds: in the worst case every record matches. Not understood, and so
//! dropped as well: `RLQUERY`, `IN_HIERARCHY`, the operators of notification conditions.

mod condition;
mod dates;
mod parse;
pub(crate) mod path;
mod script;

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use self::{
    condition::{Condition, Test},
    path::{Path, compare},
};
use super::{
    display,
    record::Record,
    schema::{Kind, Table},
    store::Store,
};

/// A query ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Any block must hold; in a block all sets; in a set any condition.
    blocks: Vec<Vec<Vec<Condition>>>,
    order: Vec<(Path, Direction)>,
    /// Whether a part was dropped.
    pub(crate) has_invalid_part: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// What scripts in a query can see.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    pub(crate) user_id: &'a str,
    pub(crate) user_name: &'a str,
}

impl Query {
    /// Reads an encoded query.
    pub(crate) fn parse(text: &str, store: &Store, table: &Table, scene: &Scene<'_>) -> Self {
        parse::query(text, store, table, scene)
    }

    /// Reads `field=value` pairs; values may be display values.
    pub(crate) fn of_pairs(pairs: &[(&str, &str)], store: &Store, table: &Table) -> Self {
        let mut query = Self { blocks: vec![Vec::new()], ..Self::default() };
        for (field, value) in pairs {
            match Path::resolve(store, table, field) {
                Some(field) => {
                    query.blocks[0]
                        .push(vec![Condition { field, test: Test::Shows((*value).to_owned()) }]);
                }
                None => query.has_invalid_part = true,
            }
        }
        query
    }

    /// The records of the table that match, in the order asked for, else oldest first.
    pub(crate) fn select<'a>(&'a self, store: &'a Store, table: &Table) -> Vec<&'a Arc<Record>> {
        let mut found = self.candidates(store, table);
        found.retain(|record| self.matches(store, record));
        if !self.order.is_empty() {
            self.sort(store, &mut found);
        }
        found
    }

    /// Whether the record matches.
    pub(crate) fn matches(&self, store: &Store, record: &Record) -> bool {
        self.blocks.is_empty()
            || self.blocks.iter().any(|block| {
                block.iter().all(|set| set.iter().any(|condition| condition.holds(store, record)))
            })
    }

    /// All records that can match: found by index where one condition allows it.
    fn candidates<'a>(&self, store: &'a Store, table: &Table) -> Vec<&'a Arc<Record>> {
        let [block] = self.blocks.as_slice() else { return store.scan(table) };
        for set in block {
            if let [Condition { field, test: Test::Is(value) }] = set.as_slice()
                && let Some(column) = field.own_column()
            {
                if column.kind == Kind::Guid {
                    return store.find(table, value).into_iter().collect();
                }
                let found = (!value.is_empty()).then(|| store.lookup(table, &column.name, value));
                if let Some(found) = found.flatten() {
                    return found;
                }
            }
        }
        store.scan(table)
    }

    /// Sorts by keys that are worked out once a record.
    fn sort<'a>(&'a self, store: &'a Store, found: &mut Vec<&'a Arc<Record>>) {
        let key = |record: &'a Record| -> Vec<Cow<'a, str>> {
            self.order.iter().map(|(path, _)| sort_key(store, path, record)).collect()
        };
        let mut keyed: Vec<_> = found.drain(..).map(|record| (key(record), record)).collect();
        keyed.sort_by(|(left, _), (right, _)| self.order_of(left, right));
        found.extend(keyed.into_iter().map(|(_, record)| record));
    }

    fn order_of(&self, left: &[Cow<'_, str>], right: &[Cow<'_, str>]) -> Ordering {
        for ((path, direction), (left, right)) in self.order.iter().zip(left.iter().zip(right)) {
            let order = compare(path.last(), left, right);
            let order = if *direction == Direction::Down { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// References are sorted by the names of what they point to.
fn sort_key<'a>(store: &'a Store, path: &'a Path, record: &'a Record) -> Cow<'a, str> {
    match path.walk(store, record) {
        Some((last, column)) if column.kind == Kind::Reference => {
            display::of_reference(store, column, last.get(&column.name)).into()
        }
        Some((last, column)) => last.get(&column.name).into(),
        None => "".into(),
    }
}

#[cfg(test)]
mod tests;
