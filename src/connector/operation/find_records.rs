//! `find`: all pages up to `limit`.
//!
//! Pages are taken by sys_id (`sys_id>LAST`), so that records that come and go in between
//! neither shift nor double the rest. A query with an order of its own, or with `^NQ`
//! blocks, is paged by offset, with the sys_id to break ties. A short page is not the end:
//! ServiceNow applies the limit before it takes out what the user may not see.
#![deny(clippy::disallowed_types)]

mod conditions;

use serde_json::Value;

use super::{
    Body, Operation, Progress, Reading, Success,
    table_api::{self, View},
};
use crate::{
    connector::input::{Condition, Inputs, Query, invalid},
    servicenow::{
        EncodedQuery, Error, Reason, Record, Table, encoded_query::is_field_name, reading::Answer,
    },
};

pub(super) const INPUTS: &[&str] =
    &["table", "query", "select", "orderBy", "limit", "displayValue"];

/// Records without a `limit`.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 10_000;
/// Records of one page: whole records are about 3 KB each.
const PAGE_OF_FIELDS: u32 = 500;
const PAGE_OF_RECORDS: u32 = 100;

#[derive(Debug)]
struct FindRecords {
    view: View,
    query: EncodedQuery,
    /// What the records of the first page are held against: a condition is ignored for all or none.
    conditions: Vec<Condition>,
    /// Fields that the first page is asked for because of the conditions alone.
    hidden: Vec<String>,
    warnings: Vec<String>,
    by_sys_id: bool,
    limit: u32,
    limit_is_default: bool,
    records: Vec<Record>,
    /// How long the answers were so far, and may be.
    bytes: usize,
    max_bytes: usize,
    last: Option<String>,
    offset: u32,
    page: u32,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let view = View::for_reading(inputs)?.with_fields(["sys_id"]);
    let Query { encoded: query, conditions } = inputs.query()?;
    let hidden = conditions::unselected(&view, &conditions);
    let order = order(inputs)?;
    let by_sys_id = order.is_empty() && query.can_page_by_sys_id();
    let query = order.into_iter().try_fold(query, |query, (field, descending)| {
        query.ordered_by(&field, descending).map_err(|error| invalid(format!("orderBy: {error}")))
    })?;
    let limit = inputs.whole_number("limit", 1..=MAX_LIMIT)?;
    Ok(Box::new(FindRecords {
        view: view.with_fields(hidden.iter().map(String::as_str)),
        query,
        conditions,
        hidden,
        warnings: Vec::new(),
        by_sys_id,
        limit: limit.unwrap_or(DEFAULT_LIMIT),
        limit_is_default: limit.is_none(),
        records: Vec::new(),
        bytes: 0,
        max_bytes: inputs.config.max_search_bytes,
        last: None,
        offset: 0,
        page: 0,
    }))
}

/// `orderBy` as field names, each with `desc` or `asc` behind it if wanted.
fn order(inputs: &Inputs<'_>) -> Result<Vec<(String, bool)>, Error> {
    let terms: Vec<String> = match inputs.variables.get("orderBy") {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => inputs.text("orderBy")?.unwrap_or_default().split(',').map(str::to_owned).collect(),
    };
    let terms = terms.iter().map(|term| term.trim()).filter(|term| !term.is_empty());
    terms
        .map(|term| {
            let mut words = term.split_whitespace();
            let field = words.next().filter(|field| is_field_name(field));
            let direction = words.next().map(str::to_ascii_lowercase);
            let descending = match direction.as_deref() {
                None | Some("asc") => Some(false),
                Some("desc") => Some(true),
                Some(_) => None,
            };
            match (field, descending, words.next()) {
                (Some(field), Some(descending), None) => Ok((field.to_owned(), descending)),
                _ => Err(invalid(format!(
                    "orderBy '{}' is not understood: use a field's name, with desc behind it to \
                     turn the order round",
                    crate::outcome::cut(term, 80)
                ))),
            }
        })
        .collect()
}

impl Operation for FindRecords {
    fn table(&self) -> Option<&Table> {
        Some(&self.view.table)
    }

    fn start(&mut self) -> Progress {
        let page = if self.view.fields.is_some() { PAGE_OF_FIELDS } else { PAGE_OF_RECORDS };
        self.page = page.min(self.remaining());
        let query = if self.by_sys_id {
            self.query.page_after(self.last.as_deref())
        } else {
            Ok(self.query.clone().with_tie_break())
        };
        match query {
            Ok(query) => Progress::Ask(self.view.list(&query, self.page, self.offset)),
            Err(error) => {
                Progress::Done(Err(invalid(format!("sys_id of the last record: {error}"))))
            }
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        let mut answer = match reading {
            Ok(answer) => answer,
            Err(failure) => return Progress::Done(Err(failure.error)),
        };
        let rows = match table_api::rows(&mut answer) {
            Ok(rows) => rows,
            Err(error) => return Progress::Done(Err(error)),
        };
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= self.page);
        let more = is_full || has_next(&answer);
        self.bytes = self.bytes.saturating_add(answer.bytes);
        if self.bytes > self.max_bytes {
            return Progress::Done(Err(self.too_much()));
        }
        if let Err(error) = self.advance(&rows, answer.status) {
            return Progress::Done(Err(error));
        }
        let rows = self.compared(rows);
        self.records.extend(rows);
        if more && self.remaining() > 0 { self.start() } else { self.done(answer, more) }
    }
}

impl FindRecords {
    fn remaining(&self) -> u32 {
        self.limit.saturating_sub(u32::try_from(self.records.len()).unwrap_or(u32::MAX))
    }

    fn too_much(&self) -> Error {
        let message = format!(
            "the records are more than {} bytes, all pages together: select fewer fields or set a \
             lower limit, or raise http.max_response_bytes",
            self.max_bytes
        );
        Error::new(Reason::ResponseTooLarge, message)
    }

    /// Moves on behind the page.
    fn advance(&mut self, rows: &[Record], status: u16) -> Result<(), Error> {
        match rows.last() {
            Some(row) if self.by_sys_id => {
                let id = row
                    .sys_id()
                    .filter(|id| self.last.as_deref() != Some(id))
                    .ok_or_else(|| table_api::unexpected(status, "records behind the last one"))?;
                self.last = Some(id.to_owned());
                self.offset = 0;
            }
            // By offset, or by sys_id on a page of which nothing may be seen.
            _ => self.offset = self.offset.saturating_add(self.page),
        }
        Ok(())
    }

    /// The rows with the fields that the author wants. Those of the first page are held against
    /// the conditions; the further ones are asked for without what that takes.
    fn compared(&mut self, mut rows: Vec<Record>) -> Vec<Record> {
        if rows.is_empty() {
            return rows;
        }
        let conditions = std::mem::take(&mut self.conditions);
        self.warnings.extend(conditions::ignored(&self.view, &conditions, &rows));
        let hidden = std::mem::take(&mut self.hidden);
        for row in &mut rows {
            for field in &hidden {
                row.remove(field);
            }
        }
        if let Some(fields) = &mut self.view.fields {
            fields.retain(|field| !hidden.contains(field));
        }
        rows
    }

    fn done(&mut self, answer: Answer, more: bool) -> Progress {
        let mut records = std::mem::take(&mut self.records);
        records.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let mut warnings = self.view.not_answered(&records);
        warnings.append(&mut self.warnings);
        let count = records.len();
        let records: Vec<Value> = records.into_iter().map(Record::into_value).collect();
        let mut success = Success::new("found", answer)
            .with("table", self.view.table.as_str())
            .with("records", records)
            .with("count", count);
        success.body = Body::ResultIs("records");
        success.warnings = warnings;
        if !more {
            success = success.with("total", count);
        } else if self.limit_is_default {
            success.warnings.push(format!(
                "only the first {DEFAULT_LIMIT} records were read and there may be more: set limit"
            ));
        }
        Progress::Done(Ok(Box::new(success)))
    }
}

/// Whether ServiceNow announces another page.
fn has_next(answer: &Answer) -> bool {
    answer.header("Link").is_some_and(|link| link.contains("rel=\"next\""))
}
