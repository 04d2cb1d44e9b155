//! A process of ours around any process, so that a start can be held to once.
//!
//! `CreateProcessInstance` knows no repetition; a message does. The wrapper's start event
//! takes a message whose id is the idempotency key, and its call activity starts the wanted
//! process by an expression. The broker refuses a copy of the message for its time to live,
//! whichever replica sends it and whatever crashed in between. All variables go on to the
//! called process; nothing comes back.
//!
//! A process that is not there would be an incident of the call activity, which no caller
//! sees. So the engine is asked for it first, by a start that it must refuse. What cannot be
//! asked (whether the process has a plain start event, whether it is deleted later) stays an
//! incident; it goes on when the process is deployed and the incident resolved.

use std::{sync::PoisonError, time::Duration};

use serde_json::json;

use super::{idempotency::Key, problem::Problem, shared::Shared};
use crate::{
    job::Variables,
    ports::{CreateInstance, GatewayErrorKind, Message, ProcessGateway},
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

/// An element that no process has: blanks stand in no id.
const NOWHERE: &str = "no element: servicenow-worker looks for the process";

/// Refuses a start of a process that is not deployed. No command asks for a process; a start
/// at an element that does not exist is refused with `NOT_FOUND` where there is no such
/// process, and with `INVALID_ARGUMENT` where there is one. Asked until it is there.
pub(crate) async fn demand<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    start: &Start<'_>,
) -> Result<(), Problem> {
    let found = || shared.found.lock().unwrap_or_else(PoisonError::into_inner);
    if found().contains(start.route) {
        return Ok(());
    }
    let probe = CreateInstance {
        tenant_id: start.tenant.to_owned(),
        start_at: vec![NOWHERE.to_owned()],
        ..CreateInstance::latest(start.process, Variables::new())
    };
    let Err(error) = shared.gateway.create_instance(&probe).await else {
        let process = start.process;
        tracing::warn!(process, "the gateway started an instance where it was to look only");
        return Ok(());
    };
    match error.kind {
        GatewayErrorKind::Invalid => {
            found().insert(start.route.to_owned());
            Ok(())
        }
        // Who may publish need not have the right to start.
        GatewayErrorKind::Denied => Ok(()),
        _ => {
            let problem = Problem::of_the_engine(&error, "start of a process instance");
            // Nothing was started yet.
            Err(Problem { outcome_unknown: false, ..problem })
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
