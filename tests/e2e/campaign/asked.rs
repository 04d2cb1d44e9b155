//! What ServiceNow was asked, as its own log tells: looked through now and then, since it
//! keeps the latest requests only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Everything that was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The record's id and the answer of each insert, in order.
    inserts: BTreeMap<u64, (String, Option<u64>)>,
    /// Looks for journal entries.
    looks: BTreeSet<u64>,
    /// Requests known of.
    known: u64,
    /// Requests that were gone before anybody looked.
    pub(crate) missed: u64,
}

impl Asked {
    /// Takes in what the log shows now.
    pub(crate) fn read(&mut self, log: &Value) {
        let requests = log["requests"].as_array().unwrap();
        for request in requests {
            let id = request["id"].as_u64().unwrap();
            let path = request["path"].as_str().unwrap();
            if request["method"] == "POST" {
                let body = serde_json::from_str::<Value>(request["body"].as_str().unwrap());
                let record = body.ok().and_then(|body| Some(body["sys_id"].as_str()?.to_owned()));
                let Some(record) = record else { continue };
                self.inserts.insert(id, (record, request["status"].as_u64()));
            } else if path.ends_with("/sys_journal_field") {
                self.looks.insert(id);
            }
        }
        let first = requests.first().map_or(self.known, |request| request["id"].as_u64().unwrap());
        self.missed += first.saturating_sub(self.known);
        self.known = log["total"].as_u64().unwrap();
    }

    /// Records whose last insert was refused since they were there already. An earlier insert
    /// that was not followed by the record's address is a doubt by itself.
    pub(crate) fn inserted_again(&self) -> u64 {
        let mut last = BTreeMap::<&str, (u64, Option<u64>)>::new();
        for (record, status) in self.inserts.values() {
            let (count, answer) = last.entry(record).or_default();
            *count += 1;
            *answer = *status;
        }
        let again = last.values().filter(|(count, answer)| *count > 1 && *answer == Some(403));
        again.count() as u64
    }

    /// Looks for journal entries.
    pub(crate) fn looks(&self) -> u64 {
        self.looks.len() as u64
    }
}

#[test]
fn a_record_counts_as_inserted_again_once_and_only_when_that_was_its_last_insert() {
    let insert = |id: u64, record: &str, status: Option<u64>| {
        let body = serde_json::json!({"sys_id": record}).to_string();
        serde_json::json!({"id": id, "method": "POST", "path": "/api/now/table/incident",
            "body": body, "status": status})
    };
    let look = serde_json::json!({"id": 3, "method": "GET", "body": "", "status": 200,
        "path": "/api/now/table/sys_journal_field"});
    let mut asked = Asked::default();
    let first = [insert(0, "a", None), insert(1, "b", Some(403)), insert(2, "a", Some(403)), look];
    asked.read(&serde_json::json!({"total": 4, "requests": first}));
    let then = [insert(2, "a", Some(403)), insert(4, "a", Some(403)), insert(5, "c", None)];
    asked.read(&serde_json::json!({"total": 6, "requests": then}));
    assert_eq!((asked.inserted_again(), asked.looks(), asked.missed), (1, 1, 0));
    // In progress before, and answered now; the second insert of `c` was the one that made it.
    let last = [insert(5, "c", Some(403)), insert(8, "c", Some(201))];
    asked.read(&serde_json::json!({"total": 9, "requests": last}));
    assert_eq!((asked.inserted_again(), asked.missed), (1, 0));
}
