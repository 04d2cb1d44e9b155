//! The records, in memory. Reading by `sys_id` and by a few often asked fields takes no
//! scan; the caller holds the lock, and holds it briefly.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    numbers::Numbers,
    record::Record,
    schema::{Name, Schema, Table},
};

/// Fields that are looked up by value often enough to deserve an index.
const INDEXED: [&str; 4] = ["number", "correlation_id", "element_id", "user_name"];

/// All records and what is needed to make new ones.
#[derive(Debug)]
pub(crate) struct Store {
    schema: Schema,
    tables: HashMap<Name, Rows>,
    next: u64,
    ids: fastrand::Rng,
    pub(crate) numbers: Numbers,
}

/// The rows of one table, in the order of their insertion.
#[derive(Debug, Default)]
struct Rows {
    in_order: BTreeMap<u64, Arc<Record>>,
    by_id: HashMap<String, u64>,
    indexes: [HashMap<String, Vec<u64>>; INDEXED.len()],
}

impl Store {
    pub(crate) fn new(schema: Schema, ids: fastrand::Rng) -> Self {
        let tables = schema.tables().map(|t| (t.name.clone(), Rows::default())).collect();
        Self { schema, tables, next: 0, ids, numbers: Numbers::default() }
    }

    /// The description of a table.
    pub(crate) fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.schema.table(name)
    }

    /// A new identity, as the platform makes them.
    pub(crate) fn new_id(&mut self) -> String {
        format!("{:032x}", self.ids.u128(..))
    }

    /// The record with that `sys_id` in the table or one that extends it. Upper and lower
    /// case are the same, as the real database compares them.
    pub(crate) fn find(&self, table: &Table, sys_id: &str) -> Option<&Arc<Record>> {
        let key = sys_id.to_ascii_lowercase();
        table.family.iter().find_map(|class| {
            let rows = self.tables.get(class)?;
            rows.in_order.get(rows.by_id.get(&key)?)
        })
    }

    /// As [`Store::find`], by the table's name.
    pub(crate) fn find_in(&self, table: &str, sys_id: &str) -> Option<&Arc<Record>> {
        self.find(self.table(table)?, sys_id)
    }

    /// All records of the table and those that extend it, oldest first.
    pub(crate) fn scan(&self, table: &Table) -> Vec<&Arc<Record>> {
        if let [only] = table.family.as_slice() {
            return self
                .tables
                .get(only)
                .map(|rows| rows.in_order.values().collect())
                .unwrap_or_default();
        }
        self.merged(table, |rows| rows.in_order.iter().collect())
    }

    /// The records whose indexed `field` has that value; `None` when there is no index.
    pub(crate) fn lookup(
        &self,
        table: &Table,
        field: &str,
        value: &str,
    ) -> Option<Vec<&Arc<Record>>> {
        let index = INDEXED.iter().position(|known| *known == field)?;
        let key = value.to_lowercase();
        Some(self.merged(table, |rows| {
            let found = rows.indexes[index].get(&key).map(Vec::as_slice).unwrap_or_default();
            found.iter().filter_map(|at| rows.in_order.get_key_value(at)).collect()
        }))
    }

    fn merged<'a>(
        &'a self,
        table: &Table,
        of: impl Fn(&'a Rows) -> Vec<(&'a u64, &'a Arc<Record>)>,
    ) -> Vec<&'a Arc<Record>> {
        let mut all: Vec<_> =
            table.family.iter().filter_map(|class| self.tables.get(class)).flat_map(of).collect();
        all.sort_by_key(|(at, _)| **at);
        all.into_iter().map(|(_, record)| record).collect()
    }

    /// Puts a new record in. The caller has made sure that its `sys_id` is new.
    pub(crate) fn insert(&mut self, record: Record) -> Arc<Record> {
        let record = Arc::new(record);
        if let Some(rows) = self.tables.get_mut(&record.class) {
            rows.put(self.next, &record);
            self.next += 1;
        }
        record
    }

    /// Puts a record in the place of the one with the same `sys_id`.
    pub(crate) fn replace(&mut self, record: Record) -> Arc<Record> {
        let record = Arc::new(record);
        if let Some(rows) = self.tables.get_mut(&record.class)
            && let Some(at) = rows.take(record.sys_id())
        {
            rows.put(at, &record);
        }
        record
    }

    /// Takes a record out.
    pub(crate) fn remove(&mut self, record: &Record) {
        if let Some(rows) = self.tables.get_mut(&record.class) {
            rows.take(record.sys_id());
        }
    }
}

impl Rows {
    fn put(&mut self, at: u64, record: &Arc<Record>) {
        self.by_id.insert(record.sys_id().to_ascii_lowercase(), at);
        for (index, field) in self.indexes.iter_mut().zip(INDEXED) {
            let value = record.get(field);
            if !value.is_empty() {
                index.entry(value.to_lowercase()).or_default().push(at);
            }
        }
        self.in_order.insert(at, record.clone());
    }

    fn take(&mut self, sys_id: &str) -> Option<u64> {
        let at = self.by_id.remove(&sys_id.to_ascii_lowercase())?;
        let record = self.in_order.remove(&at)?;
        for (index, field) in self.indexes.iter_mut().zip(INDEXED) {
            let key = record.get(field).to_lowercase();
            if let Some(places) = index.get_mut(&key) {
                places.retain(|place| *place != at);
                if places.is_empty() {
                    index.remove(&key);
                }
            }
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, Schema, Store};

    fn store() -> Store {
        Store::new(Schema::build(&[]).unwrap(), fastrand::Rng::with_seed(1))
    }

    fn put(store: &mut Store, table: &str, number: &str) -> String {
        let table = store.table(table).unwrap().clone();
        let mut record = Record::new(&table.name);
        let id = store.new_id();
        record.set_in(&table, "sys_id", id.clone());
        record.set_in(&table, "number", number);
        store.insert(record);
        id
    }

    #[test]
    fn a_parent_table_shows_its_childrens_records_in_the_order_of_insertion() {
        let mut store = store();
        for (table, number) in [("problem", "P1"), ("incident", "I1"), ("problem", "P2")] {
            put(&mut store, table, number);
        }
        let task = store.table("task").unwrap();
        let numbers: Vec<_> = store.scan(task).iter().map(|r| r.get("number")).collect();
        assert_eq!(numbers, ["P1", "I1", "P2"]);
        assert_eq!(store.lookup(task, "number", "i1").unwrap().len(), 1);
        assert!(store.lookup(task, "state", "1").is_none());
    }

    #[test]
    fn indexes_follow_a_change_and_a_removal() {
        let mut store = store();
        let id = put(&mut store, "incident", "I1");
        let table = store.table("incident").unwrap().clone();
        let mut changed = (**store.find(&table, &id.to_uppercase()).unwrap()).clone();
        changed.set_in(&table, "number", "I2");
        store.replace(changed.clone());
        assert!(store.lookup(&table, "number", "I1").unwrap().is_empty());
        assert_eq!(store.lookup(&table, "number", "I2").unwrap().len(), 1);
        store.remove(&changed);
        assert!(store.find(&table, &id).is_none());
        assert!(store.lookup(&table, "number", "I2").unwrap().is_empty());
    }
}
