//! What a job is about to do, noted in the engine before it is done.
//!
//! A job does not tell how often it was activated, and a killed worker leaves no trace. So
//! an effect that cannot be made idempotent is announced: the engine is given a variable,
//! local to this run of the task, before the request goes out. The next attempt of the same
//! job gets it among its variables and knows that an earlier one may have acted. When
//! nothing can have happened, the failure takes it away again.
#![deny(clippy::disallowed_types)]

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    job::{Job, JobKey, Variables},
    outcome::Outcome,
};

/// The variable that holds it.
pub(crate) const VARIABLE: &str = "serviceNowIntent";
/// The variable that says what has become of it.
pub(crate) const END: &str = "serviceNowIntentEnd";

/// Its words: nothing was done, or a person decides; and the request can last no longer, once
/// the job comes back or, after an incident, from the moment that is said along.
const VOID: &str = "void";
const OVER: &str = "over";

/// How far the clocks of workers and instances may be apart.
pub(crate) const CLOCKS_APART: Duration = Duration::from_mins(5);

/// What is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    job_key: JobKey,
    attempt: String,
    operation: &'static str,
    target: String,
    /// When it was first tried; now, unless an earlier attempt still counts.
    since: Option<jiff::Timestamp>,
}

/// What the engine gave back of earlier attempts.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    job_key: JobKey,
    attempt: String,
    found: Option<(String, Earlier)>,
}

/// An earlier attempt that may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// When the first such attempt was made.
    pub(crate) since: jiff::Timestamp,
    /// When the last one was.
    pub(crate) at: jiff::Timestamp,
    /// Whether its request can last no longer, since the job has been away for so long.
    pub(crate) is_over: bool,
}

/// What becomes of the intent when the job fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts: the next attempt must know.
    #[default]
    Kept,
    /// It counts no longer: nothing can have happened.
    Forgotten,
    /// It counts no longer after an incident, since a person decides then.
    LeftToPeople,
    /// It counts, and its request is over when the job comes back, which takes this long.
    Over(Duration),
}

impl Memory {
    /// What this job remembers at this moment. What other jobs left in outer scopes is not
    /// ours.
    pub(crate) fn of(job: &Job, now: jiff::Timestamp) -> Self {
        let read = || {
            let intent = job.variables.get(VARIABLE)?;
            let text = |name: &str| intent.get(name)?.as_str();
            let (at, since) = (text("at")?.parse().ok()?, text("since")?.parse().ok()?);
            let end = job.variables.get(END).filter(|end| named(end) == named(intent));
            let how = end.and_then(|end| end.get("is")?.as_str());
            let from = end.and_then(|end| end.get("from")?.as_str());
            let is_past = |from: &str| from.parse().is_ok_and(|from: jiff::Timestamp| from <= now);
            let is_over = how == Some(OVER) && from.is_none_or(is_past);
            let earlier = Earlier { since, at, is_over };
            (how != Some(VOID)).then(|| Some((text("fingerprint")?.to_owned(), earlier)))?
        };
        Self { job_key: job.id.key, attempt: attempt(job), found: read() }
    }

    /// The intent to do something to a target.
    pub(crate) fn intent(&self, operation: &'static str, target: String) -> Intent {
        let (job_key, attempt) = (self.job_key, self.attempt.clone());
        Intent { job_key, attempt, operation, target, since: None }
    }

    /// Whether an earlier attempt of this job had the same intent.
    pub(crate) fn earlier(&self, intent: &Intent) -> Option<Earlier> {
        let (fingerprint, earlier) = self.found.as_ref()?;
        (*fingerprint == intent.fingerprint()).then_some(*earlier)
    }
}

impl Intent {
    /// The same, on behalf of an attempt since this moment.
    #[must_use]
    pub(crate) fn since(self, since: jiff::Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }

    /// Where it is to be done.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The variable, with the target as people may see it: fingerprint and times are for the
    /// worker.
    pub(crate) fn to_variables(&self, target: &str, now: jiff::Timestamp) -> Variables {
        let value = json!({
            "jobKey": self.job_key.to_string(),
            "attempt": self.attempt,
            "operation": self.operation,
            "target": target,
            "at": now.to_string(),
            "since": self.since.unwrap_or(now).to_string(),
            "fingerprint": self.fingerprint(),
        });
        Variables::from_iter([(VARIABLE.to_owned(), value)])
    }

    /// Tells intents apart also where a masked secret makes their targets look alike.
    fn fingerprint(&self) -> String {
        let text = format!("{}\n{}\n{}", self.job_key, self.operation, self.target);
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(16).fold(String::new(), |mut hex, byte| {
            // Writing to a text does not fail.
            write!(hex, "{byte:02x}").unwrap_or_default();
            hex
        })
    }
}

/// Says that the intent is of this moment.
pub(crate) fn stamp(variables: &mut Variables, now: jiff::Timestamp) {
    if let Some(intent) = variables.get_mut(VARIABLE) {
        intent["at"] = now.to_string().into();
    }
}

/// Says with a failure what has become of the intent: of this attempt's own, if that was
/// left with the engine, else of the one that was found there.
pub(crate) fn settle(
    fate: Fate,
    is_left: bool,
    job: &Job,
    now: jiff::Timestamp,
    outcome: &mut Outcome,
) {
    let Outcome::Fail { retries, retry_backoff, variables, .. } = outcome else { return };
    let found = || job.variables.get(VARIABLE).map(named).unwrap_or_default().to_owned();
    let attempt = if is_left { attempt(job) } else { found() };
    let end = match fate {
        Fate::Forgotten if is_left => json!({ "attempt": attempt, "is": VOID }),
        Fate::LeftToPeople if *retries <= 0 => json!({ "attempt": attempt, "is": VOID }),
        // The engine keeps no incident back, so that clocks have to do, apart as they may be.
        Fate::Over(time) if *retries <= 0 => {
            let from = now + time + CLOCKS_APART;
            json!({ "attempt": attempt, "is": OVER, "from": from.to_string() })
        }
        // Whatever the author wants: sooner it could not be told whether it was done.
        Fate::Over(time) => {
            *retry_backoff = (*retry_backoff).max(time);
            json!({ "attempt": attempt, "is": OVER })
        }
        _ => return,
    };
    variables.insert(END.to_owned(), end);
}

/// The attempt that an intent or its end is of.
fn named(value: &Value) -> &str {
    value.get("attempt").and_then(Value::as_str).unwrap_or_default()
}

/// What tells an activation of a job from its others: the end of its lock, as the engine set it.
fn attempt(job: &Job) -> String {
    job.deadline_ms.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Earlier, Fate, Memory, VARIABLE, settle};
    use crate::{
        connector::testing::{self, NOW},
        job::{Job, Variables},
        outcome::Outcome,
    };

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_intent_comes_back_to_the_same_job_with_the_same_target_only() {
        let mut job = testing::job(json!({}));
        let memory = Memory::of(&job, at(NOW));
        let intent = memory.intent("start", "https://a.example/x".to_owned());
        assert_eq!(memory.earlier(&intent), None);
        job.variables = intent.to_variables("***", at(NOW));
        let memory = Memory::of(&job, at(NOW));
        let earlier = Earlier { since: at(NOW), at: at(NOW), is_over: false };
        assert_eq!(memory.earlier(&intent), Some(earlier));
        for (operation, target) in
            [("start", "https://a.example/y"), ("update", "https://a.example/x")]
        {
            assert_eq!(memory.earlier(&memory.intent(operation, target.to_owned())), None);
        }
        job.id.key.0 += 1;
        let other = Memory::of(&job, at(NOW));
        assert_eq!(other.earlier(&other.intent("start", "https://a.example/x".to_owned())), None);
    }

    #[test]
    fn what_is_no_intent_is_none() {
        for odd in [json!(null), json!("x"), json!({"at": NOW}), json!({"at": "x", "since": NOW})] {
            let job = testing::job(json!({ VARIABLE: odd }));
            assert!(Memory::of(&job, at(NOW)).found.is_none(), "{odd}");
        }
    }

    const REQUEST: Duration = Duration::from_secs(65);

    /// The back-off and the variables of a failure with so many retries and that back-off.
    fn settled(
        fate: Fate,
        is_left: bool,
        job: &Job,
        retries: i32,
        away: u64,
    ) -> (Duration, Variables) {
        let mut failure = Outcome::Fail {
            retries,
            message: String::new(),
            retry_backoff: Duration::from_secs(away),
            variables: Variables::new(),
        };
        settle(fate, is_left, job, at(NOW), &mut failure);
        let Outcome::Fail { variables, retry_backoff, .. } = failure else { panic!("a failure") };
        (retry_backoff, variables)
    }

    #[test]
    fn an_incident_that_is_resolved_at_once_ends_no_request() {
        let mut job = testing::job(json!({}));
        let intent = Memory::of(&job, at(NOW)).intent("update", "x".to_owned());
        job.variables = intent.to_variables("x", at(NOW));
        let (retry_backoff, variables) = settled(Fate::Over(REQUEST), false, &job, 0, 0);
        assert_eq!(retry_backoff, Duration::ZERO);
        job.variables.extend(variables);
        for (after, is_over) in [(0, false), (364, false), (365, true)] {
            let memory = Memory::of(&job, at(NOW) + Duration::from_secs(after));
            assert_eq!(memory.earlier(&intent).unwrap().is_over, is_over, "{after} s");
        }
    }

    #[test]
    fn a_job_is_away_until_the_request_is_over_whatever_its_author_wants() {
        let mut job = testing::job(json!({}));
        let intent = Memory::of(&job, at(NOW)).intent("start", "x".to_owned());
        job.variables = intent.to_variables("x", at(NOW));
        // As an older worker has left it.
        let mut older = job.clone();
        older.variables[VARIABLE].as_object_mut().unwrap().remove("attempt");
        for (job, away) in [(&job, 1), (&job, 400), (&older, 1)] {
            let (retry_backoff, variables) = settled(Fate::Over(REQUEST), false, job, 3, away);
            assert_eq!(retry_backoff.as_secs(), away.max(65));
            let mut next = job.clone();
            next.variables.extend(variables);
            next.deadline_ms += 1;
            assert!(Memory::of(&next, at(NOW)).earlier(&intent).unwrap().is_over);
        }
    }

    #[test]
    fn a_failure_that_comes_late_takes_nothing_from_the_next_holder() {
        let first = testing::job(json!({}));
        let mut second = testing::job(json!({}));
        second.deadline_ms += 20_000;
        let intent = |job: &Job| Memory::of(job, at(NOW)).intent("start", "x".to_owned());
        let (_, end) = settled(Fate::Forgotten, true, &first, 3, 0);
        for (holder, counts) in [(&first, false), (&second, true)] {
            let mut next = testing::job(json!({}));
            next.variables = intent(holder).to_variables("x", at(NOW));
            next.variables.extend(end.clone());
            assert_eq!(Memory::of(&next, at(NOW)).earlier(&intent(&next)).is_some(), counts);
        }
    }
}
