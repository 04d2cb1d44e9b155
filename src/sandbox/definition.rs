//! How tables are written down in JSON: the stock ones in `schema/tables.json`, further
//! ones in a seed file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    error::Error,
    outbound::RULES_KEY,
    schema::{Column, Kind},
};

const STOCK: &str = include_str!("schema/tables.json");

/// Key of a seed file under which it defines tables.
pub(crate) const TABLES_KEY: &str = "$tables";

/// Whether a key of a seed file is no table's name.
pub(crate) fn is_section(key: &str) -> bool {
    [TABLES_KEY, RULES_KEY].contains(&key)
}

/// All definitions before inheritance is worked out.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Definitions {
    /// The columns of every table.
    pub(crate) base: BTreeMap<String, ColumnDefinition>,
    /// The tables by name.
    pub(crate) tables: BTreeMap<String, TableDefinition>,
}

/// One table as written: its own columns and rules only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TableDefinition {
    pub(crate) label: Option<String>,
    pub(crate) extends: Option<String>,
    /// The column that stands for a record in references to it.
    pub(crate) display: Option<String>,
    /// What numbers begin with; no numbers without it.
    pub(crate) prefix: Option<String>,
    /// Roles that may insert and update; empty: everybody.
    pub(crate) write: Vec<String>,
    /// Roles that may delete; empty: everybody.
    pub(crate) delete: Vec<String>,
    /// The column that always has the value of `state`.
    pub(crate) twin: Option<String>,
    /// Whether priority follows impact and urgency.
    pub(crate) priority_matrix: bool,
    /// States that mean resolved.
    pub(crate) resolved: Vec<String>,
    /// States that mean closed: the record becomes inactive.
    pub(crate) closed: Vec<String>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) columns: BTreeMap<String, ColumnDefinition>,
}

/// A data policy: while `field` has one of `values`, the `mandatory` fields must be filled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) field: String,
    pub(crate) values: Vec<String>,
    pub(crate) mandatory: Vec<String>,
}

/// One column as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ColumnDefinition {
    label: Option<String>,
    #[serde(rename = "type")]
    kind: Kind,
    reference: Option<String>,
    choices: Vec<(String, String)>,
    default: Option<String>,
    read_only: bool,
    merges: Vec<String>,
}

/// The tables that every sandbox has.
pub(crate) fn stock() -> Result<Definitions, Error> {
    serde_json::from_str(STOCK)
        .map_err(|error| Error::Definition("stock".into(), error.to_string()))
}

impl Definitions {
    /// Takes in what a seed's layer defines and which columns it uses.
    pub(crate) fn learn(&mut self, layer: &Map<String, Value>) -> Result<(), Error> {
        for (name, definition) in
            layer.get(TABLES_KEY).and_then(Value::as_object).into_iter().flatten()
        {
            let definition = TableDefinition::deserialize(definition)
                .map_err(|error| Error::Definition(name.clone(), error.to_string()))?;
            self.tables.insert(name.clone(), definition);
        }
        for (table, rows) in layer.iter().filter(|(key, _)| !is_section(key)) {
            self.tables.entry(table.clone()).or_default();
            for field in rows.as_array().into_iter().flatten().filter_map(Value::as_object) {
                field.keys().for_each(|name| self.learn_column(table, name));
            }
        }
        Ok(())
    }

    fn learn_column(&mut self, table: &str, column: &str) {
        if self.base.contains_key(column) {
            return;
        }
        let mut next = Some(table);
        while let Some(definition) = next.and_then(|name| self.tables.get(name)) {
            if definition.columns.contains_key(column) {
                return;
            }
            next = definition.extends.as_deref();
        }
        if let Some(definition) = self.tables.get_mut(table) {
            definition.columns.insert(column.to_owned(), ColumnDefinition::default());
        }
    }
}

impl ColumnDefinition {
    pub(crate) fn build(self, name: &str) -> Column {
        let default = match self.kind {
            Kind::Boolean => self.default.unwrap_or_else(|| "false".to_owned()),
            _ => self.default.unwrap_or_default(),
        };
        Column {
            name: name.into(),
            label: self.label.unwrap_or_else(|| name.to_owned()),
            kind: self.kind,
            reference: self.reference.map(Into::into),
            choices: self.choices,
            default,
            read_only: self.read_only,
            merges: self.merges,
        }
    }
}
