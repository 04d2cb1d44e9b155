//! The insert that happens once.
//!
//! The sys_id is chosen before the first attempt and is the same in every attempt
//! ([`Identity`]). One POST; when it leaves any doubt, a GET by that id decides: there, and
//! the record is adopted; not there, and what the POST said holds, or, when it said
//! nothing, the same POST goes out once more. When the GET decides nothing either, the
//! outcome is unknown and the job comes back later. Never an insert under a new id.
//!
//! An instance may give the record an id of its own all the same. Then the job's mark is
//! what tells the record: it is looked for in a field of the table, before the second POST
//! where the habits of the table are not known, in this attempt or a later one, and before the
//! first where they are bad.
//! Another may take a second insert with the same id for an update. That makes no second
//! record, but journal entries would be there twice: where it was seen, the record is looked
//! for by its id before a POST that writes such.
#![deny(clippy::disallowed_types)]

mod adoption;
mod comparison;
mod mark;
mod reading;

use std::{sync::Arc, time::Duration};

use mark::{Fingerprint, Mark};

use super::{
    Progress, Reading, success,
    table_api::{self, View},
};
use crate::{
    connector::{
        OnMismatch,
        honouring::Honouring,
        input::{DisplayValue, Fields},
    },
    servicenow::{
        Error, Reason, Record, SysId, Table,
        reading::{Answer, Failure},
    },
};

/// What is said where nobody may look whether the record is there.
const UNSEEN: &str = "journal entries may be there twice: the table takes a second insert for an \
                      update, and the worker's user may not read it";
/// POSTs of one job in one run.
const MAX_POSTS: u32 = 2;

#[derive(Debug)]
pub(super) struct Insert {
    connection: String,
    view: View,
    display: DisplayValue,
    /// What the author asked for.
    asked: Fields,
    /// The same with identity and marks.
    sent: Fields,
    id: SysId,
    id_is_derived: bool,
    /// What tells our record, where the table has room for it.
    mark: Option<Mark>,
    fingerprint: Option<Fingerprint>,
    on_mismatch: OnMismatch,
    honouring: Arc<Honouring>,
    /// The operator has said that new records get other ids than asked for.
    refusal_is_known: bool,
    /// An earlier attempt of the job failed, as its variable `error` says, and may have left a
    /// record. One from elsewhere in the process costs a look.
    has_failed_before: bool,
    /// After this time ServiceNow does nothing more about a request.
    longest_request: Duration,
    stage: Stage,
    posts: u32,
    /// What the last POST left open, while the look-up runs.
    doubt: Option<Box<Failure>>,
    /// What there is to say about a record that is adopted.
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Posting,
    LookingFirst,
    LookingById,
    LookingForMark,
    Changing,
}

impl Insert {
    pub(super) fn table(&self) -> &Table {
        &self.view.table
    }

    /// Whether a row, read with [`Self::own_fields`], was created by this job.
    pub(super) fn is_own(&self, row: &Record) -> bool {
        let has_id = row.sys_id().is_some_and(|id| self.id_is_derived && same_id(id, &self.id));
        has_id || self.has_mark(row)
    }

    /// The fields that tell whose a row is.
    pub(super) fn own_fields(&self) -> impl Iterator<Item = &str> {
        self.mark.iter().map(|mark| mark.field.as_str())
    }

    /// Whether an insert went out in this run.
    pub(super) fn may_have_created(&self) -> bool {
        self.posts > 0 && self.stage != Stage::Changing
    }

    /// Where people would find the record.
    pub(super) fn address(&self) -> String {
        let View { instance, table, .. } = &self.view;
        match &self.mark {
            Some(Mark { field, value }) if self.is_id_refused() => {
                let base = instance.base_url();
                format!("{base}/{table}_list.do?sysparm_query={field}%3D{value}")
            }
            _ => success::address(instance, table, self.id.as_str()),
        }
    }

    /// The insert, or first a look where the id alone does not prevent a second record.
    pub(super) fn start(&mut self) -> Progress {
        if self.would_repeat_entries() {
            self.stage = Stage::LookingFirst;
            return Progress::Ask(self.view.get(self.id.as_str()));
        }
        let look = if self.may_be_under_another_id() { self.look_for_mark() } else { None };
        look.unwrap_or_else(|| self.post())
    }

    /// Whether an earlier attempt may have left a record that its id does not tell.
    fn may_be_under_another_id(&self) -> bool {
        self.is_id_refused() || (self.has_failed_before && !self.is_id_honoured())
    }

    /// Whether new records get other ids than asked for. Other jobs may learn it meanwhile.
    fn is_id_refused(&self) -> bool {
        self.refusal_is_known || self.honouring.refuses(&self.view.instance, &self.view.table)
    }

    fn is_id_honoured(&self) -> bool {
        self.honouring.honours(&self.view.instance, &self.view.table)
    }

    /// Whether a POST after one that nobody knows of would write journal entries again.
    fn would_repeat_entries(&self) -> bool {
        !self.is_id_refused()
            && self.asked.write_journals()
            && self.honouring.overwrites(&self.view.instance, &self.view.table)
    }

    fn post(&mut self) -> Progress {
        self.posts += 1;
        self.stage = Stage::Posting;
        Progress::Ask(self.view.insert(self.sent.to_body()))
    }

    /// The look at a record that may be ours.
    pub(super) fn look_at(&mut self, id: &SysId) -> Progress {
        self.stage = Stage::LookingById;
        Progress::Ask(self.view.get(id.as_str()))
    }

    /// The look for our mark; `None` where the table has no room for it.
    fn look_for_mark(&mut self) -> Option<Progress> {
        let mark = self.mark.as_ref()?;
        self.stage = Stage::LookingForMark;
        let query = mark.query().map(|query| self.view.list(&query, 2, 0));
        Some(query.map_or_else(|error| Progress::Done(Err(error)), Progress::Ask))
    }

    pub(super) fn resume(&mut self, reading: Reading) -> Progress {
        match (self.stage, reading) {
            (Stage::Posting, Ok(answer)) => self.posted(answer),
            (Stage::Posting, Err(failure)) if failure.may_have_acted => self.in_doubt(failure),
            (Stage::LookingFirst, Err(failure)) if table_api::is_not_found(&failure) => self.post(),
            (Stage::LookingFirst, Err(failure)) if failure.error.reason == Reason::Forbidden => {
                self.notes.push(UNSEEN.to_owned());
                self.post()
            }
            (Stage::LookingFirst | Stage::LookingById, Ok(mut answer)) => {
                match table_api::record(&mut answer) {
                    Ok(record) => self.found(record, answer),
                    Err(error) => Progress::Done(Err(error)),
                }
            }
            (Stage::LookingById, Err(failure)) if table_api::is_not_found(&failure) => {
                self.not_under_its_id(failure.error)
            }
            (Stage::LookingForMark, Ok(answer)) => self.listed(answer),
            (Stage::LookingForMark, Err(failure))
                if table_api::is_not_found(&failure) || self.may_go_on_unseen(&failure) =>
            {
                self.without_mark(failure.error)
            }
            (Stage::LookingFirst | Stage::LookingById | Stage::LookingForMark, Err(failure)) => {
                Progress::Done(Err(self.undecided(failure.error)))
            }
            (Stage::Changing, Ok(answer)) => Progress::Done(self.changed(answer)),
            (Stage::Posting | Stage::Changing, Err(failure)) => Progress::Done(Err(failure.error)),
        }
    }

    fn posted(&mut self, mut answer: Answer) -> Progress {
        match table_api::record(&mut answer) {
            Ok(record) if record.sys_id().is_some() => {
                Progress::Done(Ok(self.written(record, answer)))
            }
            _ => {
                let error = table_api::unexpected(answer.status, "the new record");
                self.in_doubt(Box::new(Failure { error, may_have_acted: true }))
            }
        }
    }

    fn in_doubt(&mut self, doubt: Box<Failure>) -> Progress {
        self.doubt = Some(doubt);
        let look = if self.is_id_refused() { self.look_for_mark() } else { None };
        look.unwrap_or_else(|| self.look_at(&self.id.clone()))
    }

    /// There is no record under the id. An instance that takes no ids may have it under
    /// another.
    fn not_under_its_id(&mut self, look_up: Error) -> Progress {
        let Some(doubt) = &self.doubt else { return Progress::Done(Err(look_up)) };
        let is_open = doubt.error.status.is_none() || !self.is_id_honoured();
        let look = if is_open { self.look_for_mark() } else { None };
        look.unwrap_or_else(|| self.not_there(look_up))
    }

    /// What the look for the mark brought. ServiceNow ignores a condition that it cannot
    /// read and answers any rows, so each of them must show the mark.
    fn listed(&mut self, mut answer: Answer) -> Progress {
        let rows = match table_api::rows(&mut answer) {
            Ok(rows) => rows,
            Err(error) => return Progress::Done(Err(self.undecided(error))),
        };
        let (mut own, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| self.has_mark(row));
        if own.len() > 1 {
            self.notes.push(self.several(&own));
        }
        match (own.drain(..).next(), others.is_empty(), self.doubt.is_some()) {
            (Some(record), ..) => self.found(record, answer),
            (None, false, false) if self.is_id_refused() => {
                Progress::Done(Err(self.not_searchable()))
            }
            (None, ..) => self.without_mark(Error::new(Reason::RecordNotFound, "no such record")),
        }
    }

    /// Whether a table whose habits are unknown gets the insert though nobody may look for the
    /// mark: most take the id, and users who write often may not read.
    fn may_go_on_unseen(&self, look_up: &Failure) -> bool {
        self.doubt.is_none() && !self.is_id_refused() && look_up.error.reason == Reason::Forbidden
    }

    /// No record has our mark.
    fn without_mark(&mut self, look_up: Error) -> Progress {
        if self.doubt.is_none() { self.post() } else { self.not_there(look_up) }
    }

    fn not_there(&mut self, look_up: Error) -> Progress {
        let Some(doubt) = self.doubt.take() else { return Progress::Done(Err(look_up)) };
        if self.is_told_of_own_record(&doubt.error) {
            let hidden = "there is none that the worker's user can see; let it read the table";
            return Progress::Done(Err(self.unknown(&doubt.error, hidden, look_up)));
        }
        if doubt.error.status.is_some() {
            return Progress::Done(Err(self.until_it_is_over(doubt.error)));
        }
        // Where the id does not keep a second record away, the first POST must have ended.
        if self.posts < MAX_POSTS && !self.is_id_refused() {
            return self.post();
        }
        Progress::Done(Err(self.unknown(&doubt.error, "it is not there yet", look_up)))
    }

    /// Where the id does not keep a second record away, the job comes back when this attempt's
    /// insert can do nothing more.
    fn until_it_is_over(&self, error: Error) -> Error {
        let at_least = Some(self.longest_request).filter(|_| self.is_id_refused());
        Error { at_least, ..error }
    }

    /// Whether a refusal of a second record names the id that only this job derives: the
    /// record is there, whatever a look at it says.
    fn is_told_of_own_record(&self, refusal: &Error) -> bool {
        refusal.reason == Reason::Conflict
            && self.id_is_derived
            && refusal.message.to_ascii_lowercase().contains(self.id.as_str())
    }

    /// The look-up failed as well.
    fn undecided(&self, look_up: Error) -> Error {
        match self.doubt.as_deref() {
            // Who may not write often may not read: that says nothing new.
            Some(doubt)
                if doubt.error.status == Some(403) && matches!(look_up.status, Some(401 | 403)) =>
            {
                doubt.error.clone()
            }
            Some(doubt) => {
                let why = look_up.message.clone();
                self.unknown(&doubt.error, &why, look_up)
            }
            None => look_up,
        }
    }

    fn unknown(&self, doubt: &Error, look_up_says: &str, look_up: Error) -> Error {
        let sought = match &self.mark {
            Some(mark) if self.stage == Stage::LookingForMark => {
                format!("{} '{}'", mark.field, mark.value)
            }
            _ => format!("sys_id {}", self.id),
        };
        self.until_it_is_over(Error {
            reason: Reason::OutcomeUnknown,
            message: format!(
                "it is not known whether the record was created ({}); a look for {sought} says: \
                 {look_up_says}",
                doubt.message
            ),
            retry_after: look_up.retry_after.max(doubt.retry_after),
            ..look_up
        })
    }
}

fn same_id(text: &str, id: &SysId) -> bool {
    text.eq_ignore_ascii_case(id.as_str())
}
