//! `count`: how many records match, by the Aggregate API.
#![deny(clippy::disallowed_types)]

use super::{Operation, Progress, Reading, Success, table_api};
use crate::{
    connector::{Access, input::Inputs},
    servicenow::{EncodedQuery, Error, Method, Request, Table, reading::Answer},
};

pub(super) const INPUTS: &[&str] = &["table", "query"];

#[derive(Debug)]
struct CountRecords {
    table: Table,
    query: EncodedQuery,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let table = inputs.table(Access::Read)?;
    Ok(Box::new(CountRecords { table, query: inputs.query()?.encoded }))
}

impl Operation for CountRecords {
    fn table(&self) -> Option<&Table> {
        Some(&self.table)
    }

    fn start(&mut self) -> Progress {
        let path = ["api", "now", "stats", self.table.as_str()];
        let mut request = Request::new(Method::Get, path).with_query("sysparm_count", "true");
        if !self.query.is_empty() {
            request = request.with_query("sysparm_query", self.query.as_str());
        }
        Progress::Ask(request)
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        Progress::Done(match reading {
            Ok(answer) => self.read_answer(answer),
            Err(failure) => Err(failure.error),
        })
    }
}

impl CountRecords {
    fn read_answer(&self, answer: Answer) -> Result<Box<Success>, Error> {
        let count = answer
            .body
            .pointer("/result/stats/count")
            .and_then(|count| count.as_str()?.parse::<u64>().ok())
            .ok_or_else(|| table_api::unexpected(answer.status, "a count"))?;
        let success = Success::new("counted", answer);
        Ok(Box::new(success.with("table", self.table.as_str()).with("count", count)))
    }
}
