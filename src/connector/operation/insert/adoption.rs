//! A record that is there: whose it is, what becomes of it, and what there is to say.
#![deny(clippy::disallowed_types)]

use super::{
    Insert, Stage,
    comparison::{Comparison, Verdict},
    mark::CORRELATION,
    same_id,
};
use crate::{
    connector::{
        Effect,
        input::{DisplayValue, invalid},
        operation::{Progress, Success, echo, table_api},
    },
    outcome::cut,
    servicenow::{Error, Reason, Record, SysId, reading::Answer},
};

impl Insert {
    /// A record by our id or with our mark.
    pub(super) fn found(&mut self, record: Record, answer: Answer) -> Progress {
        if let Err(error) = self.check_owner(&record) {
            return Progress::Done(Err(error));
        }
        let comparison = Comparison {
            table: &self.view.table,
            asked: &self.asked,
            fingerprint: self.fingerprint.as_ref(),
            on_mismatch: self.on_mismatch,
        };
        match comparison.judge(&record) {
            Verdict::Refuse(error) => Progress::Done(Err(error)),
            Verdict::Adopt(note) => {
                self.notes.extend(note);
                Progress::Done(Ok(self.success("adopted", Effect::Adopted, record, answer)))
            }
            Verdict::Change(fields, notes) => {
                let Some(Ok(id)) = record.sys_id().map(SysId::parse) else {
                    let wanted = "a record that has a sys_id";
                    return Progress::Done(Err(table_api::unexpected(answer.status, wanted)));
                };
                self.notes.extend(notes);
                self.stage = Stage::Changing;
                Progress::Ask(self.view.update(id.as_str(), fields.to_body()))
            }
        }
    }

    /// The answer to the insert: 201 for a new record. 200 with the id asked for says that
    /// the record was there, and that the insert was taken for an update.
    pub(super) fn written(&mut self, record: Record, answer: Answer) -> Box<Success> {
        let was_there =
            answer.status == 200 && record.sys_id().is_some_and(|id| same_id(id, &self.id));
        if !was_there {
            return self.success("created", Effect::Created, record, answer);
        }
        self.honouring.saw_overwriting(&self.view.instance, &self.view.table);
        self.notes.push(format!(
            "the record was there already, and table '{}' took the insert for an update: the \
             fields have been written again",
            self.view.table
        ));
        self.success("adopted", Effect::Adopted, record, answer)
    }

    /// The answer to the change of a record that is adopted.
    pub(super) fn changed(&self, mut answer: Answer) -> Result<Box<Success>, Error> {
        let record = table_api::record(&mut answer)?;
        Ok(self.success("adopted", Effect::Adopted, record, answer))
    }

    /// Whether the record shows our mark.
    pub(super) fn has_mark(&self, record: &Record) -> bool {
        self.mark
            .as_ref()
            .is_some_and(|mark| record.text(&mark.field).is_some_and(|text| mark.is(text)))
    }

    /// That the record is the one we sent: by the mark, else by the id that nobody else
    /// derives, else, under an id of the author's, by its fields.
    fn check_owner(&self, record: &Record) -> Result<(), Error> {
        let found = self.mark.as_ref().and_then(|mark| Some((mark, record.text(&mark.field)?)));
        let is_ours = match found {
            Some((mark, text)) if mark.is(text) => true,
            Some((mark, text)) => self.id_is_derived && !mark.is_of_another(text),
            None => self.id_is_derived || echo::warnings(&self.asked, record).is_empty(),
        };
        if is_ours {
            return Ok(());
        }
        let (table, id) = (&self.view.table, &self.id);
        let message = if self.id_is_derived {
            format!(
                "table '{table}' has a record with the sys_id '{id}' of this job, and it carries \
                 the mark of another job: it is not adopted; look at who made it"
            )
        } else {
            format!(
                "table '{table}' already has a record with the sys_id '{id}' of your fields, and \
                 it was not made by this job: choose another sys_id, or update that record"
            )
        };
        Err(Error::new(Reason::Conflict, message))
    }

    /// The result, with whatever about the record is not as it should be.
    pub(super) fn success(
        &self,
        word: &'static str,
        effect: Effect,
        mut record: Record,
        answer: Answer,
    ) -> Box<Success> {
        let mut warnings = self.notes.clone();
        warnings.extend(echo::warnings(&self.asked, &record));
        warnings.extend(self.mark_warning(effect, &record));
        warnings.extend(self.view.not_answered(std::slice::from_ref(&record)));
        warnings.extend(self.asked.null_warnings());
        let other_id = record.sys_id().filter(|id| !same_id(id, &self.id)).map(str::to_owned);
        if let Some(id) = &other_id
            && !(self.refusal_is_known && self.has_mark(&record))
        {
            warnings.push(self.id_warning(id, self.has_mark(&record)));
        }
        if self.display == DisplayValue::Display {
            record.reduce_to_display_values();
        }
        let mut success =
            Success::new(word, answer).with_record(&self.view.instance, &self.view.table, record);
        success.effect = Some(effect);
        let seen = self.honouring.saw(&self.view.instance, &self.view.table, other_id.is_none());
        success.id_not_honoured = seen.filter(|_| !self.refusal_is_known);
        success.warnings = warnings;
        Box::new(success)
    }

    fn id_warning(&self, chosen: &str, has_mark: bool) -> String {
        let (asked, table) = (&self.id, &self.view.table);
        let what = format!("sys_id not honoured: asked for {asked}, ServiceNow chose {chosen}");
        match &self.mark {
            Some(mark) if has_mark => format!(
                "{what}; from now on the worker looks for its mark in '{}' before it inserts into \
                 table '{table}'",
                mark.field
            ),
            _ => format!(
                "{what}, and the record has no mark; on table '{table}' a lost answer may lead to \
                 a second record: give the table a text field with unique values and name it under \
                 [connections.{}.identity], \"{table}\" = {{ field = \"…\" }}",
                self.connection
            ),
        }
    }

    /// A mark that is not where it was put. An instance may keep `correlation_id` from us,
    /// which matters only once it stands in for the id.
    fn mark_warning(&self, effect: Effect, record: &Record) -> Option<String> {
        let mark = self.mark.as_ref()?;
        match record.text(&mark.field) {
            Some(text) if mark.is(text) => None,
            Some(text) if effect == Effect::Adopted => Some(format!(
                "{} of the adopted record is '{}', not the mark of this job",
                mark.field,
                cut(text, 80)
            )),
            _ if mark.field == CORRELATION => None,
            _ => Some(format!(
                "the mark of the job was not stored in '{}': table '{}' has no such field, it is \
                 too short, or the worker's user may not write and read it; see \
                 [connections.{}.identity]",
                mark.field, self.view.table, self.connection
            )),
        }
    }

    /// Several records of one job: the damage of an earlier loss, to be cleared up by people.
    pub(super) fn several(&self, own: &[Record]) -> String {
        let ids: Vec<_> = own.iter().filter_map(Record::sys_id).collect();
        format!(
            "several records of table '{}' carry the mark of this job: {}; the first was adopted",
            self.view.table,
            ids.join(", ")
        )
    }

    /// Rows that do not show what was searched for: whether ours is there cannot be told.
    pub(super) fn not_searchable(&self) -> Error {
        let field = self.mark.as_ref().map_or("", |mark| mark.field.as_str());
        invalid(format!(
            "'{field}' cannot be searched on table '{table}', where new records get other sys_ids \
             than asked for: asked for the mark of this job, ServiceNow answers other records; \
             the table has no such field, or the worker's user may not read it; nothing was \
             inserted; name another field under [connections.{connection}.identity]",
            table = self.view.table,
            connection = self.connection
        ))
    }
}
