//! A cap on concurrent calls per connection, so that one slow instance cannot use up the
//! worker, and the worker cannot flood an instance.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::servicenow::Endpoint;

/// Caps by connection and instance.
#[derive(Debug, Default)]
pub(super) struct Bulkheads {
    caps: Mutex<HashMap<(String, String), Arc<Semaphore>>>,
}

/// Caps kept before unused ones are dropped; inline instances could add any number.
const KEPT: usize = 256;

impl Bulkheads {
    /// Waits until a call to the endpoint may start.
    pub(super) async fn enter(&self, endpoint: &Endpoint) -> Option<OwnedSemaphorePermit> {
        self.cap(endpoint).acquire_owned().await.ok()
    }

    fn cap(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let key = (endpoint.connection.clone(), endpoint.instance.base_url().to_owned());
        let mut caps = self.caps.lock().unwrap_or_else(PoisonError::into_inner);
        if caps.len() >= KEPT && !caps.contains_key(&key) {
            caps.retain(|_, cap| Arc::strong_count(cap) > 1);
        }
        let new = || Arc::new(Semaphore::new(endpoint.max_concurrency.max(1)));
        Arc::clone(caps.entry(key).or_insert_with(new))
    }
}
