//! Records as the REST API answers them: every scalar a text, references with links, in
//! one of the three display modes.

use serde_json::{Map, Value, json};

use super::{
    call::Call,
    caller::Caller,
    display,
    query::path::Path,
    record::Record,
    schema::{Column, Kind, Table},
    store::Store,
};

/// Which values an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Raw values (`sysparm_display_value=false`).
    Raw,
    /// Display values (`true`).
    Display,
    /// Both (`all`).
    Both,
}

/// How the records of one answer look.
#[derive(Debug)]
pub(crate) struct Shape<'a> {
    store: &'a Store,
    caller: &'a Caller,
    mode: Mode,
    /// What links begin with, up to the table; `None` leaves links out.
    links: Option<String>,
    fields: Option<Vec<(String, Path)>>,
}

impl Mode {
    /// Reads `sysparm_display_value`.
    pub(crate) fn of(call: &Call) -> Self {
        match call.parameter("sysparm_display_value").map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Self::Display,
            Some("all") => Self::Both,
            _ => Self::Raw,
        }
    }
}

impl<'a> Shape<'a> {
    /// Reads the parameters that decide the shape. Unknown fields are left out silently.
    pub(crate) fn new(store: &'a Store, caller: &'a Caller, table: &Table, call: &Call) -> Self {
        let fields = call.parameter("sysparm_fields").filter(|list| !list.trim().is_empty());
        let fields = fields.map(|list| {
            let names = list.split(',').map(str::trim);
            names.filter_map(|n| Some((n.to_owned(), Path::resolve(store, table, n)?))).collect()
        });
        let links = (!call.flag("sysparm_exclude_reference_link"))
            .then(|| format!("{}{}/table", call.origin, call.version.prefix()));
        Self { store, caller, mode: Mode::of(call), links, fields }
    }

    /// One record.
    pub(crate) fn record(&self, table: &Table, record: &Record) -> Value {
        let mut shown = Map::new();
        match &self.fields {
            Some(fields) => {
                for (name, path) in fields {
                    let value = match path.walk(self.store, record) {
                        Some((last, column)) => self.field(last, column),
                        None => self.empty(),
                    };
                    shown.insert(name.clone(), value);
                }
            }
            None => {
                for column in &table.columns {
                    shown.insert(column.name.to_string(), self.field(record, column));
                }
            }
        }
        Value::Object(shown)
    }

    fn empty(&self) -> Value {
        match self.mode {
            Mode::Both => json!({"display_value": "", "value": ""}),
            _ => Value::String(String::new()),
        }
    }

    fn field(&self, record: &Record, column: &Column) -> Value {
        let raw = record.get(&column.name);
        let link = self.link(column, raw);
        match self.mode {
            Mode::Raw => match link {
                Some(link) => json!({"link": link, "value": raw}),
                None => Value::String(raw.to_owned()),
            },
            Mode::Display => match link {
                Some(link) => json!({"display_value": self.display(record, column), "link": link}),
                None => Value::String(self.display(record, column)),
            },
            Mode::Both => {
                let mut both = json!({"display_value": self.display(record, column), "value": raw});
                if let (Some(link), Some(both)) = (link, both.as_object_mut()) {
                    both.insert("link".to_owned(), Value::String(link));
                }
                both
            }
        }
    }

    fn display(&self, record: &Record, column: &Column) -> String {
        display::of_field(self.store, record, column, &self.caller.zone)
    }

    fn link(&self, column: &Column, raw: &str) -> Option<String> {
        let (links, table) = (self.links.as_ref()?, column.reference.as_ref()?);
        (column.kind == Kind::Reference && !raw.is_empty())
            .then(|| format!("{links}/{table}/{raw}"))
    }
}
