//! The client of the Zeebe gateway: gRPC from our own [`proto`].
//!
//! Two connections: one for polls and commands, one for job streams with a small window,
//! so that what the gateway pushes beyond our reading waits at the gateway's end and not in
//! our memory. Both are made when first needed and again whenever they break; the caller
//! only ever sees a call that failed.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

mod auth;
mod convert;
mod gateway;
mod oauth;
mod process_gateway;
pub mod proto;
mod rest;
mod status;

pub use gateway::Gateway;
pub use rest::RestClient;

/// How to reach the gateway.
#[derive(Clone, Debug)]
pub struct Config {
    /// URL of the gateway: `http://host:port` or `https://host:port`.
    pub address: String,
    /// URL of the cluster's REST API, without `/v2`, where there is one.
    pub rest_address: Option<String>,
    /// PEM certificates to trust in place of the public roots.
    pub ca_file: Option<PathBuf>,
    /// The name to ask for in TLS and HTTP/2, where it is not the address's host.
    pub authority: Option<String>,
    /// Pause between HTTP/2 pings; gateways refuse less than 30 s.
    pub keep_alive: Duration,
    /// Longest wait for an answer to a command.
    pub request_timeout: Duration,
    /// Credentials.
    pub authentication: Authentication,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: "http://127.0.0.1:26500".to_owned(),
            rest_address: None,
            ca_file: None,
            authority: None,
            keep_alive: Duration::from_secs(45),
            request_timeout: Duration::from_secs(10),
            authentication: Authentication::None,
        }
    }
}

/// How the worker proves itself to the gateway.
#[derive(Clone, Debug, Default)]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic, from Camunda 8.8 on.
    Basic {
        /// User name.
        username: String,
        /// The user's password.
        password: SecretString,
    },
    /// OAuth client credentials.
    Oidc(Oidc),
}

/// An OAuth client and where it gets its tokens.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// URL of the token endpoint.
    pub token_url: String,
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretString,
    /// Audience; sent only when set.
    pub audience: Option<String>,
    /// Scope; sent only when set.
    pub scope: Option<String>,
}

/// Settings with which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("zeebe.grpc_address: '{0}' is no address: write http://host:port or https://host:port")]
    Address(String),
    /// The REST address is none.
    #[error("zeebe.rest_address: '{0}' is no address: write http://host:port or https://host:port")]
    RestAddress(String),
    /// The authority override is none.
    #[error("zeebe.authority: '{0}' is no host name")]
    Authority(String),
    /// Certificates cannot be used.
    #[error("zeebe.ca_file: {0}")]
    Tls(#[from] crate::tls::Error),
    /// The TLS settings do not fit.
    #[error("zeebe: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The client of the REST API cannot be made.
    #[error("zeebe.rest_address: {0}")]
    RestClient(String),
    /// The client of the token endpoint cannot be made.
    #[error("zeebe.auth: {0}")]
    TokenClient(String),
}
