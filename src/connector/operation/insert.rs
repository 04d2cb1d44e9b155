//! The insert that happens once.
//!
//! The sys_id is chosen before the first attempt and is the same in every attempt
//! ([`Identity`]). One POST; when it leaves any doubt, a GET by that id decides: there, and
//! the record is adopted; not there, and what the POST said holds, or, when it said
//! nothing, the same POST goes out once more. When the GET decides nothing either, the
//! outcome is unknown and the job comes back later. Never an insert under a new id.
#![deny(clippy::disallowed_types)]

use super::{
    Progress, Reading, Success, echo,
    table_api::{self, View},
};
use crate::{
    connector::{
        Effect,
        identity::Identity,
        input::{DisplayValue, Fields, Inputs, sys_id},
    },
    servicenow::{
        Error, Reason, Record, SysId, Table,
        reading::{Answer, Failure},
    },
};

/// POSTs of one job in one run.
const MAX_POSTS: u32 = 2;

#[derive(Debug)]
pub(super) struct Insert {
    view: View,
    display: DisplayValue,
    /// What the author asked for.
    asked: Fields,
    /// The same with identity and marks.
    sent: Fields,
    id: SysId,
    id_is_derived: bool,
    /// The value of `correlation_id` that tells our record, when we set it.
    marker: Option<String>,
    posts: u32,
    /// What the last POST left open, while the look-up runs.
    doubt: Option<Box<Failure>>,
    is_looking_up: bool,
}

impl Insert {
    pub(super) fn read(inputs: &Inputs<'_>, table: Table, asked: Fields) -> Result<Self, Error> {
        let instance = inputs.target.instance.clone();
        let identity =
            Identity::new(&inputs.config.namespace, inputs.job, &instance, table.as_str());
        let authors_id = asked.get("sys_id").map(|text| sys_id("field 'sys_id'", text));
        let (id, id_is_derived) = match authors_id.transpose()? {
            Some(id) => (id, false),
            None => (identity.sys_id(), true),
        };
        let mut sent = asked.clone();
        sent.set_if_absent("sys_id", id.as_str());
        let is_marked =
            inputs.config.is_correlated(&table) && asked.get("correlation_id").is_none();
        let marker = is_marked.then(|| identity.marker());
        if let Some(marker) = &marker {
            sent.set_if_absent("correlation_id", marker);
            let display = format!("camunda:{}", inputs.job.process_instance_key);
            sent.set_if_absent("correlation_display", display);
        }
        let (view, display) = View::for_writing(inputs, table, &asked)?;
        let view = view.with_fields(marker.iter().map(|_| "correlation_id"));
        Ok(Self {
            view,
            display,
            asked,
            sent,
            id,
            id_is_derived,
            marker,
            posts: 0,
            doubt: None,
            is_looking_up: false,
        })
    }

    pub(super) fn table(&self) -> &Table {
        &self.view.table
    }

    /// Whether a record with this id was created by this job.
    pub(super) fn is_derived_id(&self, id: &SysId) -> bool {
        self.id_is_derived && same_id(id.as_str(), &self.id)
    }

    /// The insert.
    pub(super) fn post(&mut self) -> Progress {
        self.posts += 1;
        self.is_looking_up = false;
        Progress::Ask(self.view.insert(self.sent.to_body()))
    }

    /// The look at whether it is there.
    pub(super) fn look_up(&mut self) -> Progress {
        self.is_looking_up = true;
        Progress::Ask(self.view.get(self.id.as_str()))
    }

    pub(super) fn resume(&mut self, reading: Reading) -> Progress {
        match (reading, self.is_looking_up) {
            (Ok(answer), false) => self.posted(answer),
            (Err(failure), false) if failure.may_have_acted => {
                self.doubt = Some(failure);
                self.look_up()
            }
            (Err(failure), false) => Progress::Done(Err(failure.error)),
            (Ok(answer), true) => Progress::Done(self.found(answer)),
            (Err(failure), true) if table_api::is_not_found(&failure) => self.not_there(*failure),
            (Err(failure), true) => Progress::Done(Err(self.undecided(*failure))),
        }
    }

    fn posted(&mut self, mut answer: Answer) -> Progress {
        let unreadable = |answer: &Answer| {
            let error = table_api::unexpected(answer.status, "the new record");
            Some(Box::new(Failure { error, may_have_acted: true }))
        };
        match table_api::record(&mut answer) {
            Ok(record) if record.sys_id().is_some() => {
                Progress::Done(Ok(self.success("created", Effect::Created, record, answer)))
            }
            _ => {
                self.doubt = unreadable(&answer);
                self.look_up()
            }
        }
    }

    fn found(&self, mut answer: Answer) -> Result<Box<Success>, Error> {
        let record = table_api::record(&mut answer)?;
        if !self.id_is_derived && !self.is_as_sent(&record) {
            return Err(Error::new(
                Reason::Conflict,
                format!(
                    "table '{}' already has a record with the sys_id '{}' of your fields, and it \
                     was not made by this job: choose another sys_id, or update that record",
                    self.view.table, self.id
                ),
            ));
        }
        Ok(self.success("adopted", Effect::Adopted, record, answer))
    }

    /// Whether a record under an id of the author's is the one we sent: by our mark, or,
    /// where there is none, by its fields.
    fn is_as_sent(&self, record: &Record) -> bool {
        match (&self.marker, record.text("correlation_id")) {
            (Some(marker), Some(found)) => marker == found,
            _ => echo::warnings(&self.asked, record).is_empty(),
        }
    }

    fn not_there(&mut self, look_up: Failure) -> Progress {
        let Some(doubt) = self.doubt.take() else { return Progress::Done(Err(look_up.error)) };
        let had_no_answer = doubt.error.status.is_none();
        if !had_no_answer {
            return Progress::Done(Err(doubt.error));
        }
        if self.posts < MAX_POSTS {
            return self.post();
        }
        Progress::Done(Err(self.unknown(&doubt.error, "it is not there yet", look_up.error)))
    }

    /// The look-up failed as well.
    fn undecided(&self, look_up: Failure) -> Error {
        match self.doubt.as_deref() {
            // Who may not write often may not read: that says nothing new.
            Some(doubt)
                if doubt.error.status == Some(403)
                    && matches!(look_up.error.status, Some(401 | 403)) =>
            {
                doubt.error.clone()
            }
            Some(doubt) => {
                let why = look_up.error.message.clone();
                self.unknown(&doubt.error, &why, look_up.error)
            }
            None => look_up.error,
        }
    }

    fn unknown(&self, doubt: &Error, look_up_says: &str, look_up: Error) -> Error {
        Error {
            reason: Reason::OutcomeUnknown,
            message: format!(
                "it is not known whether the record was created ({}); a look for sys_id {} says: \
                 {look_up_says}",
                doubt.message, self.id
            ),
            retry_after: look_up.retry_after.max(doubt.retry_after),
            ..look_up
        }
    }

    fn success(
        &self,
        word: &'static str,
        effect: Effect,
        mut record: Record,
        answer: Answer,
    ) -> Box<Success> {
        let mut warnings = echo::warnings(&self.asked, &record);
        if let Some(id) = record.sys_id().filter(|id| !same_id(id, &self.id)) {
            warnings.push(format!(
                "sys_id not honoured: asked for {}, ServiceNow chose {id}; on table '{}' a lost \
                 answer may lead to a second record",
                self.id, self.view.table
            ));
        }
        if let (Some(marker), Some(found)) = (&self.marker, record.text("correlation_id"))
            && word == "adopted"
            && marker != found
        {
            warnings.push(format!(
                "correlation_id of the adopted record is '{}', not the mark of this job",
                crate::outcome::cut(found, 80)
            ));
        }
        if self.display == DisplayValue::Display {
            record.reduce_to_display_values();
        }
        let mut success =
            Success::new(word, answer).with_record(&self.view.instance, &self.view.table, record);
        success.effect = Some(effect);
        success.warnings = warnings;
        Box::new(success)
    }
}

fn same_id(text: &str, id: &SysId) -> bool {
    text.eq_ignore_ascii_case(id.as_str())
}
