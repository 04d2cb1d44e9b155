//! `create`: one record per job, whatever crashes.
#![deny(clippy::disallowed_types)]

use super::{Operation, Progress, Reading, insert::Insert};
use crate::{
    connector::{Access, input::Inputs},
    servicenow::{Error, Table},
};

pub(super) const INPUTS: &[&str] =
    &["table", "fields", "otherFields", "fieldsTemplate", "templateData", "select", "displayValue"];

#[derive(Debug)]
struct CreateRecord {
    insert: Insert,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let table = inputs.table(Access::Write)?;
    Ok(Box::new(CreateRecord { insert: Insert::read(inputs, table, inputs.fields()?)? }))
}

impl Operation for CreateRecord {
    fn table(&self) -> Option<&Table> {
        Some(self.insert.table())
    }

    fn creates(&self) -> bool {
        self.insert.may_have_created()
    }

    fn address(&self) -> Option<String> {
        Some(self.insert.address())
    }

    fn start(&mut self) -> Progress {
        self.insert.start()
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        self.insert.resume(reading)
    }
}
