//! The books of a play: calls, activations, locks, and what was wrong.

use std::sync::Arc;

use servicenow_worker::{
    job::JobKey,
    metrics::Metrics,
    servicenow::{Reply, Request, Response},
};

use super::World;

/// What was counted in a play.
#[derive(Default)]
pub(crate) struct Books {
    /// Jobs that reached a worker, each time anew.
    pub(crate) activations: usize,
    /// Calls whose process died, or that got no clean success.
    pub(crate) doubts: usize,
    /// Calls that are on their way now.
    pub(crate) in_flight: usize,
    /// Locks that ran out.
    pub(crate) lock_timeouts: usize,
    /// Processes killed, and processes that stopped in good order.
    pub(crate) kills: usize,
    pub(crate) stops: usize,
    /// The figures of every process that ran.
    pub(crate) metrics: Vec<Arc<Metrics>>,
    /// Every job's process instance is started, and what the scene does besides is done.
    pub(crate) all_asked: bool,
    /// The scene means jobs to end with an incident.
    pub(crate) expects_incidents: bool,
    /// Breaches of what is promised.
    pub(crate) violations: Vec<String>,
}

/// A call on its way; one that is dropped has died with its process.
pub(crate) struct CallInFlight {
    world: Arc<World>,
    what: String,
    has_ended: bool,
}

impl World {
    /// A call to ServiceNow begins.
    pub(crate) fn call_begins(self: &Arc<Self>, request: &Request) -> CallInFlight {
        let body = request.body.as_ref();
        let told = |field| body.and_then(|body| body[field].as_str());
        let about = told("work_notes").or_else(|| told("short_description")).unwrap_or_default();
        let what = format!("{} {} {about}", request.method.as_str(), request.path.join("/"));
        self.note(&format!("{what} begins"));
        self.books().in_flight += 1;
        CallInFlight { world: Arc::clone(self), what, has_ended: false }
    }

    pub(crate) fn activated(&self, job: JobKey) {
        self.note(&format!("job {job} has come"));
        self.books().activations += 1;
    }

    pub(crate) fn lock_timed_out(&self) {
        self.books().lock_timeouts += 1;
    }

    pub(crate) fn all_is_asked(&self) {
        self.books().all_asked = true;
    }

    pub(crate) fn expects_incidents(&self) -> bool {
        self.books().expects_incidents
    }

    pub(crate) fn violation(&self, what: String) {
        self.note(&format!("VIOLATION: {what}"));
        self.books().violations.push(what);
    }
}

impl CallInFlight {
    pub(crate) fn ends(mut self, reply: &Reply) {
        let told = match reply {
            Ok(response) => response.status.to_string(),
            Err(error) => format!("{:?}: {error}", error.cause),
        };
        self.world.note(&format!("{} ends with {told}", self.what));
        self.has_ended = true;
        let is_clean = reply.as_ref().is_ok_and(is_clean);
        self.world.books().doubts += usize::from(!is_clean);
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        let mut books = self.world.books();
        books.in_flight -= 1;
        books.doubts += usize::from(!self.has_ended);
    }
}

/// Whether an answer says without doubt that the call took effect.
fn is_clean(response: &Response) -> bool {
    let body = serde_json::from_slice::<serde_json::Value>(&response.body);
    matches!(response.status, 200 | 201) && body.is_ok_and(|body| body.get("result").is_some())
}
