//! How a sandbox is set up.

use std::{fmt, sync::Arc};

use super::{error::Error, outbound, seed::Seed};
use crate::{clock::SystemClock, ports::Clock};

/// The settings of a sandbox. Its credentials are open secrets: they guard nothing.
#[derive(Clone)]
pub struct Config {
    /// The records to begin with.
    pub seed: Seed,
    /// Whether callers must say who they are.
    pub access: Access,
    /// The logins; each must be the `user_name` of a seeded user.
    pub logins: Vec<Login>,
    /// The OAuth clients.
    pub oauth_clients: Vec<OAuthClient>,
    /// API keys (`x-sn-apikey`), as login names by key.
    pub api_keys: Vec<Login>,
    /// What a second insert with the same `sys_id` gets.
    pub duplicate_id_answer: DuplicateIdAnswer,
    /// The property `glide.invalid_query.returns_no_rows`.
    pub invalid_query_returns_no_rows: bool,
    /// How many requests, and how many deliveries of business rules, the logs keep.
    pub log_capacity: usize,
    /// The limits of what business rules send.
    pub outbound: outbound::Config,
    /// Makes the generated `sys_id`s the same in every run.
    pub id_seed: Option<u64>,
    /// The time that records are stamped with.
    pub clock: Arc<dyn Clock>,
}

/// Whether callers must say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Basic, bearer or API key, as on an instance.
    #[default]
    Checked,
    /// Everybody is `admin`.
    Open,
}

/// A secret and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The `user_name`.
    pub user_name: String,
    /// The password, or the API key.
    pub secret: String,
}

/// An application registered for OAuth.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthClient {
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: String,
    /// The `user_name` behind the client-credentials grant.
    pub user_name: String,
}

/// What a second insert with the same `sys_id` gets. Which of them a live instance gives
/// is not known for sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateIdAnswer {
    /// 403 `Operation Failed` with the database's words.
    #[default]
    Forbidden,
    /// 409 with the same.
    Conflict,
    /// 500 with the same.
    ServerError,
    /// 200: the record is updated.
    Update,
}

impl Config {
    /// The demo records, the logins `admin`/`admin` and `itil`/`itil`, the OAuth client
    /// `sandbox`/`sandbox` and the API key `sandbox` (both of them `admin`).
    pub fn demo() -> Result<Self, Error> {
        Ok(Self::with_seed(Seed::demo()?))
    }

    /// As [`Config::demo`], with other records.
    pub fn with_seed(seed: Seed) -> Self {
        Self {
            seed,
            access: Access::Checked,
            logins: vec![Login::new("admin", "admin"), Login::new("itil", "itil")],
            oauth_clients: vec![OAuthClient {
                id: "sandbox".to_owned(),
                secret: "sandbox".to_owned(),
                user_name: "admin".to_owned(),
            }],
            api_keys: vec![Login::new("admin", "sandbox")],
            duplicate_id_answer: DuplicateIdAnswer::default(),
            invalid_query_returns_no_rows: false,
            log_capacity: 5_000,
            outbound: outbound::Config::default(),
            id_seed: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Login {
    /// A secret of that user.
    pub fn new(user_name: &str, secret: &str) -> Self {
        Self { user_name: user_name.to_owned(), secret: secret.to_owned() }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("access", &self.access)
            .field("logins", &self.logins)
            .field("oauth_clients", &self.oauth_clients)
            .field("duplicate_id_answer", &self.duplicate_id_answer)
            .field("invalid_query_returns_no_rows", &self.invalid_query_returns_no_rows)
            .field("log_capacity", &self.log_capacity)
            .field("outbound", &self.outbound)
            .field("id_seed", &self.id_seed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient").field("id", &self.id).finish_non_exhaustive()
    }
}
