//! Requests to the Table API, kept small: no links, no counts, only the fields needed.
#![deny(clippy::disallowed_types)]

use serde_json::Value;

use crate::{
    connector::{
        Access,
        input::{DisplayValue, Fields, Inputs, RecordRef, invalid},
    },
    outcome::cut,
    servicenow::{
        EncodedQuery, Error, Instance, Method, Reason, Record, Request, Table,
        encoded_query::Operator,
        reading::{Answer, Failure},
    },
};

/// A table of an instance, and how its records are to be answered.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) instance: Instance,
    pub(super) table: Table,
    /// `None` for all fields.
    pub(super) fields: Option<Vec<String>>,
    /// Those of them that the author named.
    pub(super) selected: Vec<String>,
    pub(super) display: DisplayValue,
}

impl View {
    /// The view for what the author wants to read: the selected fields, else all.
    pub(super) fn for_reading(inputs: &Inputs<'_>) -> Result<Self, Error> {
        let fields = inputs.select()?;
        Ok(Self {
            instance: inputs.target.instance.clone(),
            table: inputs.table(Access::Read)?,
            selected: fields.clone().unwrap_or_default(),
            fields,
            display: inputs.display_value()?,
        })
    }

    /// The view for the answer to a write: who the record is, what was written, what was
    /// selected. With display values both kinds are asked for, since only raw values can be
    /// compared with what was sent.
    pub(super) fn for_writing(
        inputs: &Inputs<'_>,
        table: Table,
        fields: &Fields,
    ) -> Result<(Self, DisplayValue), Error> {
        let display = inputs.display_value()?;
        let selected = inputs.select()?.unwrap_or_default();
        let view = Self {
            instance: inputs.target.instance.clone(),
            table,
            fields: Some(selected.clone()),
            // What is written is looked at by its value.
            selected: selected.into_iter().filter(|name| fields.get(name).is_none()).collect(),
            display: if display == DisplayValue::Raw { display } else { DisplayValue::Both },
        };
        Ok((view.with_fields(["sys_id", "number"]).with_fields(fields.names()), display))
    }

    /// The same view with these fields besides, when it is not on all fields anyway.
    pub(super) fn with_fields<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(fields) = &mut self.fields {
            for name in names {
                if !fields.iter().any(|field| field == name) {
                    fields.push(name.to_owned());
                }
            }
        }
        self
    }

    /// One record.
    pub(super) fn get(&self, sys_id: &str) -> Request {
        self.shaped(Request::new(Method::Get, ["api", "now", "table", self.table.as_str(), sys_id]))
    }

    /// Up to `limit` records.
    pub(super) fn list(&self, query: &EncodedQuery, limit: u32, offset: u32) -> Request {
        let path = ["api", "now", "table", self.table.as_str()];
        let mut request = Request::new(Method::Get, path)
            .with_query("sysparm_query", query.as_str())
            .with_query("sysparm_limit", limit.to_string());
        if offset > 0 {
            request = request.with_query("sysparm_offset", offset.to_string());
        }
        self.shaped(request.with_query("sysparm_no_count", "true"))
    }

    /// A new record.
    pub(super) fn insert(&self, body: Value) -> Request {
        let path = ["api", "now", "table", self.table.as_str()];
        self.shaped(Request::new(Method::Post, path)).with_body(body)
    }

    /// Changes to a record.
    pub(super) fn update(&self, sys_id: &str, body: Value) -> Request {
        let path = ["api", "now", "table", self.table.as_str(), sys_id];
        self.shaped(Request::new(Method::Patch, path)).with_body(body)
    }

    /// The end of a record.
    pub(super) fn delete(&self, sys_id: &str) -> Request {
        Request::new(Method::Delete, ["api", "now", "table", self.table.as_str(), sys_id])
    }

    fn shaped(&self, mut request: Request) -> Request {
        if let Some(fields) = &self.fields {
            request = request.with_query("sysparm_fields", fields.join(","));
        }
        if self.display != DisplayValue::Raw {
            request = request.with_query("sysparm_display_value", self.display.as_str());
        }
        request.with_query("sysparm_exclude_reference_link", "true")
    }

    /// The search for the one record with this number. Two rows are enough to know that it
    /// is not the only one.
    pub(super) fn by_number(&self, number: &str) -> Result<Request, Error> {
        let query = EncodedQuery::default()
            .and("number", Operator::Equal, &[number])
            .map_err(|error| invalid(format!("number: {error}")))?;
        Ok(self.list(&query.with_tie_break(), 2, 0))
    }

    /// The one record that has these values; `None` when there is none.
    pub(super) fn only_match(
        &self,
        answer: &mut Answer,
        wanted: &[(&str, &str)],
    ) -> Result<Option<Record>, Error> {
        let mut rows = rows(answer)?;
        // ServiceNow drops the parts of a query that it cannot read and answers the rest.
        if let Some((field, asked, found)) = rows.iter().find_map(|row| mismatch(row, wanted)) {
            return Err(invalid(format!(
                "'{field}' cannot be searched on table '{}': asked for '{}', ServiceNow answers \
                 records with {}; it has no such field, or the worker's user may not read it",
                self.table,
                cut(&asked, 80),
                found.map_or("none".to_owned(), |text| format!("'{}'", cut(&text, 80)))
            )));
        }
        if rows.len() > 1 {
            let terms: Vec<_> =
                wanted.iter().map(|(f, v)| format!("{f} '{}'", cut(v, 80))).collect();
            return Err(Error::new(
                Reason::Ambiguous,
                format!("several records of '{}' have {}", self.table, terms.join(" and ")),
            ));
        }
        Ok(rows.pop())
    }

    /// A warning for each selected field that records came without.
    pub(super) fn not_answered(&self, records: &[Record]) -> Vec<String> {
        let is_missing = |name: &&String| records.iter().any(|record| !record.has(name));
        let missing = self.selected.iter().filter(is_missing);
        missing
            .map(|name| {
                let is_anywhere = records.iter().any(|record| record.has(name));
                let whole = if is_anywhere { "every record of " } else { "" };
                format!(
                    "field '{name}' was selected and is not in {whole}the answer: table '{}' has no \
                     such field, or the worker's user may not read it",
                    self.table
                )
            })
            .collect()
    }

    /// That a record is not there, or not to be seen.
    pub(super) fn not_found(&self, record: &RecordRef) -> Error {
        let (name, text) = match record {
            RecordRef::SysId(id) => ("sys_id", id.as_str()),
            RecordRef::Number(number) => ("number", number.as_str()),
        };
        Error::new(
            Reason::RecordNotFound,
            format!(
                "table '{}' has no record with {name} '{}', or the worker's user may not read it",
                self.table,
                cut(text, 80)
            ),
        )
    }
}

type Mismatch = (String, String, Option<String>);

fn mismatch(row: &Record, wanted: &[(&str, &str)]) -> Option<Mismatch> {
    wanted.iter().find_map(|(field, asked)| {
        let found = row.text(field);
        let same = found.is_some_and(|found| super::echo::same_value(asked, found));
        (!same).then(|| ((*field).to_owned(), (*asked).to_owned(), found.map(str::to_owned)))
    })
}

/// The records of a list.
pub(super) fn rows(answer: &mut Answer) -> Result<Vec<Record>, Error> {
    match answer.take_result() {
        Value::Array(items) => items
            .into_iter()
            .map(|item| {
                Record::from_value(item)
                    .ok_or_else(|| unexpected(answer.status, "a list of records"))
            })
            .collect(),
        _ => Err(unexpected(answer.status, "a list of records")),
    }
}

/// The record of an answer.
pub(super) fn record(answer: &mut Answer) -> Result<Record, Error> {
    Record::from_value(answer.take_result()).ok_or_else(|| unexpected(answer.status, "a record"))
}

/// An answer of another shape.
pub(super) fn unexpected(status: u16, wanted: &str) -> Error {
    let message = format!("ServiceNow answered {status}, but not with {wanted} as its result");
    Error { status: Some(status), ..Error::new(Reason::UnexpectedResponse, message) }
}

/// The answer that says so, for operations that take it as one.
pub(super) fn absence(failure: &Failure) -> Answer {
    let status = failure.error.status.unwrap_or(404);
    Answer { status, headers: Vec::new(), body: Value::Null, bytes: 0 }
}

/// Whether a request failed because the record is not there.
pub(super) fn is_not_found(failure: &Failure) -> bool {
    failure.error.reason == Reason::RecordNotFound
}
