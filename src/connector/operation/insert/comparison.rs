//! A record that an earlier attempt created, against what the job asks for now.
//!
//! Whoever resolves an incident may have changed the job's variables before. The fingerprint
//! tells that from a record that people or rules have changed since. Such a difference is
//! refused or written, as the operator decides; it is never passed over in silence.
#![deny(clippy::disallowed_types)]

use super::mark::{DISPLAY, Fingerprint};
use crate::{
    connector::{
        OnMismatch,
        input::Fields,
        operation::echo::{self, Difference},
    },
    servicenow::{Error, Reason, Record, Table},
};

/// What there is to compare.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    pub(super) table: &'a Table,
    pub(super) asked: &'a Fields,
    pub(super) fingerprint: Option<&'a Fingerprint>,
    pub(super) on_mismatch: OnMismatch,
}

/// What is to be done with the record.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Adopt it as it is, and say this.
    Adopt(Option<String>),
    /// Leave it and fail.
    Refuse(Error),
    /// Write these fields, adopt it, and say this.
    Change(Fields, Vec<String>),
}

impl Comparison<'_> {
    /// Decides by the record's fingerprint, or where it has none by its fields.
    pub(super) fn judge(&self, record: &Record) -> Verdict {
        let differences = echo::differences(self.asked, record);
        let is_same_request = self.fingerprint.zip(record.text(DISPLAY));
        match (is_same_request.and_then(|(own, text)| own.is_that_of(text)), self.on_mismatch) {
            (Some(true), _) | (None, OnMismatch::Fail) => Verdict::Adopt(None),
            (Some(false), OnMismatch::Fail) => self.refuse(record, &differences),
            (Some(false), OnMismatch::Patch) => self.change_all(&differences),
            (None, OnMismatch::Patch) => change_what_differs(self.asked, &differences),
        }
    }

    fn refuse(&self, record: &Record, differences: &[Difference<'_>]) -> Verdict {
        let unreadable = echo::unreadable(self.asked);
        if differences.is_empty() && unreadable.is_empty() {
            let warning = "the fields have changed since an earlier attempt created the record, \
                           which has the present ones by now";
            return Verdict::Adopt(Some(warning.to_owned()));
        }
        let mut parts: Vec<_> = differences.iter().map(Difference::in_short).collect();
        parts.extend(unreadable.iter().map(|field| format!("'{field}' cannot be compared")));
        let name = match (record.number(), record.sys_id().unwrap_or("unknown")) {
            (Some(number), id) => format!("{number} (sys_id {id})"),
            (None, id) => format!("with sys_id {id}"),
        };
        Verdict::Refuse(Error::new(
            Reason::Conflict,
            format!(
                "the record {name} of table '{}' was created by an earlier attempt of this job \
                 from other fields: {}; put the old values back, or change that record by an \
                 update task, or set on_mismatch = \"patch\" for the connection",
                self.table,
                parts.join(", ")
            ),
        ))
    }

    /// All fields but the journals: a note must not appear twice.
    fn change_all(&self, differences: &[Difference<'_>]) -> Verdict {
        let mut fields = Fields::default();
        let mut warnings = vec![format!(
            "the fields have changed since an earlier attempt created the record, which was \
             changed to the present ones{}",
            before(differences)
        )];
        for (name, value) in self.asked.iter().filter(|(name, _)| *name != "sys_id") {
            if self.asked.is_journal(name) {
                warnings.push(format!(
                    "'{name}' was left out of the change: an earlier attempt may have written it"
                ));
            } else {
                fields.set_if_absent(name, value);
            }
        }
        if let Some(fingerprint) = self.fingerprint {
            fields.set_if_absent(DISPLAY, fingerprint.text());
        }
        Verdict::Change(fields, warnings)
    }
}

/// Without a proof, what differs may be the work of others: no more is written than that.
fn change_what_differs(asked: &Fields, differences: &[Difference<'_>]) -> Verdict {
    let mut fields = Fields::default();
    for field in differences.iter().filter(|one| one.found.is_some()).map(|one| one.field) {
        fields.set_if_absent(field, asked.get(field).unwrap_or_default());
    }
    if fields.is_empty() {
        return Verdict::Adopt(None);
    }
    let warning = format!(
        "the record of an earlier attempt differed from what is asked for and was changed{}",
        before(differences)
    );
    Verdict::Change(fields, vec![warning])
}

fn before(differences: &[Difference<'_>]) -> String {
    let parts: Vec<_> = differences.iter().map(Difference::in_short).collect();
    if parts.is_empty() { String::new() } else { format!("; before, {}", parts.join(", ")) }
}
