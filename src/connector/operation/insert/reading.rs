//! From a job's inputs to an insert: which id, which marks, what is known of the table.
#![deny(clippy::disallowed_types)]

use std::sync::Arc;

use super::{
    Insert, Stage,
    mark::{CORRELATION, DISPLAY, Fingerprint, Mark},
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
        let correlation = Some(CORRELATION)
            .filter(|field| inputs.config.is_correlated(&table) && asked.get(field).is_none());
        let fingerprinted =
            correlation.and(Some(DISPLAY).filter(|field| asked.get(field).is_none()));
        let configured =
            rule.and_then(IdentityRule::field).filter(|field| asked.get(field).is_none());
        let mark = configured
            .or(correlation)
            .map(|field| Mark { field: field.to_owned(), value: identity.marker() });
        let fingerprint = fingerprinted.map(|_| Fingerprint::new(inputs.job, &asked));
        let mut sent = asked.clone();
        sent.set_if_absent("sys_id", id.as_str());
        for field in correlation.into_iter().chain(configured) {
            sent.set_if_absent(field, identity.marker());
        }
        if let Some(fingerprint) = &fingerprint {
            sent.set_if_absent(DISPLAY, fingerprint.text());
        }
        let refusal_is_known = rule.is_some_and(|rule| !rule.honours_sys_id());
        let id_is_refused = refusal_is_known || inputs.honouring.refuses(&target.instance, &table);
        let (view, display) = View::for_writing(inputs, table, &asked)?;
        Ok(Self {
            connection: target.connection.clone(),
            view: view.with_fields(configured.into_iter().chain(correlation).chain(fingerprinted)),
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
            id_is_refused,
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
