//! Effects that must not happen twice, over several attempts of one job.

mod flows;
mod journals;

use crate::{
    connector::testing::{Run, config, run_at, secrets, silence},
    job::Job,
    outcome::Outcome,
    servicenow::{NoAnswerCause, Reply},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";
/// Some time after `NOW`.
const LATER: &str = "2026-06-01T12:02:00Z";

fn attempt(now: &str, job: &Job, replies: impl IntoIterator<Item = Reply>) -> Run {
    run_at(now, config(), secrets(), job.clone(), replies)
}

/// The job as the engine hands it out next, when the worker was killed after this request.
fn killed_after(job: &Job, run: &Run, request: usize) -> Job {
    let mut next = job.clone();
    let note = run.notes[request].clone().expect("a note before the request");
    next.variables.extend(note.as_object().unwrap().clone());
    next
}

/// The job as the engine hands it out after the failure that ended this run.
fn failed_with(job: &Job, run: &Run) -> Job {
    let mut next = job.clone();
    for note in run.notes.iter().flatten() {
        next.variables.extend(note.as_object().unwrap().clone());
    }
    let Outcome::Fail { variables, .. } = &run.finished.outcome else { panic!("not failed") };
    next.variables.extend(variables.clone());
    next
}

fn lost() -> Reply {
    silence(NoAnswerCause::Broken, true)
}
