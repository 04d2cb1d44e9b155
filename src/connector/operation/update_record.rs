//! `update`: changes the given fields of one record. Doing it again changes nothing more,
//! except for journal fields, which append each time ([`super::journal`]).
#![deny(clippy::disallowed_types)]

use super::{Operation, Progress, Reading, patch::Patch, table_api};
use crate::{
    connector::{
        Access,
        input::{Inputs, RecordRef},
        intent::Fate,
    },
    servicenow::{Error, Reason, Table, reading::Answer},
};

pub(super) const INPUTS: &[&str] = &[
    "table",
    "sysId",
    "number",
    "fields",
    "otherFields",
    "fieldsTemplate",
    "templateData",
    "select",
    "displayValue",
];

#[derive(Debug)]
struct UpdateRecord {
    patch: Patch,
    record: RecordRef,
    is_found: bool,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let table = inputs.table(Access::Write)?;
    let record = inputs.record_ref()?;
    let patch = Patch::read(inputs, "update", table, inputs.fields()?)?;
    Ok(Box::new(UpdateRecord { patch, record, is_found: false }))
}

impl Operation for UpdateRecord {
    fn table(&self) -> Option<&Table> {
        Some(self.patch.table())
    }

    fn intent(&self) -> Fate {
        self.patch.intent()
    }

    fn start(&mut self) -> Progress {
        match &self.record {
            RecordRef::SysId(id) => {
                self.is_found = true;
                self.patch.start(id.clone())
            }
            RecordRef::Number(number) => {
                let search = self.patch.search_view().by_number(number);
                search.map_or_else(|error| Progress::Done(Err(error)), Progress::Ask)
            }
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        let progress = match reading {
            reading if self.is_found => self.patch.resume(reading),
            Ok(answer) => self.looked_up(answer),
            Err(failure) => Progress::Done(Err(failure.error)),
        };
        match progress {
            Progress::Done(Err(error)) if error.reason == Reason::RecordNotFound => {
                let message = self.patch.not_found(&self.record).message;
                Progress::Done(Err(Error { message, ..error }))
            }
            progress => progress,
        }
    }
}

impl UpdateRecord {
    fn looked_up(&mut self, mut answer: Answer) -> Progress {
        let RecordRef::Number(number) = &self.record else {
            return Progress::Done(Err(table_api::unexpected(answer.status, "a record")));
        };
        match self.patch.search_view().only_match(&mut answer, &[("number", number)]) {
            Ok(Some(row)) => {
                self.is_found = true;
                self.patch.of_row(&row, answer.status)
            }
            Ok(None) => Progress::Done(Err(self.patch.not_found(&self.record))),
            Err(error) => Progress::Done(Err(error)),
        }
    }
}
