//! The sandbox as a process of its own, with faults by script.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{asked::Asked, canary::Canary};
use crate::support::{http, process::Process};

/// What goes wrong with one call, in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFault {
    /// A write is carried out and answered with that status.
    FailedAfterCommit(u16),
    /// 503; nothing is carried out, and the answer has the caller's password in it.
    BusyAndBlabbing,
    /// 429 with `Retry-After`.
    RateLimited,
    /// 429 without it.
    QueueFull,
    /// 200 with the page of a sleeping instance.
    Hibernating,
    /// 202, and nothing is carried out.
    Accepted,
    /// Half the answer's body.
    Truncated,
    /// A write is carried out long after the client has given up.
    CommittedLate,
    /// An insert is carried out, and the answer is 403.
    ForbiddenAfterInsert,
    /// The connection is closed before anything is carried out.
    CutBefore,
    /// It is closed after that.
    CutAfter,
    /// It is closed in the answer's head.
    CutInHead,
}

/// Which calls it may go wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The next one, or the next insert, as fits the fault.
    Any,
    /// The next update that writes a work note.
    Note,
}

/// How long a call is held up that its client (3 s) gives up, until it is carried out at last:
/// not as long as ServiceNow lets a request last, after which a note is written again.
pub(crate) const LATE_MS: u64 = 9_000;
/// Records per question for records.
const PAGE: usize = 2_000;

/// The running sandbox.
#[derive(Debug)]
pub(crate) struct ServiceNow {
    process: Process,
    log: PathBuf,
    /// Host and port.
    pub(crate) address: String,
    blabbed: String,
    scripted: Mutex<Vec<(Target, CallFault)>>,
    pub(super) asked: Mutex<Asked>,
}

/// A table's records by `sys_id`.
pub(crate) type Records = BTreeMap<String, Map<String, Value>>;

impl CallFault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FailedAfterCommit(500) => "500 after commit",
            Self::FailedAfterCommit(502) => "502 after commit",
            Self::FailedAfterCommit(503) => "503 after commit",
            Self::FailedAfterCommit(_) => "504 after commit",
            Self::BusyAndBlabbing => "503 with the password in it",
            Self::RateLimited => "429 with Retry-After",
            Self::QueueFull => "429 without",
            Self::Hibernating => "hibernating",
            Self::Accepted => "202, dropped",
            Self::Truncated => "body truncated",
            Self::CommittedLate => "committed late",
            Self::ForbiddenAfterInsert => "403 after commit",
            Self::CutBefore => "cut before commit",
            Self::CutAfter => "cut after commit",
            Self::CutInHead => "cut in the head",
        }
    }

    /// Whether it leaves a doubt that the proxy does not see: there was an answer.
    fn is_answered(self) -> bool {
        !matches!(self, Self::CommittedLate | Self::CutBefore | Self::CutAfter)
    }

    /// The sandbox's rule for the next call that it is for.
    fn rule(self, target: Target, blabbed: &str) -> Value {
        let any = json!({"path": "/api/now/table/"});
        let insert = json!({"path": "/api/now/table/", "method": "POST"});
        // Not for records that are deleted: a late insert would bring them back.
        let lasting = json!({"table": "incident", "method": "POST"});
        let (matches, fault) = match self {
            Self::FailedAfterCommit(code) => {
                (insert, json!({"status": {"code": code, "after_commit": true}}))
            }
            Self::BusyAndBlabbing => {
                let body = json!({"error": {"message": "Busy", "detail": blabbed},
                    "status": "failure"});
                (any, json!({"status": {"code": 503, "body": body}}))
            }
            Self::RateLimited => (any, json!({"rate_limited": {"retry_after": 1}})),
            Self::QueueFull => (any, json!("queue_full")),
            Self::Hibernating => (any, json!("hibernating")),
            Self::Accepted => (any, json!("accepted")),
            Self::Truncated => (any, json!("truncated_body")),
            Self::CommittedLate => (lasting, json!({"delay": {"before_ms": LATE_MS}})),
            Self::ForbiddenAfterInsert => (insert, json!("forbidden_after_insert")),
            Self::CutBefore => (any, json!({"cut": "before_commit"})),
            Self::CutAfter => (any, json!({"cut": "after_commit"})),
            Self::CutInHead => (any, json!({"cut": "mid_headers"})),
        };
        let note = json!({"table": "incident", "method": "PATCH", "body": "work_notes"});
        let matches = if target == Target::Note { note } else { matches };
        json!({"match": matches, "fault": fault})
    }
}

impl ServiceNow {
    /// Starts one that knows `admin` by the canary too, and has records of other people.
    pub(crate) async fn start(directory: &Path, canary: &Canary) -> Self {
        let seed = directory.join("seed.json");
        let others: Vec<_> = (0..40).map(|n| json!({"short_description": n.to_string()})).collect();
        let others = json!({"incident": others, "problem": others});
        std::fs::write(&seed, others.to_string()).unwrap();
        let login = format!("admin:{}", canary.text());
        let seed = seed.to_str().unwrap();
        let arguments = ["sandbox", "--listen", "127.0.0.1:0", "--seed", seed, "--login", &login];
        let log = directory.join("sandbox.log");
        let mut process = Process::start(&arguments, &[], log.clone()).quiet();
        let address = process.word_after("sandbox on", "http://").await;
        let address = address.trim_end_matches(':').to_owned();
        let blabbed = canary.blabbed();
        let new = Self {
            process,
            log,
            address,
            blabbed,
            scripted: Mutex::default(),
            asked: Mutex::default(),
        };
        // Some time on the way, so that there is something in flight to break.
        let delay = json!({"match": {"path": "/api/now/", "times": 0},
            "fault": {"delay": {"before_ms": 20, "after_ms": 40}}});
        new.add(&delay).await;
        new
    }

    async fn add(&self, rule: &Value) {
        let url = format!("http://{}/sandbox/faults", self.address);
        let (status, answer) = http::send(Method::POST, &url, Some(rule)).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    }

    /// Lets something go wrong with the next call that it is for and that meets no other fault:
    /// each leaves a doubt of its own, and is what its name says.
    pub(crate) async fn inject(&self, target: Target, fault: CallFault) {
        let mut rule = fault.rule(target, &self.blabbed);
        rule["match"]["alone"] = true.into();
        self.add(&rule).await;
        self.scripted.lock().unwrap().push((target, fault));
    }

    async fn own(&self, path: &str) -> Value {
        let url = format!("http://{}/sandbox/{path}", self.address);
        let (status, answer) = http::send(Method::GET, &url, None).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// How often each kind of fault has struck, and how many answers left a doubt by that.
    pub(crate) async fn struck(&self) -> (BTreeMap<String, u64>, u64) {
        let rules = self.own("faults").await;
        let hits = rules["faults"].as_array().unwrap().iter().skip(1);
        let hits = hits.map(|rule| rule["hits"].as_u64().unwrap());
        let (mut struck, mut doubts) = (BTreeMap::new(), 0);
        for ((target, fault), hits) in self.scripted.lock().unwrap().iter().zip(hits) {
            let name = fault.name();
            let name = if *target == Target::Note { format!("note: {name}") } else { name.into() };
            *struck.entry(name).or_default() += hits;
            doubts += if fault.is_answered() { hits } else { 0 };
        }
        (struck, doubts)
    }

    /// Nothing goes wrong any more; what has is forgotten.
    pub(crate) async fn calm(&self) {
        let url = format!("http://{}/sandbox/faults", self.address);
        let (status, answer) = http::send(Method::DELETE, &url, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    }

    /// What was asked and done so far.
    pub(crate) async fn tally(&self) -> Value {
        self.own("tally").await
    }

    /// Takes note of what it was asked, which it shows of the latest requests only, and tells
    /// how often the secret shows there.
    pub(crate) async fn look(&self, canary: &Canary) -> u64 {
        let log = self.own("requests").await;
        self.asked.lock().unwrap().read(&log);
        canary.traces(log.to_string().as_bytes())
    }

    /// The file with what it has written.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// All records of a table.
    pub(crate) async fn records(&self, table: &str) -> Records {
        let mut records = Records::new();
        loop {
            let (offset, table) = (records.len(), format!("/api/now/table/{table}"));
            let url = format!(
                "http://{}{table}?sysparm_limit={PAGE}&sysparm_offset={offset}\
                 &sysparm_exclude_reference_link=true&sysparm_query=ORDERBYsys_id",
                self.address
            );
            let (status, answer) = http::send(Method::GET, &url, None).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            let rows = answer["result"].as_array().unwrap();
            for row in rows.iter().filter_map(Value::as_object) {
                records.insert(row["sys_id"].as_str().unwrap().to_owned(), row.clone());
            }
            if rows.len() < PAGE {
                return records;
            }
        }
    }

    /// Whether it has lived until now.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }
}
