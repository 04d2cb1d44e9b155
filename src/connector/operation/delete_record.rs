//! `delete`: a record that is gone already counts as done, since the call that deleted it
//! may have been ours.
#![deny(clippy::disallowed_types)]

use super::{
    Operation, Progress, Reading, Success,
    table_api::{self, View},
};
use crate::{
    connector::{
        Access,
        input::{DisplayValue, Inputs, RecordRef},
    },
    servicenow::{Error, Record, SysId, Table, reading::Answer},
};

pub(super) const INPUTS: &[&str] = &["table", "sysId", "number"];

#[derive(Debug)]
struct DeleteRecord {
    view: View,
    record: RecordRef,
    /// Known once a number has been looked up.
    sys_id: Option<String>,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let view = View {
        instance: inputs.target.instance.clone(),
        table: inputs.table(Access::Write)?,
        fields: Some(vec!["sys_id".to_owned(), "number".to_owned()]),
        selected: Vec::new(),
        display: DisplayValue::Raw,
    };
    let record = inputs.record_ref()?;
    let sys_id = match &record {
        RecordRef::SysId(id) => Some(id.as_str().to_owned()),
        RecordRef::Number(_) => None,
    };
    Ok(Box::new(DeleteRecord { view, record, sys_id }))
}

impl Operation for DeleteRecord {
    fn table(&self) -> Option<&Table> {
        Some(&self.view.table)
    }

    fn start(&mut self) -> Progress {
        match &self.record {
            RecordRef::SysId(id) => Progress::Ask(self.view.delete(id.as_str())),
            RecordRef::Number(number) => match self.view.by_number(number) {
                Ok(request) => Progress::Ask(request),
                Err(error) => Progress::Done(Err(error)),
            },
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        match (reading, self.sys_id.is_some()) {
            (Ok(answer), true) => Progress::Done(Ok(self.success("deleted", answer))),
            (Ok(answer), false) => self.looked_up(answer),
            (Err(failure), _) if table_api::is_not_found(&failure) => {
                Progress::Done(Ok(self.success("absent", table_api::absence(&failure))))
            }
            (Err(failure), _) => Progress::Done(Err(failure.error)),
        }
    }
}

impl DeleteRecord {
    fn looked_up(&mut self, mut answer: Answer) -> Progress {
        let RecordRef::Number(number) = &self.record else {
            return Progress::Done(Ok(self.success("deleted", answer)));
        };
        let found = self.view.only_match(&mut answer, &[("number", number)]);
        match found.map(|row| row.as_ref().and_then(Record::sys_id).map(SysId::parse)) {
            Ok(Some(Ok(id))) => {
                self.sys_id = Some(id.as_str().to_owned());
                Progress::Ask(self.view.delete(id.as_str()))
            }
            Ok(Some(Err(error))) => {
                Progress::Done(Err(table_api::unexpected(answer.status, &error.to_string())))
            }
            Ok(None) => Progress::Done(Ok(self.success("absent", answer))),
            Err(error) => Progress::Done(Err(error)),
        }
    }

    fn success(&self, word: &'static str, answer: Answer) -> Box<Success> {
        let mut success = Success::new(word, answer).with("table", self.view.table.as_str());
        if let Some(id) = &self.sys_id {
            success = success.with("sysId", id.as_str());
        }
        if let RecordRef::Number(number) = &self.record {
            success = success.with("number", number.as_str());
        }
        Box::new(success)
    }
}
