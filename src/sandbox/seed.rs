//! The records a sandbox begins with: `{"table": [{"field": "value"}]}`, in layers.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    definition::is_section,
    error::Error,
    journal::{self, Note},
    outbound::{self, BusinessRule, RULES_KEY},
    record::Record,
    rules::{self, Stamp},
    schema::{Kind, Schema, Table},
    store::Store,
    values::text_of,
};
use crate::servicenow::table::Table as TableName;

const PEOPLE: &str = include_str!("seed/people.json");
const CMDB: &str = include_str!("seed/cmdb.json");
const WORK: &str = include_str!("seed/work.json");

/// The user in whose name seeded records are made.
pub(crate) const ADMIN: &str = "6816f79cc0a8016401c5a33be04be441";

/// What a sandbox begins with.
#[derive(Clone, Debug)]
pub struct Seed {
    layers: Arc<Vec<Map<String, Value>>>,
}

impl Seed {
    /// Users, groups, configuration items and a few records of each kind of task.
    pub fn demo() -> Result<Self, Error> {
        Self::of(&[PEOPLE, CMDB, WORK])
    }

    /// Users and groups only.
    pub fn people() -> Result<Self, Error> {
        Self::of(&[PEOPLE])
    }

    fn of(texts: &[&str]) -> Result<Self, Error> {
        let layers = texts.iter().map(|text| layer(text)).collect::<Result<_, _>>()?;
        Ok(Self { layers: Arc::new(layers) })
    }

    /// The same with a further layer: records, columns that are used in them, tables under
    /// `$tables` and business rules under `$businessRules`. A record whose `sys_id` is
    /// there already replaces it, and so does a rule with the same name.
    pub fn and(self, text: &str) -> Result<Self, Error> {
        let mut layers = self.layers.to_vec();
        layers.push(layer(text)?);
        Ok(Self { layers: Arc::new(layers) })
    }

    /// The business rules of all layers.
    pub(crate) fn business_rules(&self) -> Result<Vec<BusinessRule>, Error> {
        let written = self.layers.iter().filter_map(|layer| layer.get(RULES_KEY));
        let read: Vec<_> = written.map(outbound::read_rules).collect::<Result<_, _>>()?;
        Ok(read.into_iter().flatten().collect())
    }

    /// A store with these records in it.
    pub(crate) fn plant(&self, now: &str, ids: fastrand::Rng) -> Result<Store, Error> {
        let mut store = Store::new(Schema::build(&self.layers)?, ids);
        let stamp =
            Stamp { now: now.to_owned(), user: ADMIN.to_owned(), user_name: "admin".to_owned() };
        for (name, rows) in self.layers.iter().flatten().filter(|(name, _)| !is_section(name)) {
            let Some(table) = store.table(name).cloned() else { continue };
            for row in rows.as_array().into_iter().flatten().filter_map(Value::as_object) {
                plant_row(&mut store, &table, row, &stamp);
            }
        }
        Ok(store)
    }
}

fn layer(text: &str) -> Result<Map<String, Value>, Error> {
    let layer: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Error::Seed(error.to_string()))?;
    for (name, rows) in layer.iter().filter(|(name, _)| !is_section(name)) {
        TableName::parse(name).map_err(|error| Error::Seed(error.to_string()))?;
        let well_formed = rows.as_array().is_some_and(|rows| rows.iter().all(Value::is_object));
        if !well_formed {
            return Err(Error::Seed(format!("'{name}' is no list of records")));
        }
    }
    layer.get(RULES_KEY).map(outbound::read_rules).transpose()?;
    Ok(layer)
}

fn plant_row(store: &mut Store, table: &Table, row: &Map<String, Value>, stamp: &Stamp) {
    let (mut record, notes) = read_row(table, row);
    if record.sys_id().is_empty() {
        let id = store.new_id();
        record.set_in(table, "sys_id", id);
    }
    rules::fill_defaults(store, table, &mut record, stamp);
    let told_active = row.contains_key("active").then(|| record.get("active").to_owned());
    rules::follow(table, None, &mut record, stamp);
    if let Some(active) = told_active {
        record.set_in(table, "active", active);
    }
    rules::mark_created(table, &mut record, stamp);
    if let Some(former) = store.find(table, record.sys_id()).cloned() {
        store.remove(&former);
    }
    let record = store.insert(record);
    journal::append(store, &record, &notes, &stamp.now, &stamp.user_name);
}

/// The row's values as they stand; texts for journals become entries.
fn read_row(table: &Table, row: &Map<String, Value>) -> (Record, Vec<Note>) {
    let (mut record, mut notes) = (Record::new(&table.name), Vec::new());
    for (field, value) in row {
        let Some(column) = table.column(field) else { continue };
        let text = text_of(value);
        match column.kind {
            Kind::Journal if !text.is_empty() => {
                notes.push(Note { element: column.name.clone(), text });
            }
            Kind::Journal | Kind::JournalList => {}
            _ => record.set(&column.name, text),
        }
    }
    (record, notes)
}

#[cfg(test)]
mod tests {
    use super::{ADMIN, Seed};

    #[test]
    fn the_demo_seed_is_whole() {
        let seed = Seed::demo().unwrap();
        let store = seed.plant("2026-03-01 00:00:00", fastrand::Rng::with_seed(1)).unwrap();
        assert_eq!(store.find_in("sys_user", ADMIN).unwrap().get("name"), "System Administrator");
        for table in
            ["incident", "change_request", "problem", "sc_request", "sc_req_item", "cmdb_ci"]
        {
            let table = store.table(table).unwrap();
            assert!(store.scan(table).len() > 1, "{}", table.name);
            for record in store.scan(table) {
                for column in table.columns.iter().filter(|column| column.reference.is_some()) {
                    let value = record.get(&column.name);
                    let target = column.reference.as_deref().unwrap();
                    let dangles = value.len() == 32 && store.find_in(target, value).is_none();
                    assert!(!dangles, "{} {} of {}", table.name, column.name, record.sys_id());
                }
            }
        }
    }

    #[test]
    fn a_further_layer_replaces_records_with_the_same_id() {
        let text = format!(r#"{{"sys_user": [{{"sys_id": "{ADMIN}", "user_name": "boss"}}]}}"#);
        let seed = Seed::people().unwrap().and(&text).unwrap();
        let store = seed.plant("2026-03-01 00:00:00", fastrand::Rng::with_seed(1)).unwrap();
        assert_eq!(store.find_in("sys_user", ADMIN).unwrap().get("user_name"), "boss");
    }

    #[test]
    fn a_seed_of_another_form_is_refused_with_its_table() {
        for text in ["[]", r#"{"incident": {}}"#, r#"{"incident": [1]}"#, r#"{"../x": []}"#, "{"] {
            let error = Seed::people().unwrap().and(text).unwrap_err().to_string();
            assert!(error.starts_with("seed: "), "{error}");
        }
    }
}
