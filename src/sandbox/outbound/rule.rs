//! A business rule as it is written down, and when it tries again.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Authentication, sender::Tried};
use crate::sandbox::error::Error;

/// Calls a URL when a record changes.
///
/// `url`, the headers' values, `idempotency_key` and every text in `body` may have
/// `${field}`, `${previous.field}`, `${display.field}` and `${event.…}` in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BusinessRule {
    /// What it is called in the log; of two rules with one name the later replaces the other.
    pub name: String,
    /// The table; records of tables that extend it count too.
    pub table: String,
    /// The operations it looks at.
    #[serde(default = "insert_and_update")]
    pub when: Vec<Operation>,
    /// An encoded query that the record must match; empty: every record does.
    #[serde(default)]
    pub condition: String,
    /// Fields of which one must change; empty: any change counts.
    #[serde(default)]
    pub changes: Vec<String>,
    /// The login whose own writes do not count, so that an answer is not told back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless_user: Option<String>,
    /// The verb.
    #[serde(default = "post")]
    pub method: String,
    /// Where to; what is filled in is percent-encoded.
    pub url: String,
    /// Headers besides the usual ones, or in their place.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What to send, as JSON; nothing without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The header `Idempotency-Key`, the same for each try; empty: none is sent.
    #[serde(default = "event_key")]
    pub idempotency_key: String,
    /// How it proves itself.
    #[serde(default)]
    pub authentication: Authentication,
    /// When to try again; without it there is one try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// What can happen to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// It is made.
    Insert,
    /// It changes.
    Update,
    /// It is taken away.
    Delete,
}

/// A retry policy. A call that got no answer counts as one to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Retry {
    /// How many tries in all, the first among them.
    pub tries: u32,
    /// Milliseconds before the second try, the third and so on; the last counts for the rest.
    pub delays_ms: Vec<u64>,
    /// The statuses to try again after.
    pub statuses: Vec<u16>,
    /// Whether the seconds of a `Retry-After` come before the delay.
    pub honour_retry_after: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 3,
            delays_ms: vec![1_000],
            statuses: vec![429, 500, 502, 503, 504],
            honour_retry_after: true,
        }
    }
}

fn insert_and_update() -> Vec<Operation> {
    vec![Operation::Insert, Operation::Update]
}

fn post() -> String {
    "POST".to_owned()
}

fn event_key() -> String {
    "${event.key}".to_owned()
}

/// One rule or a list of them.
pub(crate) fn read(written: &Value) -> Result<Vec<BusinessRule>, Error> {
    let rules = written.as_array().map_or(std::slice::from_ref(written), Vec::as_slice);
    let numbered = rules.iter().enumerate();
    numbered
        .map(|(at, rule)| {
            BusinessRule::deserialize(rule).map_err(|error| {
                let name = rule["name"].as_str().map_or(format!("{}", at + 1), ToOwned::to_owned);
                Error::BusinessRule(name, error.to_string())
            })
        })
        .collect()
}

impl BusinessRule {
    /// A rule that posts every insert and update of a table's records there.
    pub fn new(name: &str, table: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            table: table.to_owned(),
            when: insert_and_update(),
            condition: String::new(),
            changes: Vec::new(),
            unless_user: None,
            method: post(),
            url: url.to_owned(),
            headers: BTreeMap::new(),
            body: None,
            idempotency_key: event_key(),
            authentication: Authentication::None,
            retry: None,
        }
    }
}

impl Retry {
    /// How long to wait for the next try after `count` of them; `None` when there is none.
    pub(super) fn wait(&self, count: u32, tried: &Tried) -> Option<Duration> {
        let again = tried.status.is_none_or(|status| self.statuses.contains(&status));
        if tried.is_success() || count >= self.tries || !again {
            return None;
        }
        let told = tried.retry_after.filter(|_| self.honour_retry_after);
        let nth = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
        let own = self.delays_ms.get(nth).or(self.delays_ms.last());
        Some(told.unwrap_or(Duration::from_millis(own.copied().unwrap_or(0))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Retry, Tried, read};

    fn answered(status: u16) -> Tried {
        Tried { status: Some(status), ..Tried::default() }
    }

    #[test]
    fn a_policy_says_after_what_and_how_often_and_how_late() {
        let retry = Retry { tries: 4, delays_ms: vec![10, 20], ..Retry::default() };
        let waits = |tried: &Tried| (1..=4).map(|n| retry.wait(n, tried)).collect::<Vec<_>>();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(waits(&answered(503)), [ms(10), ms(20), ms(20), None]);
        assert_eq!(waits(&Tried::failed("refused".into())), [ms(10), ms(20), ms(20), None]);
        for status in [200, 204, 302, 400, 401, 409] {
            assert_eq!(waits(&answered(status)), [None; 4], "{status}");
        }
        assert_eq!(Retry { delays_ms: Vec::new(), ..retry }.wait(1, &answered(503)), ms(0));
    }

    #[test]
    fn a_retry_after_comes_before_the_delay_if_it_is_honoured() {
        let told = Tried { retry_after: Some(Duration::from_secs(7)), ..answered(429) };
        let honoured = Retry::default();
        assert_eq!(honoured.wait(1, &told), Some(Duration::from_secs(7)));
        let own = Retry { honour_retry_after: false, ..honoured };
        assert_eq!(own.wait(1, &told), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named() {
        let good = json!({"name": "a", "table": "incident", "url": "http://h/"});
        assert_eq!(read(&good).unwrap().len(), 1);
        let unnamed = json!([good, {"table": "incident", "url": "http://h/"}]);
        let cases = [
            (unnamed, "business rule '2': missing field `name`"),
            (json!({"name": "b", "table": "t", "url": "u", "whem": []}), "'b': unknown field"),
            (json!({"name": "c", "table": "t", "url": "u", "when": ["read"]}), "'c': unknown"),
        ];
        for (written, what) in cases {
            let error = read(&written).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn secrets_are_neither_shown_nor_lost_by_writing_back_what_is_shown() {
        let rule = json!({"name": "a", "table": "incident", "url": "http://h/",
            "authentication": {"basic": {"user": "u", "password": "s3cret"}}});
        let rule = &read(&rule).unwrap()[0];
        let shown = serde_json::to_value(rule).unwrap();
        assert!(!format!("{rule:?}{shown}").contains("s3cret"));
        let error = read(&shown).unwrap_err().to_string();
        assert!(error.contains("write the secret itself"), "{error}");
    }
}
