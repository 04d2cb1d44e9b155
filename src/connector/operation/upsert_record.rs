//! `upsert`: updates the one record that has the `matchOn` values, or creates it.
#![deny(clippy::disallowed_types)]

use super::{Operation, Progress, Reading, insert::Insert, patch::Patch, table_api::View};
use crate::{
    connector::{
        Access,
        input::{Fields, Inputs, invalid},
        intent::Fate,
    },
    servicenow::{
        EncodedQuery, Error, Record, SysId, Table, encoded_query::Operator, reading::Answer,
    },
};

pub(super) const INPUTS: &[&str] = &[
    "table",
    "fields",
    "otherFields",
    "fieldsTemplate",
    "templateData",
    "matchOn",
    "select",
    "displayValue",
];

#[derive(Debug)]
struct UpsertRecord {
    insert: Insert,
    patch: Patch,
    wanted: Vec<(String, String)>,
    query: EncodedQuery,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Searching,
    Inserting,
    Patching,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let table = inputs.table(Access::Write)?;
    let fields = inputs.fields()?;
    let wanted = wanted(inputs, &fields)?;
    let query = wanted.iter().try_fold(EncodedQuery::default(), |query, (field, value)| {
        query
            .and(field, Operator::Equal, &[value])
            .map_err(|error| invalid(format!("matchOn: {error}")))
    })?;
    Ok(Box::new(UpsertRecord {
        insert: Insert::read(inputs, table.clone(), fields.clone())?.changing(),
        patch: Patch::read(inputs, "upsert", table, fields)?,
        wanted,
        query: query.with_tie_break(),
        stage: Stage::Searching,
    }))
}

/// The fields to match on, with the values that are to be written.
fn wanted(inputs: &Inputs<'_>, fields: &Fields) -> Result<Vec<(String, String)>, Error> {
    let names = inputs.field_names("matchOn")?.ok_or_else(|| {
        invalid("matchOn is missing: name the fields that tell which record is meant")
    })?;
    names
        .into_iter()
        .map(|name| match fields.get(&name) {
            Some(value) if !value.trim().is_empty() => {
                let value = value.to_owned();
                Ok((name, value))
            }
            _ => Err(invalid(format!("matchOn names '{name}', which has no value in fields"))),
        })
        .collect()
}

impl Operation for UpsertRecord {
    fn table(&self) -> Option<&Table> {
        Some(self.insert.table())
    }

    fn creates(&self) -> bool {
        self.insert.may_have_created()
    }

    fn address(&self) -> Option<String> {
        Some(self.insert.address())
    }

    fn intent(&self) -> Fate {
        self.patch.intent()
    }

    fn start(&mut self) -> Progress {
        self.stage = Stage::Searching;
        Progress::Ask(self.search_view().list(&self.query, 2, 0))
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        match (self.stage, reading) {
            (Stage::Inserting, reading) => self.insert.resume(reading),
            (Stage::Patching, reading) => self.patch.resume(reading),
            (Stage::Searching, Err(failure)) => Progress::Done(Err(failure.error)),
            (Stage::Searching, Ok(answer)) => self.searched(answer),
        }
    }
}

impl UpsertRecord {
    fn search_view(&self) -> View {
        let wanted = self.wanted.iter().map(|(field, _)| field.as_str());
        self.patch.search_view().with_fields(wanted).with_fields(self.insert.own_fields())
    }

    fn searched(&mut self, mut answer: Answer) -> Progress {
        let wanted: Vec<_> = self.wanted.iter().map(|(f, v)| (f.as_str(), v.as_str())).collect();
        match self.search_view().only_match(&mut answer, &wanted) {
            Err(error) => Progress::Done(Err(error)),
            Ok(None) => {
                self.stage = Stage::Inserting;
                self.insert.start()
            }
            Ok(Some(row)) => self.matched(&row, answer.status),
        }
    }

    fn matched(&mut self, row: &Record, status: u16) -> Progress {
        if let Some(id) = self.own_id(row) {
            // An earlier attempt of this job created it; the answer was lost.
            self.stage = Stage::Inserting;
            return self.insert.look_at(&id);
        }
        self.stage = Stage::Patching;
        self.patch.of_row(row, status)
    }

    /// The id of a row that this job created.
    fn own_id(&self, row: &Record) -> Option<SysId> {
        let id = row.sys_id().and_then(|id| SysId::parse(id).ok())?;
        self.insert.is_own(row).then_some(id)
    }
}
