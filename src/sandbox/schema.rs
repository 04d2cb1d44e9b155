//! What the emulator knows of tables: columns, types, choices and the rules that stand in
//! data. Everything not listed here is dropped on the way in, as an instance does.
//!
//! A seed may add tables (under `$tables`, in the form of `schema/tables.json`), and
//! columns by simply using them: those become texts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{definition::TableDefinition, error::Error};

/// A column's or a table's name, shared by all records that use it.
pub(crate) type Name = Arc<str>;

/// All tables.
#[derive(Debug)]
pub(crate) struct Schema {
    tables: HashMap<Name, Arc<Table>>,
}

/// One table with its parents' columns merged in.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: Name,
    pub(crate) label: String,
    /// This table and all tables that extend it.
    pub(crate) family: Vec<Name>,
    /// The uppermost table; a `sys_id` is unique below it.
    pub(crate) root: Name,
    pub(crate) display: Option<Name>,
    pub(crate) columns: Vec<Arc<Column>>,
    by_name: HashMap<Name, usize>,
    /// The table's own rules, as written.
    pub(crate) rules: TableDefinition,
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: Name,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) reference: Option<Name>,
    pub(crate) choices: Vec<(String, String)>,
    pub(crate) default: String,
    pub(crate) read_only: bool,
    /// For a merged journal: the journals it shows.
    pub(crate) merges: Vec<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Free text.
    #[default]
    String,
    /// A `sys_id`.
    Guid,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of a list of values.
    Choice,
    /// The `sys_id` of a record of another table.
    Reference,
    /// Comma list of `sys_id`s.
    List,
    /// `YYYY-MM-DD HH:MM:SS`, UTC.
    DateTime,
    /// `YYYY-MM-DD`.
    Date,
    /// A time that an SLA gives; shows `UNKNOWN` without one.
    DueDate,
    /// A span, written as a date-time after 1970-01-01.
    Duration,
    /// Append-only entries.
    Journal,
    /// Several journals shown as one.
    JournalList,
    /// The table a record belongs to.
    ClassName,
}

impl Schema {
    /// The stock tables, enlarged by what the seed's layers define and use.
    pub(crate) fn build(layers: &[Map<String, Value>]) -> Result<Self, Error> {
        let mut definitions = super::definition::stock()?;
        for layer in layers {
            definitions.learn(layer)?;
        }
        let mut tables = HashMap::new();
        for name in definitions.tables.keys() {
            let table = Table::resolve(name, &definitions.base, &definitions.tables)?;
            tables.insert(table.name.clone(), Arc::new(table));
        }
        Ok(Self { tables })
    }

    /// The table of that name.
    pub(crate) fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// All tables, in no order.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }
}

type Definitions = BTreeMap<String, TableDefinition>;

impl Table {
    fn resolve(
        name: &str,
        base: &BTreeMap<String, super::definition::ColumnDefinition>,
        all: &Definitions,
    ) -> Result<Self, Error> {
        let line = lineage(name, all)?;
        let mut merged = base.clone();
        for ancestor in line.iter().rev() {
            merged.extend(ancestor.1.columns.clone());
        }
        let columns: Vec<Arc<Column>> =
            merged.into_iter().map(|(name, column)| Arc::new(column.build(&name))).collect();
        let rules = line[0].1.clone();
        Ok(Self {
            name: name.into(),
            label: rules.label.clone().unwrap_or_else(|| name.to_owned()),
            family: family(name, all)?,
            root: line[line.len() - 1].0.into(),
            display: rules.display.as_deref().map(Name::from),
            by_name: columns.iter().enumerate().map(|(i, c)| (c.name.clone(), i)).collect(),
            columns,
            rules,
        })
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Arc<Column>> {
        self.by_name.get(name).map(|&at| &self.columns[at])
    }
}

impl Column {
    /// What people see for the value of a choice.
    pub(crate) fn label_of(&self, value: &str) -> Option<&str> {
        self.choices.iter().find(|(known, _)| known == value).map(|(_, label)| label.as_str())
    }

    /// Whether values are ordered as numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self.kind, Kind::Integer | Kind::Choice)
    }
}

/// The table and its ancestors, the table first.
fn lineage<'a>(
    name: &'a str,
    all: &'a Definitions,
) -> Result<Vec<(&'a str, &'a TableDefinition)>, Error> {
    let mut line = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let definition = all.get(name).ok_or_else(|| Error::UnknownParent(name.to_owned()))?;
        if line.len() > 16 {
            return Err(Error::EndlessParents(name.to_owned()));
        }
        line.push((name, definition));
        next = definition.extends.as_deref();
    }
    Ok(line)
}

fn family(name: &str, all: &Definitions) -> Result<Vec<Name>, Error> {
    let mut family = Vec::new();
    for candidate in all.keys() {
        if lineage(candidate, all)?.iter().any(|(ancestor, _)| *ancestor == name) {
            family.push(candidate.as_str().into());
        }
    }
    Ok(family)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Schema;

    fn schema(layer: &serde_json::Value) -> Schema {
        Schema::build(&[layer.as_object().unwrap().clone()]).unwrap()
    }

    #[test]
    fn a_table_has_its_own_columns_its_parents_and_the_base() {
        let schema = schema(&json!({}));
        let incident = schema.table("incident").unwrap();
        for column in ["caller_id", "short_description", "sys_id"] {
            assert!(incident.column(column).is_some(), "{column}");
        }
        assert_eq!(incident.column("state").unwrap().label_of("6"), Some("Resolved"));
        assert_eq!(&*incident.root, "task");
        assert!(schema.table("task").unwrap().family.iter().any(|name| &**name == "sc_task"));
    }

    #[test]
    fn a_seed_adds_columns_to_parent_and_child_and_tables_of_its_own() {
        let schema = schema(&json!({
            "task": [{"u_colour": "red"}],
            "u_order": [{"u_size": "9"}],
            "$tables": {"u_part": {"columns": {"u_order": {"type": "reference", "reference": "u_order"}}}}
        }));
        assert!(schema.table("incident").unwrap().column("u_colour").is_some());
        assert!(schema.table("u_order").unwrap().column("u_size").is_some());
        assert!(schema.table("u_part").unwrap().column("u_order").unwrap().reference.is_some());
    }

    #[test]
    fn a_parent_that_is_not_there_is_an_error() {
        let layer = json!({"$tables": {"a": {"extends": "nowhere"}}});
        let error = Schema::build(&[layer.as_object().unwrap().clone()]).unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
