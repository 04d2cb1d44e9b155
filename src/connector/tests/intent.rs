//! Effects that must not happen twice, over several attempts of one job.

mod flows;
mod journals;

use serde_json::Value;

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
    let mut next = activated_again(job);
    let note = run.notes[request].clone().expect("a note before the request");
    next.variables.extend(note.as_object().unwrap().clone());
    next
}

/// The job as the engine hands it out after the failure that ended this run.
fn failed_with(job: &Job, run: &Run) -> Job {
    let mut next = activated_again(job);
    for note in run.notes.iter().flatten() {
        next.variables.extend(note.as_object().unwrap().clone());
    }
    let Outcome::Fail { variables, .. } = &run.finished.outcome else { panic!("not failed") };
    next.variables.extend(variables.clone());
    next
}

fn activated_again(job: &Job) -> Job {
    Job { deadline_ms: job.deadline_ms + 300_000, ..job.clone() }
}

/// Whether the engine still knows of an intent that counts.
fn has_intent(job: &Job) -> bool {
    let (intent, end) =
        (job.variables.get("serviceNowIntent"), job.variables.get("serviceNowIntentEnd"));
    let is_void =
        |end: &Value| end["is"] == "void" && Some(&end["attempt"]) == intent.map(|i| &i["attempt"]);
    intent.is_some() && !end.is_some_and(is_void)
}

fn lost() -> Reply {
    silence(NoAnswerCause::Broken, true)
}
