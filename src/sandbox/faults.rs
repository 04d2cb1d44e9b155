//! Scripted faults: which calls they hit, and what they do to them.
//!
//! A rule counts the calls that match it and hits from the `nth` on, `times` times. When
//! several rules hit the same call, their faults add up, in the order of the rules.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::Call;
use crate::outcome::cut;

/// A fault and the calls it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which calls.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// What happens to them.
    pub fault: Fault,
}

/// Which calls a fault is for. What is not given matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// The verb.
    pub method: Option<String>,
    /// What the path begins with.
    pub path: Option<String>,
    /// The table in the path.
    pub table: Option<String>,
    /// A text in the body.
    pub body: Option<String>,
    /// The first matching call to hit, counted from 1.
    pub nth: u64,
    /// How many calls to hit; 0: all from the first on.
    pub times: u64,
    /// Of the calls to hit only every so many-th.
    pub every: u64,
    /// A call that another rule of this kind hits is left to that one and not counted, so that
    /// no two faults meet.
    pub alone: bool,
}

/// What goes wrong. In JSON: `"hibernating"`, or `{"status": {"code": 503}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Another answer.
    Status {
        /// The status.
        code: u16,
        /// Headers besides the usual ones, or in their place.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// A JSON value, or a text that goes out as HTML.
        #[serde(default)]
        body: Value,
        /// Whether the call is carried out nevertheless.
        #[serde(default)]
        after_commit: bool,
    },
    /// 202, and the call is dropped.
    Accepted,
    /// 200 with the page of a hibernating developer instance; the call is dropped.
    Hibernating,
    /// Waiting.
    Delay {
        /// Milliseconds before the call is carried out; it is, even if the client leaves.
        #[serde(default)]
        before_ms: u64,
        /// Milliseconds between that and the answer.
        #[serde(default)]
        after_ms: u64,
    },
    /// The connection is closed.
    Cut(CutPoint),
    /// The body ends before its announced length.
    TruncatedBody,
    /// A 200 that has rows so far and an `error` beside them.
    ErrorInSuccess,
    /// The insert succeeds and the answer is 403.
    ForbiddenAfterInsert,
    /// The record gets another `sys_id` than the client chose.
    IdNotHonoured,
    /// The query is not looked at, as if all its columns were unknown.
    QueryIgnored,
    /// 429 of a rate-limit rule.
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// 429 of a full semaphore queue, with no header that says when.
    QueueFull,
    /// The answer comes as a trickle of single bytes.
    Drip {
        /// Milliseconds between two bytes.
        interval_ms: u64,
    },
    /// The answer's body is followed by that many blanks.
    Flood {
        /// How many.
        bytes: u64,
    },
}

/// Each fault by name, as it is written. `docs/sandbox.md` has the same.
const SHAPES: [(&str, &str); 14] = [
    (
        "status",
        r#"{"status": {"code": 503, "headers": [["Retry-After", "5"]], "body": {"error": "x"}, "after_commit": false}}"#,
    ),
    ("accepted", r#""accepted""#),
    ("hibernating", r#""hibernating""#),
    ("delay", r#"{"delay": {"before_ms": 500, "after_ms": 500}}"#),
    ("cut", r#"{"cut": "after_commit"}"#),
    ("truncated_body", r#""truncated_body""#),
    ("error_in_success", r#""error_in_success""#),
    ("forbidden_after_insert", r#""forbidden_after_insert""#),
    ("id_not_honoured", r#""id_not_honoured""#),
    ("query_ignored", r#""query_ignored""#),
    ("rate_limited", r#"{"rate_limited": {"retry_after": 30}}"#),
    ("queue_full", r#""queue_full""#),
    ("drip", r#"{"drip": {"interval_ms": 100}}"#),
    ("flood", r#"{"flood": {"bytes": 10000000}}"#),
];

impl Rule {
    /// Reads a rule; the error shows how its fault is written.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let error = match Self::deserialize(value) {
            Ok(rule) => return Ok(rule),
            Err(error) => error,
        };
        let fault = value.get("fault").unwrap_or_default();
        let Err(of_fault) = Fault::deserialize(fault) else { return Err(error.to_string()) };
        let Some(name) = name_of(fault) else {
            return Err("fault is missing or is none, e.g. {\"fault\": \"hibernating\"}".to_owned());
        };
        let Some((name, shape)) = SHAPES.iter().find(|(known, _)| *known == name) else {
            let known = SHAPES.map(|(known, _)| known).join(", ");
            return Err(format!("fault '{}' is none of {known}", cut(name, 80)));
        };
        Err(wrong_shape(name, shape, &of_fault.to_string()))
    }
}

fn name_of(fault: &Value) -> Option<&str> {
    match fault {
        Value::String(name) => Some(name),
        Value::Object(members) => members.keys().next().map(String::as_str),
        _ => None,
    }
}

fn wrong_shape(name: &str, shape: &str, error: &str) -> String {
    // What the reader says of the shape as a whole is for programmers.
    let is_of_shape = error.contains("variant") || error.contains("expected unit");
    let why = if is_of_shape { String::new() } else { format!(" ({error})") };
    format!("fault '{name}' is written {shape}{why}")
}

/// Where a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// Nothing is carried out, nothing answered.
    BeforeCommit,
    /// The call is carried out, nothing answered.
    AfterCommit,
    /// The call is carried out and the first bytes of the answer's head go out.
    MidHeaders,
}

/// The rules in force.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Counted>>,
}

/// How often a rule has matched and hit so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struck {
    /// Matching calls.
    pub seen: u64,
    /// Those of them that were hit.
    pub hits: u64,
}

#[derive(Debug)]
struct Counted {
    rule: Rule,
    seen: u64,
}

impl Default for Match {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            table: None,
            body: None,
            nth: 1,
            times: 1,
            every: 1,
            alone: false,
        }
    }
}

impl Match {
    /// The calls with that verb to that table; more by setting the fields.
    pub fn on(method: &str, table: &str) -> Self {
        Self { method: Some(method.to_owned()), table: Some(table.to_owned()), ..Self::default() }
    }

    /// The calls whose path begins so.
    pub fn path(path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..Self::default() }
    }

    fn covers(&self, call: &Call) -> bool {
        let method = self.method.as_ref();
        let body = self.body.as_deref().unwrap_or_default();
        method.is_none_or(|method| method.eq_ignore_ascii_case(call.method.as_str()))
            && self.path.as_ref().is_none_or(|path| call.path.starts_with(path.as_str()))
            && self.table.as_ref().is_none_or(|table| call.table() == Some(table))
            && (body.is_empty() || String::from_utf8_lossy(&call.body).contains(body))
    }

    /// How many of the first `seen` matching calls are hit.
    fn hits_among(&self, seen: u64) -> u64 {
        let Some(later) = seen.checked_sub(self.nth.max(1)) else { return 0 };
        let hits = later / self.every.max(1) + 1;
        if self.times == 0 { hits } else { hits.min(self.times) }
    }

    /// Whether the `seen`-th matching call is hit.
    fn hits(&self, seen: u64) -> bool {
        let Some(later) = seen.checked_sub(self.nth.max(1)) else { return false };
        let every = self.every.max(1);
        later % every == 0 && (self.times == 0 || later / every < self.times)
    }
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<Counted>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault for some calls.
    pub fn push(&self, matches: Match, fault: Fault) {
        self.lock().push(Counted { rule: Rule { matches, fault }, seen: 0 });
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The rules in the order in which they were added, each with what came of it.
    pub fn rules(&self) -> Vec<(Rule, Struck)> {
        let struck = |counted: &Counted| Struck {
            seen: counted.seen,
            hits: counted.rule.matches.hits_among(counted.seen),
        };
        self.lock().iter().map(|counted| (counted.rule.clone(), struck(counted))).collect()
    }

    /// Counts a call and returns what is to happen to it.
    pub(crate) fn strike(&self, call: &Call) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut is_taken = false;
        for counted in self.lock().iter_mut().filter(|counted| counted.rule.matches.covers(call)) {
            let matches = &counted.rule.matches;
            let hits = matches.hits(counted.seen + 1);
            if hits && matches.alone && is_taken {
                continue;
            }
            counted.seen += 1;
            if hits {
                is_taken |= matches.alone;
                faults.push(counted.rule.fault.clone());
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Fault, Match, Rule};

    fn hits(matches: &Match) -> Vec<u64> {
        (1..=8).filter(|seen| matches.hits(*seen)).collect()
    }

    #[test]
    fn a_rule_hits_from_the_nth_call_on_so_many_times() {
        assert_eq!(hits(&Match::default()), [1]);
        assert_eq!(hits(&Match { nth: 3, times: 2, ..Match::default() }), [3, 4]);
        assert_eq!(hits(&Match { times: 0, every: 3, ..Match::default() }), [1, 4, 7]);
        assert_eq!(hits(&Match { times: 2, every: 2, nth: 2, ..Match::default() }), [2, 4]);
    }

    #[test]
    fn hits_are_counted_as_they_happen() {
        for (nth, times, every) in [(1, 1, 1), (3, 2, 1), (1, 0, 3), (2, 2, 2), (9, 0, 1)] {
            let matches = Match { nth, times, every, ..Match::default() };
            for seen in 0..=8 {
                let hits = (1..=seen).filter(|call| matches.hits(*call)).count() as u64;
                assert_eq!(matches.hits_among(seen), hits, "{matches:?} after {seen}");
            }
        }
    }

    #[test]
    fn rules_read_from_json() {
        let rule: Rule = serde_json::from_value(json!({
            "match": {"method": "POST", "table": "incident", "nth": 2},
            "fault": {"status": {"code": 503, "headers": [["Retry-After", "5"]]}}
        }))
        .unwrap();
        assert_eq!(rule.matches.nth, 2);
        assert!(matches!(rule.fault, Fault::Status { code: 503, .. }));
        for fault in [
            json!("hibernating"),
            json!({"cut": "mid_headers"}),
            json!({"delay": {"before_ms": 5}}),
        ] {
            assert!(serde_json::from_value::<Rule>(json!({ "fault": fault })).is_ok(), "{fault}");
        }
        assert!(serde_json::from_value::<Rule>(json!({"fault": "unheard_of"})).is_err());
    }
}
