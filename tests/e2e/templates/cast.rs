//! What the diagrams' expressions name: records to work on and their relations.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::applied::Applied;
use crate::support::stage::Stage;

static RUNS: AtomicUsize = AtomicUsize::new(1);

/// Records that others refer to, and a token.
pub(super) struct Cast {
    related: Value,
    token: String,
}

impl Cast {
    /// Puts them into the stage's sandbox.
    pub(super) async fn of(stage: &Stage) -> Self {
        let id = async |table: &str| {
            let record = stage.sandbox.insert(table, json!({"short_description": "related"})).await;
            record["sys_id"].clone()
        };
        let group = stage.sandbox.insert("sys_user_group", json!({"name": "Templates"})).await;
        let user = stage.sandbox.insert("sys_user", json!({"user_name": "e2e.templates"})).await;
        let related = json!({
            "request": id("sc_request").await,
            "request_item": id("sc_req_item").await,
            "change_request": id("change_request").await,
            "group": group["sys_id"],
            "user": user["sys_id"],
            // The sandbox has no catalog; a reference may lead nowhere.
            "cat_item": "04b7e94b4f7b4200086eeed18110c7fd",
        });
        Self { related, token: stage.sandbox.token().await }
    }

    /// The secrets that the diagrams name, as the worker gets them.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        let known = [
            ("SECRET_SN_USERNAME", "admin"),
            ("SECRET_SN_PASSWORD", "admin"),
            ("SECRET_SN_CLIENT_ID", "sandbox"),
            ("SECRET_SN_CLIENT_SECRET", "sandbox"),
            ("SECRET_SN_API_KEY", "sandbox"),
            ("SECRET_SN_TOKEN", &self.token),
        ];
        known.map(|(name, value)| (name, value.to_owned())).to_vec()
    }

    /// The variables that a process starts with: a record of its own among them.
    pub(super) async fn variables(&self, stage: &Stage, applied: &Applied) -> Value {
        let title = format!("template {}", RUNS.fetch_add(1, Ordering::Relaxed));
        let table = match applied.text("table") {
            "" => "incident",
            table => table,
        };
        let mut fields = applied.record.clone();
        fields.insert("short_description".to_owned(), json!(title));
        let record = stage.sandbox.insert(table, Value::Object(fields)).await;
        json!({
            "title": title,
            "sandbox": stage.sandbox.address,
            "record": {"sys_id": record["sys_id"], "number": record["number"]},
            "serviceNow": {"sysId": record["sys_id"]},
            "errorCode": "PAYMENT_FAILED",
            "errorMessage": "the card was refused",
            "related": self.related,
        })
    }
}
