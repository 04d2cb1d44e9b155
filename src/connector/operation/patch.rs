//! Changes to a record that has been found, for update and upsert.
//!
//! Journal entries that an earlier attempt has written are left out ([`Journal`]); all else
//! may be written again.
#![deny(clippy::disallowed_types)]

use super::{
    Progress, Reading, Success, echo,
    journal::{self, Journal, Verdict},
    table_api::{self, View},
};
use crate::{
    connector::{
        input::{DisplayValue, Fields, Inputs, RecordRef},
        intent::{Earlier, Fate},
    },
    servicenow::{Error, Record, SysId, Table, reading::Answer},
};

#[derive(Debug)]
pub(super) struct Patch {
    view: View,
    fields: Fields,
    display: DisplayValue,
    /// How often the record had been changed before, when that is known.
    mod_count: Option<String>,
    journal: Option<Journal>,
    /// The look-up that is under way.
    looking: Option<Looking>,
    /// Nothing of what earlier attempts have done counts any more.
    is_settled: bool,
    is_refused: bool,
    /// The job goes away until an earlier attempt's request is over.
    waits: Option<Fate>,
    warnings: Vec<String>,
}

/// A look for what an earlier attempt has written.
#[derive(Debug)]
struct Looking {
    id: SysId,
    earlier: Earlier,
    /// Why it is at the record, when the entries could not be read.
    at_record: Option<String>,
}

impl Patch {
    pub(super) fn read(
        inputs: &Inputs<'_>,
        operation: &'static str,
        table: Table,
        fields: Fields,
    ) -> Result<Self, Error> {
        let journal = Journal::read(inputs, operation, &table, &fields);
        let (view, display) = View::for_writing(inputs, table, &fields)?;
        Ok(Self {
            view: view.with_fields(["sys_mod_count"]),
            fields,
            display,
            mod_count: None,
            journal,
            looking: None,
            is_settled: true,
            is_refused: false,
            waits: None,
            warnings: Vec::new(),
        })
    }

    pub(super) fn table(&self) -> &Table {
        &self.view.table
    }

    /// That there is no such record.
    pub(super) fn not_found(&self, record: &RecordRef) -> Error {
        self.view.not_found(record)
    }

    /// The view to find the record with.
    pub(super) fn search_view(&self) -> View {
        let fields = ["sys_id", "number", "sys_mod_count"].map(str::to_owned).to_vec();
        View { fields: Some(fields), display: DisplayValue::Raw, ..self.view.clone() }
    }

    /// What becomes of a noted intent if the job fails now.
    pub(super) fn intent(&self) -> Fate {
        let is_over = self.journal.is_some() && self.is_refused && self.is_settled;
        if is_over { Fate::Forgotten } else { self.waits.unwrap_or_default() }
    }

    /// The first request for a record that a search has found.
    pub(super) fn of_row(&mut self, row: &Record, status: u16) -> Progress {
        let Some(Ok(id)) = row.sys_id().map(SysId::parse) else {
            return Progress::Done(Err(table_api::unexpected(
                status,
                "a record that has a sys_id",
            )));
        };
        self.mod_count = row.text("sys_mod_count").map(str::to_owned);
        self.start(id)
    }

    /// The first request for a record.
    pub(super) fn start(&mut self, id: SysId) -> Progress {
        let Some(journal) = &self.journal else { return self.write(&id) };
        let Some(earlier) = journal.earlier(id.as_str()) else { return self.announced(&id, None) };
        match journal.look_up(id.as_str(), earlier) {
            Ok(request) => {
                self.looking = Some(Looking { id, earlier, at_record: None });
                Progress::Ask(request)
            }
            Err(why) => self.look_at_record(id, earlier, why),
        }
    }

    pub(super) fn resume(&mut self, reading: Reading) -> Progress {
        if let Some(looking) = self.looking.take() {
            return self.looked(looking, reading);
        }
        Progress::Done(match reading {
            Ok(answer) => self.read_answer(answer),
            Err(failure) => {
                self.is_refused = !failure.may_have_acted;
                Err(failure.error)
            }
        })
    }

    fn look_at_record(&mut self, id: SysId, earlier: Earlier, why: String) -> Progress {
        let Some(journal) = &self.journal else { return self.write(&id) };
        let request = journal.look_at_record(id.as_str());
        self.looking = Some(Looking { id, earlier, at_record: Some(why) });
        Progress::Ask(request)
    }

    fn looked(&mut self, looking: Looking, reading: Reading) -> Progress {
        let Looking { id, earlier, at_record } = looking;
        let Some(journal) = &self.journal else { return self.write(&id) };
        let is_last = at_record.is_some();
        let verdict = match at_record {
            None => journal.judge(id.as_str(), earlier, reading),
            Some(why) => journal.judge_record(earlier, reading, why),
        };
        match verdict {
            Ok(Verdict::Written(fields)) if fields.is_empty() => self.announced(&id, None),
            Ok(Verdict::Written(fields)) => self.rest(&id, earlier, &fields),
            Ok(Verdict::TooEarly) => {
                let (error, fate) = journal.still_running(id.as_str());
                self.waits = Some(fate);
                Progress::Done(Err(error))
            }
            Ok(Verdict::Unknown(why)) if is_last => self.in_doubt(&id, earlier, &why),
            Ok(Verdict::Unknown(why)) => self.look_at_record(id, earlier, why),
            Err(error) => Progress::Done(Err(error)),
        }
    }

    /// What an earlier attempt has not written yet, or may have.
    fn rest(&mut self, id: &SysId, earlier: Earlier, written: &[String]) -> Progress {
        self.is_settled = false;
        self.warnings.push(journal::not_repeated(written));
        self.fields = self.fields.without(written);
        if self.fields.is_empty() {
            return Progress::Ask(self.view.get(id.as_str()));
        }
        if self.fields.write_journals() {
            return self.announced(id, Some(earlier));
        }
        self.write(id)
    }

    fn in_doubt(&mut self, id: &SysId, earlier: Earlier, why: &str) -> Progress {
        self.is_settled = false;
        if let Some(journal) = &self.journal {
            self.warnings.push(journal::maybe_repeated(&journal.names(), why));
        }
        self.announced(id, Some(earlier))
    }

    /// The write, which the engine is to know of; an earlier one may count still.
    fn announced(&self, id: &SysId, earlier: Option<Earlier>) -> Progress {
        let request = self.view.update(id.as_str(), self.fields.to_body());
        let Some(journal) = &self.journal else { return Progress::Ask(request) };
        let intent = journal.intent(id.as_str());
        let intent = match earlier {
            Some(earlier) => intent.since(earlier.since),
            None => intent,
        };
        Progress::AskOnce(request, intent)
    }

    fn write(&self, id: &SysId) -> Progress {
        Progress::Ask(self.view.update(id.as_str(), self.fields.to_body()))
    }

    fn read_answer(&mut self, mut answer: Answer) -> Result<Box<Success>, Error> {
        let mut record = table_api::record(&mut answer)?;
        let mut warnings = echo::warnings(&self.fields, &record);
        warnings.extend(self.view.not_answered(std::slice::from_ref(&record)));
        warnings.extend(self.fields.null_warnings());
        warnings.append(&mut self.warnings);
        let is_unchanged = self.mod_count.is_some()
            && self.journal.is_none()
            && record.text("sys_mod_count") == self.mod_count.as_deref()
            && !self.fields.write_journals();
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
