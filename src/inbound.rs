//! The inbound endpoint: ServiceNow starts, cancels and correlates processes over HTTP.
//!
//! Two faces: the operations of Camunda's REST API, version 2, for those who have a client
//! of it, and plain routes for hand-written flows. Policy:
//!
//! - No answer of success before the broker acknowledged. Whether something was done is
//!   unknown: 503 with `Retry-After`, and the same key may be sent again.
//! - What cannot be held to once is refused, unless the configuration says that twice is
//!   fine. See `idempotency`, `publishing` and [`wrapper`].
//! - Who is not known costs no call to the broker. See `handle` for the order of checks.
//! - Nothing is deployed but our own wrapper process.

mod answer;
mod audit;
mod authentication;
mod body;
mod cluster;
mod config;
mod credentials;
mod expression;
mod handle;
mod idempotency;
mod jwks;
mod limits;
mod memory;
mod openapi;
mod operation;
mod problem;
mod publishing;
mod reading;
mod rest;
mod route;
mod scopes;
mod server;
mod shared;
mod token;
mod token_endpoint;
pub mod wrapper;

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

pub use audit::TARGET as AUDIT;
#[doc(hidden)]
pub use authentication::Door;
pub use cluster::ClusterWatch;
pub use config::{Config, Correlation, Idempotency, Tls, Token, Unguarded};
pub use credentials::{Algorithm, Credential, Issuer, Proof, Signature, Style};
pub use expression::Picker;
pub use limits::Limits;
pub use operation::{OPERATIONS, Operation};
pub use route::{Action, Guard, Route};
pub use scopes::{Missing, Pattern, Right, Scopes};

use authentication::Authenticator;
use limits::Allowance;
use memory::Memory;
use shared::Shared;

use crate::{
    metrics::Metrics,
    ports::{Clock, ClusterRest, ProcessGateway, SecretProvider},
};

/// How often secrets are looked up again.
const RENEW_SECRETS: Duration = Duration::from_secs(10);

/// What the endpoint works with.
#[derive(Debug)]
pub struct Parts<G, R> {
    /// The engine's gateway.
    pub gateway: G,
    /// The cluster's REST API, where there is one.
    pub rest: Option<R>,
    /// Where the credentials' secrets come from.
    pub secrets: Arc<dyn SecretProvider>,
    /// Wall time, for signatures and tokens.
    pub clock: Arc<dyn Clock>,
    /// The figures.
    pub metrics: Arc<Metrics>,
}

/// A configuration that cannot work: all that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Error(Vec<String>);

fn lines(mistakes: &[String]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|mistake| format!("inbound: {mistake}")).collect();
    lines.join("\n")
}

/// Reads secrets and certificates as a start would, and connects nowhere. Where no secrets
/// can be had, that is somebody else's to tell.
pub fn check(
    config: Config,
    secrets: Option<Arc<dyn SecretProvider>>,
    clock: Arc<dyn Clock>,
) -> Result<(), Error> {
    match secrets {
        Some(secrets) => prepare(&Arc::new(config), secrets, clock).map(|_| ()),
        None => {
            config.tls.as_ref().map_or(Ok(()), |tls| tls_config(tls).map(|_| ())).map_err(Error)
        }
    }
}

type Prepared = (Option<Arc<ServerConfig>>, Authenticator);

fn prepare(
    config: &Arc<Config>,
    secrets: Arc<dyn SecretProvider>,
    clock: Arc<dyn Clock>,
) -> Result<Prepared, Error> {
    let tls = config.tls.as_ref().map(tls_config).transpose();
    match (tls, Authenticator::new(Arc::clone(config), secrets, clock)) {
        (Ok(tls), Ok(authenticator)) => Ok((tls, authenticator)),
        (tls, authenticator) => {
            let mut mistakes = tls.err().unwrap_or_default();
            mistakes.extend(authenticator.err().unwrap_or_default());
            Err(Error(mistakes))
        }
    }
}

/// The endpoint.
#[derive(Debug)]
pub struct Inbound<G, R> {
    shared: Arc<Shared<G, R>>,
    tls: Option<Arc<ServerConfig>>,
}

impl<G: ProcessGateway, R: ClusterRest> Inbound<G, R> {
    /// An endpoint; secrets and certificates are read.
    pub fn new(config: Config, parts: Parts<G, R>) -> Result<Self, Error> {
        let config = Arc::new(config);
        let (tls, authenticator) = prepare(&config, parts.secrets, Arc::clone(&parts.clock))?;
        let shared = Shared {
            gateway: parts.gateway,
            rest: parts.rest,
            clock: parts.clock,
            metrics: parts.metrics,
            authenticator,
            memory: Memory::new(config.idempotency.remember, config.idempotency.window),
            cluster: Arc::default(),
            room: Semaphore::new(config.limits.requests),
            token_allowance: Allowance::new(config.limits.rate),
            wrappers: tokio::sync::Mutex::default(),
            found: std::sync::Mutex::default(),
            config,
        };
        Ok(Self { shared: Arc::new(shared), tls })
    }

    /// What is known of the cluster.
    pub fn cluster(&self) -> Arc<ClusterWatch> {
        Arc::clone(&self.shared.cluster)
    }

    /// Serves until told to stop, then lets requests in work end.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let besides = async {
            tokio::join!(shared.cluster.follow(&shared.gateway), renew_secrets(&shared));
        };
        tokio::select! {
            () = server::serve(Arc::clone(&self.shared), listener, self.tls, stop) => {}
            () = besides => {}
        }
    }
}

async fn renew_secrets<G, R>(shared: &Shared<G, R>) {
    let mut turns = tokio::time::interval(RENEW_SECRETS);
    loop {
        turns.tick().await;
        shared.authenticator.renew();
    }
}

fn tls_config(files: &Tls) -> Result<Arc<ServerConfig>, Vec<String>> {
    let wrong = |key: &str, path: &Path, error: &dyn std::fmt::Display| {
        format!("tls.{key}: '{}' cannot be used: {error}", path.display())
    };
    let no_certificate = |error: &dyn std::fmt::Display| wrong("cert", &files.certificates, error);
    let chain = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect::<Result<Vec<CertificateDer<'static>>, _>>)
        .map_err(|error| no_certificate(&error));
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| wrong("key", &files.key, &error));
    let (chain, key) = match (chain, key) {
        (Ok(chain), Ok(key)) => (chain, key),
        (chain, key) => return Err(chain.err().into_iter().chain(key.err()).collect()),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| vec![no_certificate(&error)])?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| vec![no_certificate(&error)])?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
