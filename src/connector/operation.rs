//! The operations: one file each, with the same methods in the same order.
//!
//! An operation is read from the inputs, asks, is resumed with what came back, and asks
//! again or is done. Adding one is a file here and a line in [`KINDS`].
#![deny(clippy::disallowed_types)]

mod count_records;
mod create_record;
mod delete_record;
mod echo;
mod find_records;
mod get_record;
mod insert;
mod journal;
mod patch;
mod start_flow;
mod success;
mod table_api;
mod update_record;
mod upsert_record;

use std::{collections::BTreeSet, fmt};

pub(crate) use success::{Body, Success};

use super::{
    JobType,
    input::{Inputs, WHERE_AND_WHO, invalid, unknown_word},
    intent::{self, Fate, Intent},
};
use crate::servicenow::{
    Error, Request, Table,
    reading::{Answer, Failure},
};

/// What an operation wants next.
#[derive(Debug)]
pub(crate) enum Progress {
    Ask(Request),
    /// The same, once the engine has noted what is about to be done.
    AskOnce(Request, Intent),
    Done(Result<Box<Success>, Error>),
}

/// What came back for a request.
pub(crate) type Reading = Result<Answer, Box<Failure>>;

/// An operation in progress.
pub(crate) trait Operation: fmt::Debug + Send + Sync {
    /// The table it works on.
    fn table(&self) -> Option<&Table>;

    /// Whether a 202 is an answer.
    fn accepted_is_done(&self) -> bool {
        false
    }

    /// Whether it leaves something new behind.
    fn creates(&self) -> bool {
        false
    }

    /// Where people would find what it may have left behind.
    fn address(&self) -> Option<String> {
        None
    }

    /// What becomes of a noted intent if the job fails now.
    fn intent(&self) -> Fate {
        Fate::Kept
    }

    /// The first request.
    fn start(&mut self) -> Progress;

    /// Goes on with what came back.
    fn resume(&mut self, reading: Reading) -> Progress;
}

/// An operation as job types offer it.
pub(crate) struct Kind {
    pub(crate) job_type: &'static str,
    pub(crate) name: &'static str,
    inputs: &'static [&'static str],
    pub(crate) read: fn(&Inputs<'_>) -> Result<Box<dyn Operation>, Error>,
}

const RECORD: &str = "servicenow:record:1";
const FLOW: &str = "servicenow:flow:1";

/// Every operation.
const KINDS: [Kind; 8] = [
    Kind {
        job_type: RECORD,
        name: "create",
        inputs: create_record::INPUTS,
        read: create_record::read,
    },
    Kind { job_type: RECORD, name: "get", inputs: get_record::INPUTS, read: get_record::read },
    Kind { job_type: RECORD, name: "find", inputs: find_records::INPUTS, read: find_records::read },
    Kind {
        job_type: RECORD,
        name: "update",
        inputs: update_record::INPUTS,
        read: update_record::read,
    },
    Kind {
        job_type: RECORD,
        name: "upsert",
        inputs: upsert_record::INPUTS,
        read: upsert_record::read,
    },
    Kind {
        job_type: RECORD,
        name: "delete",
        inputs: delete_record::INPUTS,
        read: delete_record::read,
    },
    Kind {
        job_type: RECORD,
        name: "count",
        inputs: count_records::INPUTS,
        read: count_records::read,
    },
    Kind { job_type: FLOW, name: "start", inputs: start_flow::INPUTS, read: start_flow::read },
];

impl Kind {
    /// The operation that a job names. A job type with one operation needs no name.
    pub(crate) fn of(job_type: &str, word: Option<&str>) -> Result<&'static Self, Error> {
        let known: Vec<&Self> = KINDS.iter().filter(|kind| kind.job_type == job_type).collect();
        let names = || known.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        match (word, known.as_slice()) {
            (_, []) => Err(invalid(format!("job type '{job_type}' is not known to this worker"))),
            (None, [only]) => Ok(only),
            (None, _) => Err(invalid(format!("operation is missing: use one of {}", names()))),
            (Some(word), _) => known
                .iter()
                .find(|kind| kind.name == word)
                .copied()
                .ok_or_else(|| unknown_word("operation", word, &format!("one of {}", names()))),
        }
    }
}

/// The job types, each with the variables to fetch.
pub(crate) fn job_types() -> Vec<JobType> {
    [RECORD, FLOW]
        .map(|name| {
            let own = KINDS.iter().filter(|kind| kind.job_type == name).flat_map(|k| k.inputs);
            let variables: BTreeSet<_> = own
                .chain(&WHERE_AND_WHO)
                .copied()
                .chain(["error", intent::VARIABLE, intent::END])
                .collect();
            JobType { name, variables }
        })
        .into()
}
