//! A door for `benches/inbound/timing.rs`, which measures how long a check takes.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::{Authenticator, ByHeaders, Config};
use crate::ports::{Clock, SecretProvider};

/// What decides whether a request is let in. The endpoint has its own.
#[doc(hidden)]
#[derive(Debug)]
pub struct Door(Authenticator);

impl Door {
    /// One for the callers of this configuration.
    pub fn new(
        config: Config,
        secrets: Arc<dyn SecretProvider>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let door = Authenticator::new(Arc::new(config), secrets, clock).map(Self);
        door.map_err(|errors| errors.join("\n"))
    }

    /// Whether this request is let in, checked as the endpoint does it.
    pub async fn lets_in(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        match self.0.by_headers(headers).await {
            Ok(ByHeaders::Known(_)) => true,
            Ok(ByHeaders::NeedsBody) => self.0.by_body(headers, body).is_ok(),
            Err(_) => false,
        }
    }
}
