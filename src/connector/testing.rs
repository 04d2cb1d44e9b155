//! Scripted jobs and replies for the core's tests: messages in, messages out.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "scripts of replies read better this way"
)]

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Map, Value, json};

use super::{Config, Connection, Connector, Finished, Secrets, Step};
use crate::{
    job::{Job, JobKey, JobRef},
    outcome::Outcome,
    servicenow::{Instance, NoAnswer, NoAnswerCause, Reply, Request, Response},
};

/// The moment at which all tests take place.
pub(super) const NOW: &str = "2026-06-01T12:00:00Z";

/// A record job with these variables.
pub(super) fn job(variables: Value) -> Job {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    Job {
        id: JobRef { key: JobKey(2_251_799_813_685_255), lease: None },
        job_type: "servicenow:record:1".to_owned(),
        process_instance_key: 2_251_799_813_685_249,
        bpmn_process_id: "order".to_owned(),
        process_definition_version: 1,
        process_definition_key: 1,
        element_id: "task".to_owned(),
        element_instance_key: 2,
        custom_headers: Map::new(),
        variables,
        deadline_ms: 0,
        retries: 3,
        tenant_id: "<default>".to_owned(),
        defect: None,
    }
}

/// The same with headers.
pub(super) fn job_with(variables: Value, headers: Value) -> Job {
    let Value::Object(custom_headers) = headers else { panic!("headers are an object") };
    Job { custom_headers, ..job(variables) }
}

/// A flow job with these variables.
pub(super) fn flow_job(variables: Value) -> Job {
    Job { job_type: "servicenow:flow:1".to_owned(), ..job(variables) }
}

/// One connection, `default`, to `dev1`.
pub(super) fn config() -> Config {
    let authentication = json!({
        "type": "basic", "username": "worker", "password": "{{secrets.SN_PASSWORD}}",
    });
    let instance = Instance::parse("dev1", false).unwrap();
    let connection = Connection::new(instance, serde_json::from_value(authentication).unwrap());
    Config { connections: [("default".to_owned(), connection)].into(), ..Config::default() }
}

/// The secret of that connection.
pub(super) fn secrets() -> Secrets {
    [("SN_PASSWORD".to_owned(), "correct horse".into())].into()
}

/// An answer with a JSON body.
pub(super) fn answer(status: u16, body: Value) -> Reply {
    answer_with(status, &[], body)
}

/// An answer with headers and a JSON body.
pub(super) fn answer_with(status: u16, headers: &[(&str, &str)], body: Value) -> Reply {
    raw(status, "application/json;charset=UTF-8", headers, body.to_string())
}

/// Any answer.
pub(super) fn raw(status: u16, kind: &str, headers: &[(&str, &str)], body: String) -> Reply {
    let mut all = vec![("Content-Type".to_owned(), kind.to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Ok(Response { status, headers: all, body: body.into() })
}

/// ServiceNow's error body.
pub(super) fn refusal(status: u16, message: &str, detail: &str) -> Reply {
    let body = json!({"error": {"message": message, "detail": detail}, "status": "failure"});
    answer(status, body)
}

/// ServiceNow's usual 404.
pub(super) fn no_record() -> Reply {
    refusal(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
}

/// No answer.
pub(super) fn silence(cause: NoAnswerCause, may_have_acted: bool) -> Reply {
    Err(NoAnswer { cause, may_have_acted, message: format!("no answer: {cause:?}") })
}

/// What a job did.
pub(super) struct Run {
    pub(super) requests: Vec<Request>,
    /// What the engine was to keep before each request.
    pub(super) notes: Vec<Option<Value>>,
    pub(super) finished: Finished,
}

/// Runs a job against replies, which must be used up.
pub(super) fn run(job: Job, replies: impl IntoIterator<Item = Reply>) -> Run {
    run_with(config(), secrets(), job, replies)
}

/// The same with other settings.
pub(super) fn run_with(
    config: Config,
    secrets: Secrets,
    job: Job,
    replies: impl IntoIterator<Item = Reply>,
) -> Run {
    run_at(NOW, config, secrets, job, replies)
}

/// The same at another time.
pub(super) fn run_at(
    now: &str,
    config: Config,
    secrets: Secrets,
    job: Job,
    replies: impl IntoIterator<Item = Reply>,
) -> Run {
    run_on(&Connector::new(config), now, secrets, job, replies)
}

/// The same by a worker that remembers what earlier jobs have taught it.
pub(super) fn run_on(
    connector: &Connector,
    now: &str,
    secrets: Secrets,
    job: Job,
    replies: impl IntoIterator<Item = Reply>,
) -> Run {
    let now = now.parse().unwrap();
    let mut replies: VecDeque<Reply> = replies.into_iter().collect();
    let (mut requests, mut notes) = (Vec::new(), Vec::new());
    let plan = match connector.plan(Arc::new(job)) {
        Ok(plan) => plan,
        Err(finished) => return Run { requests, notes, finished: *finished },
    };
    let (mut exchange, mut step) = plan.start(secrets, now);
    let finished = loop {
        match step {
            Step::Done(finished) => break *finished,
            Step::Send(call) => {
                requests.push(call.request);
                notes.push(call.note.map(|note| Value::Object(note.variables(now))));
                let reply = replies.pop_front().expect("a reply for each request");
                step = exchange.resume(reply, now);
            }
        }
    };
    assert!(replies.is_empty(), "{} replies are left", replies.len());
    Run { requests, notes, finished }
}

impl Run {
    /// The requests as `METHOD /target`.
    pub(super) fn targets(&self) -> Vec<String> {
        let line = |request: &Request| format!("{} {}", request.method.as_str(), request.target());
        self.requests.iter().map(line).collect()
    }

    /// The requests' methods.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        self.requests.iter().map(|request| request.method.as_str()).collect()
    }

    /// The variables of a completed job.
    pub(super) fn completed(&self) -> Value {
        match &self.finished.outcome {
            Outcome::Complete { variables } => Value::Object(variables.clone()),
            other => panic!("not completed: {other:?}"),
        }
    }

    /// The message of a job that failed for good.
    pub(super) fn incident(&self) -> &str {
        match &self.finished.outcome {
            Outcome::Fail { retries: 0, message, .. } => message,
            other => panic!("no incident: {other:?}"),
        }
    }

    /// The message of a job that was handed back with its retries.
    pub(super) fn handed_back(&self) -> &str {
        match &self.finished.outcome {
            Outcome::Fail { retries: 3, message, retry_backoff, .. } => {
                assert!(!retry_backoff.is_zero(), "handed back at once");
                message
            }
            other => panic!("not handed back: {other:?}"),
        }
    }
}
