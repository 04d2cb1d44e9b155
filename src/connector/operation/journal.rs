//! Journal entries: a write appends one each time, so that a second attempt must not write
//! what the first has written.
//!
//! The write is announced ([`Intent`]). An attempt that finds the announcement of an earlier
//! one looks into `sys_journal_field` for entries with the same text that are no older, and
//! where that may not be read, at the journal as the record shows it. Those it leaves out;
//! when one is missing and the earlier request may still be running, the job waits. Where nothing
//! can be read the entries are written again, with a warning: a second note does less harm
//! than a lost one.
#![deny(clippy::disallowed_types)]

mod history;

use std::time::Duration;

use history::Shown;

use super::{
    Reading,
    table_api::{self, View},
};
use crate::{
    connector::{
        Access,
        input::{DisplayValue, Fields, Inputs, MERGED_JOURNAL},
        intent::{CLOCKS_APART, Earlier, Fate, Intent, Memory},
    },
    outcome::cut,
    servicenow::{
        EncodedQuery, Error, Instance, Reason, Record, Request, Table,
        encoded_query::Operator,
        reading::{Answer, Failure},
    },
};

const TABLE: &str = "sys_journal_field";
/// Whose entries the merged journal shows.
const MERGED: [&str; 2] = ["comments", "work_notes"];
/// All that is read of an entry; one that lacks any of it cannot be judged.
const COLUMNS: [&str; 4] = ["element_id", "element", "value", "sys_created_on"];
/// Most entries looked at, newest first.
const MAX_ENTRIES: u32 = 500;
/// A query's times may be read in the time zone of the worker's user.
const ZONES_APART: Duration = Duration::from_hours(14);

/// The journal entries that an update writes.
#[derive(Debug)]
pub(super) struct Journal {
    entries: Vec<(String, String)>,
    memory: Memory,
    operation: &'static str,
    instance: Instance,
    table: Table,
    /// `None` when the connection may not read it.
    entries_table: Option<Table>,
    /// The longest that a request can last.
    longest_request: Duration,
}

/// What the look-up says.
#[derive(Debug)]
pub(super) enum Verdict {
    /// These are there already; the others are not.
    Written(Vec<String>),
    /// Some are missing, and the earlier request may still be running.
    TooEarly,
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl Journal {
    /// The journal of an update, if it writes any.
    pub(super) fn read(
        inputs: &Inputs<'_>,
        operation: &'static str,
        table: &Table,
        fields: &Fields,
    ) -> Option<Self> {
        let entries: Vec<_> = fields
            .iter()
            .filter(|(field, text)| fields.is_journal(field) && !text.trim().is_empty())
            .map(|(field, text)| (field.to_owned(), text.to_owned()))
            .collect();
        let may_read = |table: &Table| inputs.target.tables.allow(Access::Read, table);
        (!entries.is_empty()).then(|| Self {
            entries,
            memory: Memory::of(inputs.job, inputs.now),
            operation,
            instance: inputs.target.instance.clone(),
            table: table.clone(),
            entries_table: Table::parse(TABLE).ok().filter(may_read),
            longest_request: inputs.config.call_times.longest(&inputs.target.authentication),
        })
    }

    /// The intent to write to a record.
    pub(super) fn intent(&self, sys_id: &str) -> Intent {
        let target = format!("{}/{}.do?sys_id={sys_id}", self.instance.base_url(), self.table);
        self.memory.intent(self.operation, target)
    }

    /// The attempt that has announced the same.
    pub(super) fn earlier(&self, sys_id: &str) -> Option<Earlier> {
        self.memory.earlier(&self.intent(sys_id))
    }

    /// The look for what an earlier attempt has written, or why there can be none.
    pub(super) fn look_up(&self, sys_id: &str, earlier: Earlier) -> Result<Request, String> {
        let table = self.entries_table.clone().ok_or("the connection's tables forbid it")?;
        let elements = self.elements().join(",");
        let since = stored(earlier.since, CLOCKS_APART + ZONES_APART);
        let query = EncodedQuery::default()
            .and("element_id", Operator::Equal, &[sys_id])
            .and_then(|query| {
                query.and("element", Operator::In, &elements.split(',').collect::<Vec<_>>())
            })
            .and_then(|query| query.and("sys_created_on", Operator::GreaterOrEqual, &[&since]))
            .and_then(|query| query.ordered_by("sys_created_on", true))
            .map_err(|error| error.to_string())?;
        let view = View {
            instance: self.instance.clone(),
            table,
            fields: Some(COLUMNS.map(str::to_owned).to_vec()),
            selected: Vec::new(),
            display: DisplayValue::Raw,
        };
        let mut request = view.list(&query, MAX_ENTRIES, 0);
        // The count tells of entries that the user may not see.
        request.query.retain(|(name, _)| name != "sysparm_no_count");
        Ok(request)
    }

    /// Reads the look-up's answer. `Err` when it is to be tried again later.
    pub(super) fn judge(
        &self,
        sys_id: &str,
        earlier: Earlier,
        reading: Reading,
    ) -> Result<Verdict, Error> {
        let entries = match reading {
            Ok(mut answer) => match seen(&mut answer) {
                Ok(entries) => entries,
                Err(why) => return Ok(Verdict::Unknown(why)),
            },
            Err(failure) if is_forbidden(&failure) => {
                return Ok(Verdict::Unknown(failure.error.message));
            }
            Err(failure) => return Err(failure.error),
        };
        let since = stored(earlier.since, CLOCKS_APART);
        Ok(self.verdict(earlier, |field, text| {
            entries.iter().any(|entry| {
                entry.text("element_id").is_some_and(|id| id.eq_ignore_ascii_case(sys_id))
                    && entry.text("element").is_some_and(|element| may_be_of(element, field))
                    && entry.text("sys_created_on").is_some_and(|at| at >= since.as_str())
                    && entry.text("value").is_some_and(|value| tidy(value) == tidy(text))
            })
        }))
    }

    /// The look at the journals as the record shows them.
    pub(super) fn look_at_record(&self, sys_id: &str) -> Request {
        let names = self.entries.iter().map(|(field, _)| field.clone());
        let view = View {
            instance: self.instance.clone(),
            table: self.table.clone(),
            fields: Some(names.chain([history::CLOCK.to_owned()]).collect()),
            selected: Vec::new(),
            display: DisplayValue::Both,
        };
        view.get(sys_id)
    }

    /// Reads the answer to that. `Err` when it is to be tried again later.
    pub(super) fn judge_record(
        &self,
        earlier: Earlier,
        reading: Reading,
        why: String,
    ) -> Result<Verdict, Error> {
        let shown = match reading {
            Ok(mut answer) => Shown::new(answer.take_result()),
            Err(failure) if failure.error.is_transient() => return Err(failure.error),
            Err(_) => return Ok(Verdict::Unknown(why)),
        };
        let since = earlier.since.checked_sub(CLOCKS_APART).unwrap_or(earlier.since);
        let found: Option<Vec<bool>> =
            self.entries.iter().map(|(field, text)| shown.has(field, text, since)).collect();
        let Some(found) = found else { return Ok(Verdict::Unknown(why)) };
        let mut found = found.into_iter();
        Ok(self.verdict(earlier, |_, _| found.next().unwrap_or_default()))
    }

    fn verdict(&self, earlier: Earlier, mut is_there: impl FnMut(&str, &str) -> bool) -> Verdict {
        let written = self.entries.iter().filter(|(field, text)| is_there(field, text));
        let written: Vec<String> = written.map(|(field, _)| field.clone()).collect();
        if written.len() < self.entries.len() && !earlier.is_over {
            return Verdict::TooEarly;
        }
        Verdict::Written(written)
    }

    /// The fields' names, for a warning.
    pub(super) fn names(&self) -> String {
        self.entries.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(" and ")
    }

    fn elements(&self) -> Vec<&str> {
        let own = self.entries.iter().map(|(field, _)| field.as_str());
        let is_merged = self.entries.iter().any(|(field, _)| field == MERGED_JOURNAL);
        let merged = is_merged.then_some(MERGED).into_iter().flatten();
        let mut elements: Vec<&str> = own.chain(merged).collect();
        elements.sort_unstable();
        elements.dedup();
        elements
    }

    /// The failure that has the job wait until an earlier attempt's request is over, and what
    /// the job then knows.
    pub(super) fn still_running(&self, sys_id: &str) -> (Error, Fate) {
        let error = Error {
            retry_after: Some(self.longest_request),
            ..Error::new(
                Reason::OutcomeUnknown,
                format!(
                    "an earlier attempt may still be writing {} of record {sys_id}: it is looked \
                     for again when that is over",
                    self.names()
                ),
            )
        };
        (error, Fate::Over(self.longest_request))
    }
}

/// All entries of an answer, or why they are not all there.
fn seen(answer: &mut Answer) -> Result<Vec<Record>, String> {
    let count = answer.header("X-Total-Count").and_then(|text| text.trim().parse::<usize>().ok());
    let rows = table_api::rows(answer).map_err(|error| error.message)?;
    let shown = rows.iter().filter(|row| COLUMNS.iter().all(|name| row.text(name).is_some()));
    let expected = count.unwrap_or(rows.len());
    if shown.count() < expected {
        let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX);
        return Err(if rows.len() >= most {
            format!("there are more than {MAX_ENTRIES} new entries")
        } else {
            "the worker's user may not read its entries".to_owned()
        });
    }
    Ok(rows)
}

fn is_forbidden(failure: &Failure) -> bool {
    matches!(
        failure.error.reason,
        Reason::Forbidden | Reason::TableNotFound | Reason::RecordNotFound
    )
}

/// Whether an entry of this element can come from a write to this field.
fn may_be_of(element: &str, field: &str) -> bool {
    element == field || (field == MERGED_JOURNAL && MERGED.contains(&element))
}

/// A moment as ServiceNow stores it, so much earlier.
fn stored(moment: jiff::Timestamp, earlier: Duration) -> String {
    let moment = moment.checked_sub(earlier).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A text without what ServiceNow may change of it.
fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// What is said of entries that are there already.
pub(super) fn not_repeated(fields: &[String]) -> String {
    format!("{} was written by an earlier attempt of this job and not again", fields.join(" and "))
}

/// What is said of entries that may be there twice.
pub(super) fn maybe_repeated(names: &str, why: &str) -> String {
    format!(
        "{names} may be there twice: an earlier attempt of this job may have written it, and \
         neither sys_journal_field ({}) nor the record's journal can be read; let the worker's \
         user and connection read one of them",
        cut(why, 200)
    )
}
