//! Flow triggers: a call to `/api/<namespace>/…` is recorded with its payload and answered
//! with an execution id, as a Scripted REST resource that starts a flow in the background
//! answers. The execution is also a record of `sys_flow_context`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Shared, answer::Answer, call::Call, caller::Caller, record::Record, rules, time};

/// A flow that was started.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowExecution {
    /// The id that the caller got.
    pub execution_id: String,
    /// When.
    #[serde(serialize_with = "time::serialize")]
    pub at: Timestamp,
    /// The verb.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// The body: as JSON where it is JSON, else as text.
    pub payload: Value,
    /// The caller's login.
    pub user: String,
}

/// The flows started so far.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    executions: Mutex<Vec<FlowExecution>>,
}

impl Flows {
    fn lock(&self) -> MutexGuard<'_, Vec<FlowExecution>> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<FlowExecution> {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}

/// Starts a flow.
pub(crate) fn start(shared: &Shared, call: &Call, caller: &Caller) -> Answer {
    let now = shared.config.clock.now();
    let execution_id = write_context(shared, call, caller, now);
    let answer = json!({"result": {"executionId": execution_id, "state": "IN_PROGRESS"}});
    shared.flows.lock().push(FlowExecution {
        execution_id,
        at: now,
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.query_text.clone(),
        payload: payload(call),
        user: caller.user_name.clone(),
    });
    Answer::json(StatusCode::OK, answer)
}

fn payload(call: &Call) -> Value {
    if call.body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&call.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&call.body).into_owned().into())
}

/// A flow of the sandbox has nothing to do, so its context is complete at once.
fn write_context(shared: &Shared, call: &Call, caller: &Caller, now: Timestamp) -> String {
    let stamp = caller.stamp(time::raw(now));
    let mut store = shared.write();
    let id = store.new_id();
    let Some(table) = store.table("sys_flow_context").cloned() else { return id };
    let mut context = Record::new(&table.name);
    for (field, value) in [
        ("sys_id", id.as_str()),
        ("name", &call.path),
        ("state", "COMPLETE"),
        ("calling_source", "REST"),
        ("started", &stamp.now),
        ("ended", &stamp.now),
        ("run_time", "0"),
    ] {
        context.set_in(&table, field, value);
    }
    rules::fill_defaults(&mut store, &table, &mut context, &stamp);
    rules::mark_created(&table, &mut context, &stamp);
    store.insert(context);
    id
}
