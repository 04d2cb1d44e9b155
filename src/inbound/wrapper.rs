//! A process of ours around any process, so that a start can be held to once.
//!
//! `CreateProcessInstance` knows no repetition; a message does. The wrapper's start event
//! takes a message whose id is the idempotency key, and its call activity starts the wanted
//! process by an expression. The broker refuses a copy of the message for its time to live,
//! whichever replica sends it and whatever crashed in between. All variables go on to the
//! called process; nothing comes back. If there is no such process, the call activity raises
//! an incident and goes on when the process is deployed and the incident resolved.

use std::time::Duration;

use serde_json::json;

use super::{idempotency::Key, problem::Problem, shared::Shared};
use crate::{
    job::Variables,
    ports::{Message, ProcessGateway},
};

/// The wrapper's process id.
pub const PROCESS_ID: &str = "servicenow-worker-start";
/// The message that starts it.
pub const MESSAGE: &str = "servicenow-worker.start";
/// The variable that says what to start.
pub const VARIABLE: &str = "servicenowStart";
/// The resource as it is deployed.
pub const RESOURCE: &str = "servicenow-worker-start.bpmn";

/// The process, with a diagram for those who look at it.
pub const BPMN: &str = include_str!("wrapper/servicenow-worker-start.bpmn");

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'s> {
    pub(crate) process: &'s str,
    pub(crate) route: &'s str,
    pub(crate) tenant: &'s str,
    pub(crate) key: &'s Key,
    pub(crate) time_to_live: Duration,
}

impl Start<'_> {
    /// The message that starts the wrapper. The key is the correlation key as well: copies
    /// meet on one partition.
    pub(crate) fn message(&self, mut variables: Variables) -> Message {
        // Last, so that no caller's variable of this name chooses the process.
        let start = json!({"processId": self.process, "route": self.route, "key": self.key.text});
        variables.insert(VARIABLE.to_owned(), start);
        Message {
            name: MESSAGE.to_owned(),
            correlation_key: self.key.identity.clone(),
            time_to_live: self.time_to_live,
            message_id: self.key.identity.clone(),
            variables,
            tenant_id: self.tenant.to_owned(),
            business_id: None,
        }
    }
}

/// Deploys the wrapper for a tenant, once in this program's life; the engine keeps a copy of
/// the same content out.
pub(crate) async fn deploy<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    tenant: &str,
) -> Result<(), Problem> {
    let mut deployed = shared.wrappers.lock().await;
    if deployed.iter().any(|done| done == tenant) {
        return Ok(());
    }
    let sent = shared.gateway.deploy_resource(RESOURCE, BPMN.as_bytes(), tenant).await;
    sent.map_err(|error| {
        let problem = Problem::of_the_engine(&error, "deployment of the wrapper process");
        // Nothing was started yet.
        Problem { outcome_unknown: false, ..problem }
    })?;
    tracing::info!(tenant, process = PROCESS_ID, "the wrapper process is deployed");
    deployed.push(tenant.to_owned());
    Ok(())
}
