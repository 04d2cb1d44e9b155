//! ServiceNow as the worker sees it, looked at and prepared through its own HTTP interface.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{http, process::Process};

/// A running sandbox.
#[derive(Debug)]
pub(crate) struct Sandbox {
    _process: Process,
    /// Its address, e.g. `http://127.0.0.1:34567`.
    pub(crate) address: String,
}

impl Sandbox {
    /// Starts one on a free port.
    pub(crate) async fn start(directory: &Path) -> Self {
        let arguments = ["sandbox", "--listen", "127.0.0.1:0"];
        let mut process = Process::start(&arguments, &[], directory.join("sandbox.log"));
        let address = process.word_after("http://127.0.0.1:", "http://").await;
        let address = format!("http://{}", address.trim_end_matches('/'));
        Self { _process: process, address }
    }

    /// Inserts a record and gives it back as stored.
    pub(crate) async fn insert(&self, table: &str, fields: Value) -> Value {
        let url = format!("{}/api/now/table/{table}", self.address);
        let (status, mut answer) = http::send(Method::POST, &url, Some(&fields)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["result"].take()
    }

    /// The records of a table that an encoded query finds.
    pub(crate) async fn records(&self, table: &str, query: &str) -> Vec<Value> {
        let url = format!(
            "{}/api/now/table/{table}?sysparm_limit=10000&sysparm_query={}",
            self.address,
            query.replace('^', "%5E").replace(' ', "%20").replace('=', "%3D")
        );
        let (status, mut answer) = http::send(Method::GET, &url, None).await;
        match (status, answer["result"].take()) {
            (StatusCode::OK, Value::Array(records)) => records,
            (StatusCode::NOT_FOUND, _) => Vec::new(),
            (status, _) => panic!("{status} {answer}"),
        }
    }

    /// One record, if it is there.
    pub(crate) async fn record(&self, table: &str, sys_id: &str) -> Option<Value> {
        let url = format!("{}/api/now/table/{table}/{sys_id}", self.address);
        let (status, mut answer) = http::send(Method::GET, &url, None).await;
        (status == StatusCode::OK).then(|| answer["result"].take())
    }

    /// Scripts a fault; see the sandbox's own description of its admin endpoint.
    pub(crate) async fn fault(&self, fault: Value) {
        let url = format!("{}/sandbox/faults", self.address);
        let (status, answer) = http::send(Method::POST, &url, Some(&fault)).await;
        assert!(status.is_success(), "{status} {answer}: {fault}");
    }

    /// An incident whose short description is `title`.
    pub(crate) async fn incident(&self, title: &str) -> Value {
        self.insert("incident", json!({"short_description": title})).await
    }
}
