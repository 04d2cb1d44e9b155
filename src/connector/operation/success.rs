//! What an operation achieved.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use super::super::{Effect, IdNotHonoured};
use crate::servicenow::{Instance, Record, Table, reading::Answer};

/// The result of an operation, with the answer it came from.
#[derive(Debug)]
pub(crate) struct Success {
    /// The outcome word.
    pub(crate) word: &'static str,
    /// `{outcome, sysId, …}`; only what applies.
    pub(crate) result: Map<String, Value>,
    /// Status of the last answer.
    pub(crate) status: u16,
    /// Headers of the last answer.
    pub(crate) headers: Value,
    /// Body of the last answer.
    pub(crate) body: Body,
    /// What became of a record that was to be created.
    pub(crate) effect: Option<Effect>,
    /// Whether a record got another sys_id than it was asked for.
    pub(crate) id_not_honoured: Option<IdNotHonoured>,
    /// What a user would want to know.
    pub(crate) warnings: Vec<String>,
}

/// A body, kept once: what the result holds is not stored again.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it.
    Whole(Value),
    /// `{"result": …}` around what the result holds under this name.
    ResultIs(&'static str),
}

impl Success {
    /// A success by an answer.
    pub(super) fn new(word: &'static str, answer: Answer) -> Self {
        let headers = answer.headers_value();
        let result = Map::from_iter([("outcome".to_owned(), Value::from(word))]);
        Self {
            word,
            result,
            status: answer.status,
            headers,
            body: Body::Whole(answer.body),
            effect: None,
            id_not_honoured: None,
            warnings: Vec::new(),
        }
    }

    /// Adds a part of the result.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.result.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a record, who it is and where to look at it.
    pub(super) fn with_record(
        mut self,
        instance: &Instance,
        table: &Table,
        record: Record,
    ) -> Self {
        if let Some(id) = record.sys_id() {
            let address = address(instance, table, id);
            self.result.insert("sysId".to_owned(), id.into());
            self.result.insert("url".to_owned(), address.into());
        }
        if let Some(number) = record.number() {
            self.result.insert("number".to_owned(), number.into());
        }
        self.body = Body::ResultIs("record");
        self.with("table", table.as_str()).with("record", record.into_value())
    }

    /// A text of the result.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.result.get(name)?.as_str()
    }
}

/// Where people find a record.
pub(super) fn address(instance: &Instance, table: &Table, sys_id: &str) -> String {
    format!("{}/{table}.do?sys_id={sys_id}", instance.base_url())
}
