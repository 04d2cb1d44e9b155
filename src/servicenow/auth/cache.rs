//! Access tokens in memory.
//!
//! Policy:
//!
//! - One fetch at a time for a set of credentials; everybody else waits for it, or goes on
//!   with the old token while that is still good.
//! - From 80 % of its lifetime on a token is renewed in the background, from 95 % on it is
//!   not used any more.
//! - After a 401 a token is fetched anew once, however many calls met the 401. When that
//!   does not help (ServiceNow hands out the same token while it is valid), nobody tries
//!   again for a few seconds.
//! - A failure is remembered for a few seconds, so that a storm of jobs with wrong
//!   credentials costs one request and not one a job.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use tokio::time::Instant;
use tracing::debug;

use super::grant::{AccessToken, TokenKey};
use crate::servicenow::NoAnswer;

/// Most credentials whose tokens are kept; the least recently used make room.
const CAPACITY: usize = 256;

/// Tokens by credentials.
pub(in crate::servicenow) struct TokenCache {
    entries: Mutex<HashMap<TokenKey, Arc<Entry>>>,
    memory: Duration,
}

/// One set of credentials.
struct Entry {
    state: Mutex<State>,
    /// Held by whoever is fetching.
    flight: Arc<tokio::sync::Mutex<()>>,
}

struct State {
    token: Option<Kept>,
    /// The last failure, and until when it stands for new ones.
    failure: Option<(Instant, NoAnswer)>,
    /// Until when a 401 is believed without a renewal.
    in_vain_until: Option<Instant>,
    used: Instant,
}

struct Kept {
    header: HeaderValue,
    renew_at: Instant,
    good_until: Instant,
}

/// What the cache has at a moment.
enum Look {
    Good(HeaderValue),
    Ageing(HeaderValue),
    Failed(NoAnswer),
    Nothing,
}

impl TokenCache {
    /// An empty cache that remembers failures for `memory`.
    pub(in crate::servicenow) fn new(memory: Duration) -> Self {
        Self { entries: Mutex::default(), memory }
    }

    /// The token of these credentials, fetched when there is none that is good.
    pub(in crate::servicenow) async fn token<F>(
        &self,
        key: TokenKey,
        fetch: F,
    ) -> Result<HeaderValue, NoAnswer>
    where
        F: Future<Output = Result<AccessToken, NoAnswer>> + Send + 'static,
    {
        let entry = self.entry(key);
        let look = entry.state().look(Instant::now());
        match look {
            Look::Good(header) => Ok(header),
            Look::Failed(failure) => Err(failure),
            Look::Ageing(header) => {
                self.renew_in_background(entry, fetch);
                Ok(header)
            }
            Look::Nothing => {
                let _flight = entry.flight.lock().await;
                let look = entry.state().look(Instant::now());
                match look {
                    Look::Good(header) | Look::Ageing(header) => Ok(header),
                    Look::Failed(failure) => Err(failure),
                    Look::Nothing => entry.fetch(fetch, self.memory).await,
                }
            }
        }
    }

    /// Another token than `refused`, which met a 401; `None` when there is no other one.
    pub(in crate::servicenow) async fn renewed<F>(
        &self,
        key: TokenKey,
        refused: &HeaderValue,
        fetch: F,
    ) -> Option<Result<HeaderValue, NoAnswer>>
    where
        F: Future<Output = Result<AccessToken, NoAnswer>> + Send + 'static,
    {
        let entry = self.entry(key);
        let _flight = entry.flight.lock().await;
        let now = Instant::now();
        {
            let mut state = entry.state();
            match &state.token {
                Some(kept) if kept.header != *refused => return Some(Ok(kept.header.clone())),
                _ if state.in_vain_until.is_some_and(|until| now < until) => return None,
                _ => state.token = None,
            }
            if let Look::Failed(failure) = state.look(now) {
                return Some(Err(failure));
            }
        }
        match entry.fetch(fetch, self.memory).await {
            Ok(header) if header == *refused => {
                entry.state().in_vain_until = Some(Instant::now() + self.memory);
                None
            }
            fetched => Some(fetched),
        }
    }

    /// Notes that a renewed token met a 401 as well.
    pub(in crate::servicenow) fn renewed_in_vain(&self, key: TokenKey) {
        self.entry(key).state().in_vain_until = Some(Instant::now() + self.memory);
    }

    fn renew_in_background<F>(&self, entry: Arc<Entry>, fetch: F)
    where
        F: Future<Output = Result<AccessToken, NoAnswer>> + Send + 'static,
    {
        let Ok(flight) = Arc::clone(&entry.flight).try_lock_owned() else { return };
        let memory = self.memory;
        tokio::spawn(async move {
            let _flight = flight;
            if let Err(failure) = entry.fetch(fetch, memory).await {
                debug!(%failure, "token not renewed yet, the old one goes on");
            }
        });
    }

    fn entry(&self, key: TokenKey) -> Arc<Entry> {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&key) {
            entry.state().used = now;
            return Arc::clone(entry);
        }
        if entries.len() >= CAPACITY {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.state().used);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                entries.remove(&key);
            }
        }
        let state = State { token: None, failure: None, in_vain_until: None, used: now };
        let entry = Arc::new(Entry { state: Mutex::new(state), flight: Arc::default() });
        entries.insert(key, Arc::clone(&entry));
        entry
    }
}

impl Entry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches and keeps what came of it. The caller holds the flight.
    async fn fetch<F>(&self, fetch: F, memory: Duration) -> Result<HeaderValue, NoAnswer>
    where
        F: Future<Output = Result<AccessToken, NoAnswer>>,
    {
        // Counted from before the request: the endpoint counts from somewhere after it.
        let asked = Instant::now();
        let fetched = fetch.await;
        let mut state = self.state();
        match fetched {
            Ok(AccessToken { header, lifetime }) => {
                let kept = Kept {
                    header: header.clone(),
                    renew_at: asked + lifetime.mul_f64(0.8),
                    good_until: asked + lifetime.mul_f64(0.95),
                };
                state.token = Some(kept);
                state.failure = None;
                Ok(header)
            }
            Err(failure) => {
                let until = Instant::now() + memory;
                // While an old token is good, the failure only puts off the next renewal.
                if let Some(kept) = &mut state.token {
                    kept.renew_at = until;
                }
                state.failure = Some((until, failure.clone()));
                Err(failure)
            }
        }
    }
}

impl State {
    fn look(&self, now: Instant) -> Look {
        match (&self.token, &self.failure) {
            (Some(kept), _) if now < kept.renew_at.min(kept.good_until) => {
                Look::Good(kept.header.clone())
            }
            (Some(kept), _) if now < kept.good_until => Look::Ageing(kept.header.clone()),
            (_, Some((until, failure))) if now < *until => Look::Failed(failure.clone()),
            _ => Look::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
