//! What all requests share, and one request with who sent it.

use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Bytes, http::HeaderMap};
use tokio::sync::Semaphore;

use super::{
    authentication::{Authenticator, Caller},
    cluster::ClusterWatch,
    config::Config,
    expression::Scope,
    idempotency::{self, Key, Places},
    limits::Allowance,
    memory::{Digest, Memory},
    problem::Problem,
    reading,
    scopes::Right,
};
use crate::{metrics::Metrics, ports::Clock};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared<G, R> {
    pub(crate) config: Arc<Config>,
    pub(crate) gateway: G,
    pub(crate) rest: Option<R>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) authenticator: Authenticator,
    pub(crate) memory: Memory,
    pub(crate) cluster: Arc<ClusterWatch>,
    /// Room for requests in work.
    pub(crate) room: Semaphore,
    /// Token requests, which nobody has proved to be theirs.
    pub(crate) token_allowance: Allowance,
    /// Tenants that have the wrapper process.
    pub(crate) wrappers: tokio::sync::Mutex<Vec<String>>,
    /// Routes whose process the engine has been seen to have.
    pub(crate) found: std::sync::Mutex<BTreeSet<String>>,
}

/// A request whose sender is known.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    /// The varying part of its path.
    pub(crate) part: &'c str,
    pub(crate) query: &'c str,
    pub(crate) caller: Caller,
    pub(crate) headers: &'c HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) now: jiff::Timestamp,
}

impl Call<'_> {
    /// Demands a right for a name.
    pub(crate) fn demand_for(&self, right: Right, name: &str) -> Result<(), Problem> {
        self.caller.allow.demand_for(right, name).map_err(Problem::from)
    }

    /// Demands the right to act for a tenant.
    pub(crate) fn demand_tenant(&self, tenant: &str) -> Result<(), Problem> {
        self.caller.allow.demand_tenant(tenant).map_err(Problem::from)
    }

    /// SHA-256 of what was sent: the varying part of the path and the body.
    pub(crate) fn digest(&self) -> Digest {
        let mut payload = self.part.as_bytes().to_vec();
        payload.push(0);
        payload.extend_from_slice(&self.body);
        idempotency::digest(&payload)
    }

    /// The key of a REST call.
    pub(crate) fn key(&self, config: &Config, purpose: &str) -> Result<Option<Key>, Problem> {
        let settings = &config.idempotency;
        let places = Places {
            headers: &settings.headers,
            body: settings.body.as_ref(),
            body_first: false,
            purpose,
        };
        places.key(&self.caller, self.headers, &self.body, || {
            let body = reading::with_variables(&self.body, config.limits.json_depth)?;
            Ok(Scope::new(body, [], self.now))
        })
    }
}
