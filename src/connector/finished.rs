//! The end of a job: the command for the engine and a line for people.

use std::collections::BTreeSet;

use super::IdNotHonoured;
use crate::{outcome::Outcome, servicenow::Reason};

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What the engine is told.
    pub outcome: Outcome,
    /// What logs and metrics are told.
    pub summary: Summary,
}

/// What there is to say about a job, free of secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The operation, e.g. `create`; empty when the inputs did not name one.
    pub operation: &'static str,
    /// The table, when there is one.
    pub table: Option<String>,
    /// The outcome word (`created`, `found`, …), or why there is none.
    pub result: Result<&'static str, Reason>,
    /// The record worked on.
    pub sys_id: Option<String>,
    /// The record's number.
    pub number: Option<String>,
    /// Where people find it, or would find one that may have been created.
    pub address: Option<String>,
    /// Requests sent for this job.
    pub calls: u32,
    /// What is known of a record that the job was to create.
    pub effect: Option<Effect>,
    /// Whether the record got another sys_id than it was asked for, and nobody knew that it
    /// would.
    pub id_not_honoured: Option<IdNotHonoured>,
    /// The configured connection's name, or `inline`.
    pub connection: String,
    /// What a user would want to know beside the result.
    pub warnings: Vec<String>,
    /// How many secret values were masked in texts and variables.
    pub secret_scrubs: u32,
}

impl Summary {
    /// A summary before anything has happened.
    pub(crate) fn new(connection: &str) -> Self {
        Self {
            operation: "",
            table: None,
            result: Err(Reason::InvalidInput),
            sys_id: None,
            number: None,
            address: None,
            calls: 0,
            effect: None,
            id_not_honoured: None,
            connection: connection.to_owned(),
            warnings: Vec::new(),
            secret_scrubs: 0,
        }
    }
}

/// What became of a record that was to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is there, by this attempt.
    Created,
    /// It was there already, by an earlier attempt.
    Adopted,
    /// It may or may not be there.
    Unknown,
}

/// A job type and the variables a worker asks for with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobType {
    /// The name in the BPMN file.
    pub name: &'static str,
    /// The public input names, and what earlier attempts left: `error`, which carries the age
    /// of an outage, and the intent with its end.
    pub variables: BTreeSet<&'static str>,
}
