//! Instances that do not end: whether the engine has lost their job, or we have.
//!
//! Zeebe 8.6.0 may never offer a job again that was failed with a back-off
//! (camunda/camunda#16884). It counts as the engine's only when the engine itself says so:
//! a failure with unchanged retries went over the wire, the back-off is over by far, the engine says
//! that the job is in the state of one that waits for its back-off, and a fresh client that
//! asks for a minute is not offered it. Everything else is ours.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    ear::{Failure, Heard},
    work::{RETRIES, Work},
};
use crate::support::patience::seconds;

/// How long a fresh client asks.
const ASKING: Duration = seconds(60);
/// How much longer than announced a back-off may last.
const SPREAD: i64 = 30;

/// Whose an instance that does not end is, with the evidence.
#[derive(Debug)]
pub(crate) enum Stuck {
    LostByTheEngine(String),
    Ours(String),
}

/// What the log says about an instance at last.
#[derive(Clone, Debug)]
struct LastWord {
    line: String,
    at: Timestamp,
    job: i64,
    is_failure: bool,
}

/// Judges all instances that have not ended. All workers have to be gone.
pub(crate) async fn judge(work: &Work, logs: &[PathBuf], heard: &Heard) -> Vec<Stuck> {
    let open = work.open();
    if open.is_empty() {
        return Vec::new();
    }
    let offered = offered(work).await;
    let (words, now) = last_words(logs);
    let mut judged = Vec::new();
    for instance in open {
        let lost = match offered.get(&instance) {
            Some(retries) => Err(format!("its job is on offer, with {retries} retries")),
            None => lost_by_the_engine(work, words.get(&instance), heard, now).await,
        };
        judged.push(match lost {
            Ok(evidence) => Stuck::LostByTheEngine(format!("instance {instance}: {evidence}")),
            Err(evidence) => Stuck::Ours(format!("instance {instance} is open: {evidence}")),
        });
    }
    judged
}

/// Retries of the jobs that a fresh client is offered, by instance.
async fn offered(work: &Work) -> BTreeMap<i64, i32> {
    let (end, mut offered) = (Instant::now() + ASKING, BTreeMap::new());
    while Instant::now() < end {
        let jobs = work.client.take_for("servicenow:record:1", 32, 3 * ASKING).await;
        offered.extend(jobs.into_iter().map(|job| (job.process_instance_key, job.retries)));
    }
    offered
}

/// The last line about each instance, and the time of the last line of all.
fn last_words(logs: &[PathBuf]) -> (BTreeMap<i64, LastWord>, Timestamp) {
    let (mut words, mut now) = (BTreeMap::<i64, LastWord>::new(), Timestamp::MIN);
    for log in logs {
        let text = std::fs::read_to_string(log).unwrap();
        for line in text.lines() {
            let Ok(fields) = serde_json::from_str::<Value>(line) else { continue };
            let Some(at) = fields["timestamp"].as_str().and_then(|at| at.parse().ok()) else {
                continue;
            };
            now = now.max(at);
            if let Some((instance, word)) = last_word(line, &fields, at)
                && words.get(&instance).is_none_or(|earlier| earlier.at < at)
            {
                words.insert(instance, word);
            }
        }
    }
    (words, now)
}

fn last_word(line: &str, fields: &Value, at: Timestamp) -> Option<(i64, LastWord)> {
    let instance = fields["process_instance_key"].as_i64()?;
    let word = LastWord {
        line: line.to_owned(),
        at,
        job: fields["job_key"].as_str()?.parse().ok()?,
        // Given up, it may have arrived nevertheless; the engine tells.
        is_failure: fields["command"] == "fail",
    };
    Some((instance, word))
}

/// The evidence, or what contradicts it.
async fn lost_by_the_engine(
    work: &Work,
    last: Option<&LastWord>,
    heard: &Heard,
    now: Timestamp,
) -> Result<String, String> {
    let Some(last) = last else { return Err("no worker ever spoke of it".to_owned()) };
    if !last.is_failure {
        return Err(format!("it was not failed at last: {}", last.line));
    }
    let failure = heard.failures.get(&last.job).and_then(|failures| failures.last());
    let Some(Failure { retries: RETRIES, backoff: backoff @ 1.. }) = failure else {
        return Err(format!("it was failed as {failure:?}: {}", last.line));
    };
    if now.as_second() - last.at.as_second() < backoff + SPREAD {
        return Err(format!("its back-off may not be over: {}", last.line));
    }
    match work.client.fail(last.job).await {
        Err(status) if status.message().contains("it is in state 'FAILED'") => Ok(format!(
            "the engine took its failure ({}) and offers it to nobody: {}",
            status.message(),
            last.line
        )),
        Err(status) => Err(format!("the engine says '{status}' of job {}", last.job)),
        Ok(()) => Err(format!("job {} could have been given to anybody", last.job)),
    }
}
