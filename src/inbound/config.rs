//! Settings of the endpoint.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use secrecy::SecretString;

use super::{credentials::Credential, expression::Picker, limits::Limits, route::Route};

/// Settings of the endpoint.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Nobody proves who they are; for development, on loopback only.
    pub open: bool,
    /// A proxy in front speaks TLS and says in `X-Forwarded-For` who calls.
    pub behind_proxy: bool,
    /// What stands before every path: empty, or `/a/b`.
    pub path_prefix: String,
    /// Certificate and key; without them it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// What becomes of `POST /v2/messages/correlation`.
    pub correlation: Correlation,
    /// Who may call.
    pub credentials: Vec<Credential>,
    /// The plain routes.
    pub routes: Vec<Route>,
    /// Our token endpoint.
    pub token: Token,
    /// How repeated requests are recognized.
    pub idempotency: Idempotency,
    /// What one caller, request or connection may take.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8090).into(),
            open: false,
            behind_proxy: false,
            path_prefix: String::new(),
            tls: None,
            correlation: Correlation::Publish,
            credentials: Vec::new(),
            routes: Vec::new(),
            token: Token::default(),
            idempotency: Idempotency::default(),
            limits: Limits::default(),
        }
    }
}

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What becomes of a request to correlate a message, for which gRPC has no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correlation {
    /// It goes on to the cluster's REST API.
    Forward,
    /// It becomes a message that waits for its taker.
    Publish,
    /// It is refused.
    Refuse,
}

/// Our token endpoint.
#[derive(Clone, Debug)]
pub struct Token {
    /// What signs the tokens; without it each client's own secret does.
    pub key: Option<SecretString>,
    /// The audience of the tokens.
    pub audience: String,
    /// How long a token serves.
    pub lifetime: Duration,
}

impl Default for Token {
    fn default() -> Self {
        Self {
            key: None,
            audience: "servicenow-worker".to_owned(),
            lifetime: Duration::from_hours(1),
        }
    }
}

/// How repeated requests are recognized, and what holds them off.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Headers that carry a key, the first that is there counts.
    pub headers: Vec<String>,
    /// Where the body of a REST call has a key, when no header has one.
    pub body: Option<Picker>,
    /// How long a message with a key stays known at the broker: at least as long as a sender
    /// may try again.
    pub window: Duration,
    /// The cluster refuses a second running instance of a business id.
    pub business_id_unique: bool,
    /// REST operations that take a key although nothing holds a repetition off.
    pub at_least_once: Vec<Unguarded>,
    /// How many keys are remembered.
    pub remember: usize,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self {
            headers: vec!["idempotency-key".to_owned(), "webhook-id".to_owned()],
            body: None,
            window: Duration::from_hours(24),
            business_id_unique: false,
            at_least_once: Vec::new(),
            remember: 10_000,
        }
    }
}

/// REST operations for which the engine knows no repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unguarded {
    /// Starts.
    Start,
    /// Signals.
    Signal,
    /// Correlations that go on to the cluster.
    Correlate,
}
