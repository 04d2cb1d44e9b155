//! `update`: changes the given fields of one record. Doing it again changes nothing more,
//! except for journal fields, which append each time.
#![deny(clippy::disallowed_types)]

use super::{
    Operation, Progress, Reading, Success, echo,
    table_api::{self, View},
};
use crate::{
    connector::{
        Access,
        input::{DisplayValue, Fields, Inputs, RecordRef},
    },
    servicenow::{Error, Record, SysId, Table, reading::Answer},
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
    is_sent: bool,
}

/// Changes to a record that has been found; upsert uses it too.
#[derive(Debug)]
pub(super) struct Patch {
    view: View,
    fields: Fields,
    display: DisplayValue,
    /// How often the record had been changed before, when that is known.
    mod_count: Option<String>,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let table = inputs.table(Access::Write)?;
    let record = inputs.record_ref()?;
    let patch = Patch::read(inputs, table, inputs.fields()?)?;
    Ok(Box::new(UpdateRecord { patch, record, is_sent: false }))
}

impl Operation for UpdateRecord {
    fn table(&self) -> Option<&Table> {
        Some(&self.patch.view.table)
    }

    fn start(&mut self) -> Progress {
        match &self.record {
            RecordRef::SysId(id) => {
                self.is_sent = true;
                Progress::Ask(self.patch.request(id.as_str()))
            }
            RecordRef::Number(number) => {
                let search = self.patch.search_view().by_number(number);
                search.map_or_else(|error| Progress::Done(Err(error)), Progress::Ask)
            }
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        match reading {
            Ok(answer) if self.is_sent => Progress::Done(self.patch.read_answer(answer)),
            Ok(answer) => self.looked_up(answer),
            Err(failure) if table_api::is_not_found(&failure) => {
                let message = self.patch.view.not_found(&self.record).message;
                Progress::Done(Err(Error { message, ..failure.error }))
            }
            Err(failure) => Progress::Done(Err(failure.error)),
        }
    }
}

impl UpdateRecord {
    fn looked_up(&mut self, mut answer: Answer) -> Progress {
        let RecordRef::Number(number) = &self.record else {
            return Progress::Done(self.patch.read_answer(answer));
        };
        match self.patch.search_view().only_match(&mut answer, &[("number", number)]) {
            Ok(Some(row)) => {
                self.is_sent = true;
                self.patch.of_row(&row, answer.status)
            }
            Ok(None) => Progress::Done(Err(self.patch.view.not_found(&self.record))),
            Err(error) => Progress::Done(Err(error)),
        }
    }
}

impl Patch {
    pub(super) fn read(inputs: &Inputs<'_>, table: Table, fields: Fields) -> Result<Self, Error> {
        let (view, display) = View::for_writing(inputs, table, &fields)?;
        let view = view.with_fields(["sys_mod_count"]);
        Ok(Self { view, fields, display, mod_count: None })
    }

    /// The view to find the record with.
    pub(super) fn search_view(&self) -> View {
        let fields = ["sys_id", "number", "sys_mod_count"].map(str::to_owned).to_vec();
        View { fields: Some(fields), display: DisplayValue::Raw, ..self.view.clone() }
    }

    /// The request for a record that has been found.
    pub(super) fn of_row(&mut self, row: &Record, status: u16) -> Progress {
        let Some(Ok(id)) = row.sys_id().map(SysId::parse) else {
            return Progress::Done(Err(table_api::unexpected(
                status,
                "a record that has a sys_id",
            )));
        };
        self.mod_count = row.text("sys_mod_count").map(str::to_owned);
        Progress::Ask(self.request(id.as_str()))
    }

    fn request(&self, sys_id: &str) -> crate::servicenow::Request {
        self.view.update(sys_id, self.fields.to_body())
    }

    pub(super) fn read_answer(&self, mut answer: Answer) -> Result<Box<Success>, Error> {
        let mut record = table_api::record(&mut answer)?;
        let warnings = echo::warnings(&self.fields, &record);
        let is_unchanged = self.mod_count.is_some()
            && record.text("sys_mod_count") == self.mod_count.as_deref()
            && !echo::writes_journal(&self.fields);
        if self.display == DisplayValue::Display {
            record.reduce_to_display_values();
        }
        let word = if is_unchanged { "unchanged" } else { "updated" };
        let mut success =
            Success::new(word, answer).with_record(&self.view.instance, &self.view.table, record);
        success.warnings = warnings;
        Ok(Box::new(success))
    }
}
