//! A field of a record, or of a record that it refers to: `caller_id.company.name`.

use std::{cmp::Ordering, sync::Arc};

use crate::sandbox::{
    record::Record,
    schema::{Column, Kind, Table},
    store::Store,
};

/// Columns to walk; all but the last are references.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    columns: Vec<Arc<Column>>,
}

impl Path {
    /// Finds the columns; `None` when one is not there or leads nowhere.
    pub(crate) fn resolve(store: &Store, table: &Table, text: &str) -> Option<Self> {
        let mut columns = Vec::new();
        let mut names = text.split('.');
        let mut column = table.column(names.next()?)?.clone();
        for name in names {
            let target = store.table(column.reference.as_deref()?)?;
            if column.kind != Kind::Reference {
                return None;
            }
            columns.push(std::mem::replace(&mut column, target.column(name)?.clone()));
        }
        columns.push(column);
        Some(Self { columns })
    }

    /// The record at the end of the way and the column to read of it; `None` when a
    /// reference on the way is empty or points nowhere.
    pub(crate) fn walk<'a>(
        &'a self,
        store: &'a Store,
        record: &'a Record,
    ) -> Option<(&'a Record, &'a Column)> {
        let (last, way) = self.columns.split_last()?;
        let mut here = record;
        for column in way {
            here = store.find_in(column.reference.as_deref()?, here.get(&column.name))?;
        }
        Some((here, last))
    }

    /// The raw value at the end of the way.
    pub(crate) fn value<'a>(&'a self, store: &'a Store, record: &'a Record) -> &'a str {
        self.walk(store, record).map_or("", |(last, column)| last.get(&column.name))
    }

    /// The column at the end.
    pub(crate) fn last(&self) -> Option<&Column> {
        self.columns.last().map(Arc::as_ref)
    }

    /// The column, when it is one of the record itself.
    pub(crate) fn own_column(&self) -> Option<&Column> {
        match self.columns.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// The order of two values of a column: numbers as numbers, texts without regard to case.
pub(crate) fn compare(column: Option<&Column>, left: &str, right: &str) -> Ordering {
    if column.is_some_and(Column::is_numeric)
        && let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>())
    {
        return left.cmp(&right);
    }
    if left.is_ascii() && right.is_ascii() {
        let left = left.bytes().map(|byte| byte.to_ascii_lowercase());
        return left.cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    let left = left.chars().flat_map(char::to_lowercase);
    left.cmp(right.chars().flat_map(char::to_lowercase))
}
