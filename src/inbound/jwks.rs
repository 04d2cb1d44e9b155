//! Key sets of foreign issuers: fetched when first needed, kept, and fetched again for a key
//! that is not among them, at most once in half a minute, whatever made-up tokens name.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    authentication::{Denied, Jwk, jwks},
    credentials::{Credential, Proof},
};

/// How long a set is used without asking again.
const KEPT: Duration = Duration::from_hours(1);
/// Shortest time between two requests for one set.
const PAUSE: Duration = Duration::from_secs(30);
/// Largest document.
const MAX_BYTES: usize = 256 * 1024;

/// The sets of all issuers.
#[derive(Debug)]
pub(crate) struct KeySets(HashMap<String, KeySet>);

#[derive(Debug)]
struct KeySet {
    client: reqwest::Client,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    keys: Arc<Vec<Jwk>>,
    fetched: Option<Instant>,
    asked: Option<Instant>,
}

impl KeySets {
    /// The sets that credentials name.
    pub(crate) fn new(credentials: &[Credential]) -> Result<Self, String> {
        let mut sets = HashMap::new();
        for credential in credentials {
            let Proof::Jwt(issuer) = &credential.proof else { continue };
            let failed = |error: String| format!("credential '{}': {error}", credential.name);
            let tls = crate::tls::client_config(issuer.ca_file.as_deref())
                .map_err(|error| failed(error.to_string()))?;
            let client = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(Duration::from_secs(5))
                .build()
                .map_err(|error| failed(error.to_string()))?;
            let set = KeySet { client, latest: Mutex::default() };
            sets.insert(issuer.jwks_url.clone(), set);
        }
        Ok(Self(sets))
    }

    /// The keys that may have signed a token: the one it names, or all when it names none.
    pub(crate) async fn find(&self, url: &str, key_id: Option<&str>) -> Result<Vec<Jwk>, Denied> {
        let Some(set) = self.0.get(url) else { return Ok(Vec::new()) };
        let fits = |key: &&Jwk| key_id.is_none() || key.id.is_none() || key.id.as_deref() == key_id;
        // One at a time: whoever comes meanwhile finds what the first one fetched.
        let mut latest = set.latest.lock().await;
        let is_fresh = latest.fetched.is_some_and(|at| at.elapsed() < KEPT);
        let found: Vec<Jwk> = latest.keys.iter().filter(fits).cloned().collect();
        let may_ask = latest.asked.is_none_or(|at| at.elapsed() >= PAUSE);
        if (is_fresh && !found.is_empty()) || !may_ask {
            return Ok(found);
        }
        latest.asked = Some(Instant::now());
        match fetch(&set.client, url).await {
            Ok(keys) => {
                latest.keys = Arc::new(keys);
                latest.fetched = Some(Instant::now());
            }
            Err(error) => tracing::warn!(url, error, "the issuer's keys cannot be fetched"),
        }
        Ok(latest.keys.iter().filter(fits).cloned().collect())
    }
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<Jwk>, String> {
    let shown = |error: reqwest::Error| error.without_url().to_string();
    let mut response = client.get(url).send().await.map_err(shown)?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status()));
    }
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(shown)? {
        document.extend_from_slice(&chunk);
        if document.len() > MAX_BYTES {
            return Err(format!("is larger than {MAX_BYTES} bytes"));
        }
    }
    jwks(&document).ok_or_else(|| "is no JWKS document".to_owned())
}
