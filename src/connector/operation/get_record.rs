//! `get`: one record by sysId or number.
#![deny(clippy::disallowed_types)]

use serde_json::Value;

use super::{
    Operation, Progress, Reading, Success,
    table_api::{self, View},
};
use crate::{
    connector::input::{Inputs, RecordRef},
    servicenow::{Error, Table, reading::Answer},
};

pub(super) const INPUTS: &[&str] =
    &["table", "sysId", "number", "select", "displayValue", "onMissing"];

#[derive(Debug)]
struct GetRecord {
    view: View,
    record: RecordRef,
    missing_is_error: bool,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    Ok(Box::new(GetRecord {
        view: View::for_reading(inputs)?.with_fields(["sys_id", "number"]),
        record: inputs.record_ref()?,
        missing_is_error: inputs.missing_is_error()?,
    }))
}

impl Operation for GetRecord {
    fn table(&self) -> Option<&Table> {
        Some(&self.view.table)
    }

    fn start(&mut self) -> Progress {
        match &self.record {
            RecordRef::SysId(id) => Progress::Ask(self.view.get(id.as_str())),
            RecordRef::Number(number) => match self.view.by_number(number) {
                Ok(request) => Progress::Ask(request),
                Err(error) => Progress::Done(Err(error)),
            },
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        Progress::Done(match reading {
            Ok(answer) => self.read_answer(answer),
            Err(failure) if table_api::is_not_found(&failure) => self
                .missing(table_api::absence(&failure))
                .map_err(|missing| Error { message: missing.message, ..failure.error }),
            Err(failure) => Err(failure.error),
        })
    }
}

impl GetRecord {
    fn read_answer(&self, mut answer: Answer) -> Result<Box<Success>, Error> {
        let record = match &self.record {
            RecordRef::SysId(_) => Some(table_api::record(&mut answer)?),
            RecordRef::Number(number) => {
                self.view.only_match(&mut answer, &[("number", number)])?
            }
        };
        match record {
            Some(record) => {
                let mut success = Success::new("read", answer);
                success.warnings = self.view.not_answered(std::slice::from_ref(&record));
                Ok(Box::new(success.with_record(&self.view.instance, &self.view.table, record)))
            }
            None => self.missing(answer),
        }
    }

    fn missing(&self, answer: Answer) -> Result<Box<Success>, Error> {
        if self.missing_is_error {
            return Err(self.view.not_found(&self.record));
        }
        let success = Success::new("absent", answer);
        Ok(Box::new(success.with("table", self.view.table.as_str()).with("record", Value::Null)))
    }
}
