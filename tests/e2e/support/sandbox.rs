//! ServiceNow as the worker sees it: the sandbox over real HTTP, looked at from inside.

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use servicenow_worker::sandbox::{self, Config, CutPoint, Fault, Login, Match};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{http, secret};

/// Done at once, answered after the worker's own patience.
const FAR_TOO_LATE: Fault = Fault::Delay { before_ms: 0, after_ms: 70_000 };

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    inner: sandbox::Sandbox,
    /// Its address, e.g. `http://127.0.0.1:34567`.
    pub(crate) address: String,
    _stop: DropGuard,
}

impl Sandbox {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::demo().unwrap();
        config.logins.push(Login::new(secret::USER, secret::PASSWORD));
        let inner = sandbox::Sandbox::new(config).unwrap();
        let (serving, stop) = (inner.clone(), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move { serving.run(listener, stopped).await });
        Self { inner, address, _stop: stop.drop_guard() }
    }

    /// Inserts a record as a person would and gives it back as stored.
    pub(crate) async fn insert(&self, table: &str, fields: Value) -> Value {
        let url = format!("{}/api/now/table/{table}", self.address);
        let (status, mut answer) = http::send(Method::POST, &url, Some(&fields)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["result"].take()
    }

    /// An access token for everything, as an OAuth client gets one.
    pub(crate) async fn token(&self) -> String {
        let url = format!("{}/oauth_token.do", self.address);
        let form = "grant_type=client_credentials&client_id=sandbox&client_secret=sandbox";
        let answer = http::send_form(&url, form).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// An incident whose short description is `title`.
    pub(crate) async fn incident(&self, title: &str) -> Value {
        self.insert("incident", json!({"short_description": title})).await
    }

    /// The incidents of which a field has this value.
    pub(crate) fn incidents(&self, field: &str, value: &str) -> Vec<Map<String, Value>> {
        let all = self.inner.records("incident").into_iter();
        all.filter(|record| record.get(field).and_then(Value::as_str) == Some(value)).collect()
    }

    /// How many inserts it was asked for.
    pub(crate) fn inserts(&self) -> u64 {
        self.inner.tally().calls.get("POST").copied().unwrap_or_default()
    }

    /// The payload that a flow was started with.
    pub(crate) fn flow_payload(&self, execution_id: &str) -> Option<Value> {
        let flows = self.inner.flows();
        flows.into_iter().find(|flow| flow.execution_id == execution_id).map(|flow| flow.payload)
    }

    /// From now on inserts are carried out at once and answered late, so that a crash finds
    /// some whose answer is still to come.
    pub(crate) fn answer_inserts_late(&self) {
        let inserts = Match { times: 0, ..Match::on("POST", "incident") };
        self.inner.faults().push(inserts, Fault::Delay { before_ms: 0, after_ms: 150 });
    }

    /// The work notes of a record.
    pub(crate) fn notes(&self, sys_id: &Value) -> Vec<Value> {
        let entries = self.inner.records("sys_journal_field").into_iter();
        let ours = entries.filter(|entry| {
            entry.get("element_id") == Some(sys_id) && entry["element"] == "work_notes"
        });
        ours.map(|mut entry| entry["value"].take()).collect()
    }

    /// How often a path was called to start something.
    pub(crate) fn starts(&self, path: &str) -> usize {
        self.inner.flows().iter().filter(|flow| flow.path == path).count()
    }

    /// Carries the next update of an incident out at once, and answers when nobody waits any
    /// more.
    pub(crate) fn answer_one_update_late(&self) {
        self.inner.faults().push(Match::on("PATCH", "incident"), FAR_TOO_LATE);
    }

    /// The same for the next call to a path.
    pub(crate) fn answer_one_start_late(&self, path: &str) {
        self.inner.faults().push(Match::path(path), FAR_TOO_LATE);
    }

    /// Carries the next insert out, and cuts the connection in place of an answer.
    pub(crate) fn lose_one_answer(&self) {
        let insert = Match::on("POST", "incident");
        self.inner.faults().push(insert, Fault::Cut(CutPoint::AfterCommit));
    }

    /// Refuses the next insert until `retry_after` seconds have passed.
    pub(crate) fn refuse_one_insert(&self, code: u16, retry_after: u64) {
        let headers = vec![("Retry-After".to_owned(), retry_after.to_string())];
        let fault = Fault::Status { code, headers, body: Value::Null, after_commit: false };
        self.inner.faults().push(Match::on("POST", "incident"), fault);
    }
}
