//! From a job's inputs to an insert: which id, which marks, what is known of the table.
#![deny(clippy::disallowed_types)]

use std::sync::Arc;

use super::{
    Insert, Stage,
    mark::{CORRELATION, DISPLAY, Fingerprint, Mark, is_correlated},
};
use crate::{
    connector::{
        IdentityRule, OnMismatch,
        identity::Identity,
        input::{Fields, Inputs, sys_id},
        operation::table_api::View,
    },
    servicenow::{Error, Table},
};

/// The fields in which an insert says whose it is: those of them that the author leaves free.
#[derive(Clone, Copy)]
struct Free<'a> {
    configured: Option<&'a str>,
    correlation: Option<&'static str>,
    /// Goes with the former.
    display: Option<&'static str>,
}

impl<'a> Free<'a> {
    fn of(table: &Table, rule: Option<&'a IdentityRule>, asked: &Fields) -> Self {
        let configured = rule.and_then(IdentityRule::field);
        let is_correlated = is_correlated(table) || configured == Some(CORRELATION);
        let is_free = |field: &&str| asked.get(field).is_none();
        let correlation = Some(CORRELATION).filter(|_| is_correlated).filter(is_free);
        Self {
            configured: configured.filter(is_free),
            correlation,
            display: correlation.and(Some(DISPLAY)).filter(is_free),
        }
    }

    fn all(self) -> impl Iterator<Item = &'a str> {
        self.marked().chain(self.display)
    }

    /// Those that take the mark.
    fn marked(self) -> impl Iterator<Item = &'a str> {
        self.configured.into_iter().chain(self.correlation)
    }
}

impl Insert {
    pub(in crate::connector::operation) fn read(
        inputs: &Inputs<'_>,
        table: Table,
        asked: Fields,
    ) -> Result<Self, Error> {
        let target = inputs.target;
        let identity =
            Identity::new(&inputs.config.namespace, inputs.job, &target.instance, table.as_str());
        let authors_id = asked.get("sys_id").map(|text| sys_id("field 'sys_id'", text));
        let (id, id_is_derived) = match authors_id.transpose()? {
            Some(id) => (id, false),
            None => (identity.sys_id(), true),
        };
        let rule = IdentityRule::of(&target.identity, table.as_str());
        let free = Free::of(&table, rule, &asked);
        let mark = free
            .marked()
            .next()
            .map(|field| Mark { field: field.to_owned(), value: identity.marker() });
        let fingerprint = free.display.map(|_| Fingerprint::new(inputs.job, &asked));
        let mut sent = asked.clone();
        sent.set_if_absent("sys_id", id.as_str());
        for field in free.marked() {
            sent.set_if_absent(field, identity.marker());
        }
        if let Some(fingerprint) = &fingerprint {
            sent.set_if_absent(DISPLAY, fingerprint.text());
        }
        let refusal_is_known = rule.is_some_and(|rule| !rule.honours_sys_id());
        let (view, display) = View::for_writing(inputs, table, &asked)?;
        Ok(Self {
            connection: target.connection.clone(),
            view: view.with_fields(free.all()),
            display,
            asked,
            sent,
            id,
            id_is_derived,
            mark,
            fingerprint,
            on_mismatch: target.on_mismatch,
            honouring: Arc::clone(inputs.honouring),
            refusal_is_known,
            has_failed_before: inputs.job.variables.contains_key("error"),
            longest_request: inputs.config.call_times.longest(&target.authentication),
            stage: Stage::Posting,
            posts: 0,
            doubt: None,
            notes: Vec::new(),
        })
    }

    /// The same for a job that is to change a record that is there: one of its own as well.
    pub(in crate::connector::operation) fn changing(self) -> Self {
        Self { on_mismatch: OnMismatch::Patch, ..self }
    }
}
