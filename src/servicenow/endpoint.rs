//! Where a request goes and who it is from.
#![deny(clippy::disallowed_types)]

use secrecy::SecretString;

use super::Instance;

/// The name of the connection of a job that brings its own instance and credentials.
pub const INLINE: &str = "inline";

/// An instance together with the credentials for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The configured connection's name, or [`INLINE`].
    pub connection: String,
    /// The instance.
    pub instance: Instance,
    /// The credentials, secrets already in place.
    pub authentication: Authentication,
    /// Most calls at once to this endpoint.
    pub max_concurrency: usize,
    /// Who chose the instance.
    pub chosen_by: Chooser,
}

/// Who chose an instance. It decides what addresses the instance may have, and whose
/// authorities it is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// The configured connection of this name, also when a job names the instance itself:
    /// it may be anywhere.
    Connection(String),
    /// The operator, who wrote out this very address among the allowed hosts: likewise.
    AllowedHosts,
    /// A job, within the operator's patterns: it must have public addresses, or such in
    /// networks that the operator allows.
    Job,
}

/// How the worker proves who it is. The secret parts never print.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// HTTP Basic.
    Basic {
        /// ServiceNow user.
        username: String,
        /// The user's password.
        password: SecretString,
    },
    /// A bearer token made elsewhere.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// ServiceNow's inbound API key, sent as a header.
    ApiKey {
        /// Header name; ServiceNow's own is `x-sn-apikey`.
        header: String,
        /// The key.
        key: SecretString,
    },
    /// OAuth client credentials at `/oauth_token.do`.
    OauthClientCredentials(OauthClient),
    /// OAuth resource-owner password grant at `/oauth_token.do`.
    OauthPassword {
        /// The OAuth client.
        client: OauthClient,
        /// ServiceNow user.
        username: String,
        /// The user's password.
        password: SecretString,
    },
}

impl Authentication {
    /// Whether calls need a token that is fetched first, and again when it is refused.
    pub fn fetches_tokens(&self) -> bool {
        matches!(self, Self::OauthClientCredentials(_) | Self::OauthPassword { .. })
    }
}

/// An OAuth client registered with the instance.
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretString,
    /// Requested scope, when one is needed.
    pub scope: Option<String>,
}
