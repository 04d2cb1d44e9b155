//! The HTTP client that speaks to ServiceNow.
//!
//! Policy:
//!
//! - HTTP/1.1 with kept connections: ServiceNow closes an idle one after 20 s, so we let
//!   go of it after 15 s. No more connections than calls at once; how many calls there are at
//!   once is the caller's to bound, by the endpoint's `max_concurrency`.
//! - A request is sent once. Redirects are answers (an instance that redirects an API
//!   call asks for a login, or sleeps). The one second try is the one after a 401 that a
//!   fresh OAuth token can cure: a 401 did nothing. The HTTP library below may take
//!   another connection when a kept one turns out closed *before* anything of the request
//!   was written to it; that is no second sending.
//! - No cookies: calls that share a session are run one after the other by the instance,
//!   and beyond ten of them dropped with a 202. `Set-Cookie` holds live session ids, so
//!   it is not handed on either.
//! - Everything has an end: connecting, silence in an answer, the whole call, and the size
//!   of an answer (counted after decompression).
//! - [`NoAnswer::may_have_acted`] is `false` only when nothing of the request was sent.
//! - An instance that a job names is connected to at public addresses only, or at such in
//!   the allowed networks; they are checked where they are connected to. Behind a proxy, names
//!   are the proxy's to look up.
//! - Logs have the method, the path without its query, the status and the time.

mod addresses;
mod echo;
mod exchange;
mod failure;
mod gate;
mod headers;
mod names;
mod pool;
mod prepared;
mod trust;
#[cfg(feature = "simulation")]
pub mod wire;

use std::{path::PathBuf, sync::Arc, time::Duration};

use ::http::{HeaderValue, StatusCode, header};
use secrecy::SecretString;
use tokio::time::Instant;
use tracing::debug;

use super::{
    Endpoint, NoAnswer, NoAnswerCause, Reply, Request,
    auth::{
        Proof,
        cache::TokenCache,
        grant::{self, AccessToken, Grant},
    },
};
use crate::{ports::Transport, tls};

use exchange::{Limits, exchange};
use pool::{Pool, Pools};

pub use addresses::{InvalidNetwork, Network};
pub use names::Lookup;
pub use trust::OwnTls;

/// Largest answer of the token endpoint; real ones have a few hundred bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// How the client connects, waits and gives up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Until a connection stands: name, TCP and TLS; 5 s.
    pub connect_timeout: Duration,
    /// The whole call; 65 s, just above the 60 s after which ServiceNow cancels its side.
    pub call_timeout: Duration,
    /// Silence in the middle of an answer; 10 s.
    pub read_timeout: Duration,
    /// How long an idle connection is kept; 15 s, below ServiceNow's 20 s.
    pub idle_timeout: Duration,
    /// Largest answer, decompressed; 8 MiB.
    pub max_response_bytes: usize,
    /// A PEM file with the authorities to trust in place of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Connections that trust somebody else, or have a certificate of their own.
    pub own_tls: Vec<OwnTls>,
    /// Networks, not public ones, in which instances that jobs name may be.
    pub allowed_networks: Vec<Network>,
    /// Where names are looked up.
    pub lookup: Lookup,
    /// A proxy's URL, credentials in it if it wants some. The proxy variables of the
    /// environment are not looked at.
    pub proxy: Option<SecretString>,
    /// Hosts to reach without the proxy: a comma list of names, domains and networks.
    pub no_proxy: String,
    /// A whole call to the token endpoint; 15 s.
    pub token_timeout: Duration,
    /// How long a failure to get a token stands for later calls; 5 s.
    pub token_failure_memory: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(65),
            read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15),
            max_response_bytes: 8 * 1024 * 1024,
            ca_file: None,
            own_tls: Vec::new(),
            allowed_networks: Vec::new(),
            lookup: Lookup::default(),
            proxy: None,
            no_proxy: String::new(),
            token_timeout: Duration::from_secs(15),
            token_failure_memory: Duration::from_secs(5),
        }
    }
}

/// A configuration that the client cannot be built from.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CA file.
    #[error("ca_file: {0}")]
    Tls(#[from] tls::Error),
    /// A file of a connection's own.
    #[error("connections.{connection}: {error}")]
    OwnTls {
        /// The connection.
        connection: String,
        /// What is wrong.
        error: tls::Error,
    },
    /// The proxy; the URL is not shown, it may have a password.
    #[error("proxy is no URL of an HTTP proxy: write it as http://host:port")]
    Proxy,
    /// Anything else.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// Sends requests to ServiceNow. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    pools: Pools,
    tokens: TokenCache,
    call: Limits,
    token: Limits,
}

impl Config {
    /// Everything that no client can be built with; [`Client::new`] stops at the first.
    pub fn mistakes(&self) -> Vec<Error> {
        let files = trust::mistakes(self);
        if files.is_empty() { Client::new(self).err().into_iter().collect() } else { files }
    }
}

impl Client {
    /// A client; connects to nothing yet.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let call = Limits {
            total: config.call_timeout,
            silence: config.read_timeout,
            bytes: config.max_response_bytes,
        };
        let token = Limits { total: config.token_timeout, bytes: MAX_TOKEN_BYTES, ..call };
        let shared = Shared {
            pools: Pools::new(config)?,
            tokens: TokenCache::new(config.token_failure_memory),
            call,
            token,
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("call", &self.shared.call).finish_non_exhaustive()
    }
}

impl Transport for Client {
    async fn send(&self, endpoint: &Arc<Endpoint>, request: Request) -> Reply {
        let started = Instant::now();
        // Not the path: an input in it may hold a secret.
        let (method, connection) = (request.method.as_str(), endpoint.connection.as_str());
        let reply = Box::pin(self.shared.send(endpoint, request)).await;
        let elapsed = started.elapsed();
        match &reply {
            Ok(response) => {
                debug!(method, connection, status = response.status, ?elapsed, "answered");
            }
            Err(error) => {
                debug!(method, connection, cause = ?error.cause, ?elapsed, "not answered");
            }
        }
        reply
    }
}

impl Shared {
    async fn send(self: &Arc<Self>, endpoint: &Arc<Endpoint>, request: Request) -> Reply {
        let pool = self.pools.of(endpoint)?;
        let request = prepared::request(endpoint, &request)?;
        match Proof::of(&endpoint.authentication)? {
            Proof::Header(name, value) => {
                exchange(&pool, prepared::with(request, name, value), self.call).await
            }
            Proof::Token(grant) => self.send_with_token(endpoint, &pool, grant, request).await,
        }
    }

    async fn send_with_token(
        self: &Arc<Self>,
        endpoint: &Arc<Endpoint>,
        pool: &Arc<Pool>,
        grant: Grant<'_>,
        request: reqwest::Request,
    ) -> Reply {
        let key = grant.key(&endpoint.instance);
        let fetch = || fetch_token(Arc::clone(endpoint), Arc::clone(pool), self.token);
        let token = self.tokens.token(key, fetch()).await?;
        // Bodies are bytes, which can always be copied.
        let Some(copy) = request.try_clone() else {
            return self.authorized(pool, request, &token).await;
        };
        let first = self.authorized(pool, request, &token).await;
        if !is_unauthorized(&first) {
            return first;
        }
        match self.tokens.renewed(key, &token, fetch()).await {
            None => first,
            Some(token) => {
                let second = self.authorized(pool, copy, &token?).await;
                if is_unauthorized(&second) {
                    self.tokens.renewed_in_vain(key);
                }
                second
            }
        }
    }

    async fn authorized(
        &self,
        pool: &Pool,
        request: reqwest::Request,
        token: &HeaderValue,
    ) -> Reply {
        let request = prepared::with(request, header::AUTHORIZATION, token.clone());
        echo::masked(exchange(pool, request, self.call).await, token)
    }
}

/// What cannot be sent is a mistake here too, and no outage.
fn token_not_asked_for(failure: NoAnswer) -> NoAnswer {
    match failure.cause {
        NoAnswerCause::Invalid => failure,
        _ => grant::unavailable(&failure.message),
    }
}

fn is_unauthorized(reply: &Reply) -> bool {
    matches!(reply, Ok(response) if response.status == StatusCode::UNAUTHORIZED.as_u16())
}

/// Asks the token endpoint.
async fn fetch_token(
    endpoint: Arc<Endpoint>,
    pool: Arc<Pool>,
    limits: Limits,
) -> Result<AccessToken, NoAnswer> {
    let Proof::Token(grant) = Proof::of(&endpoint.authentication)? else {
        return Err(grant::unavailable("the credentials use no token"));
    };
    let request = prepared::token(&endpoint.instance, grant.form())?;
    let started = Instant::now();
    let answer = exchange(&pool, request, limits).await.map_err(token_not_asked_for)?;
    debug!(status = answer.status, elapsed = ?started.elapsed(), "token endpoint answered");
    grant.read(&answer)
}
