//! The way out of a call: whoever leaves says how it went.

use std::sync::Arc;

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::connection::Connection;
use crate::connector::Trouble;

/// A job that calls, or waits to.
#[derive(Debug)]
pub(super) struct Held(Arc<Connection>);

impl Held {
    pub(super) fn new(connection: &Arc<Connection>) -> Self {
        connection.joined();
        Self(Arc::clone(connection))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.left();
    }
}

/// Room for one call. Say how it ended, so that others profit from it.
#[derive(Debug)]
pub(in crate::worker) struct Room {
    held: Held,
    /// None for a probe, which goes beside the limit.
    permit: Option<OwnedSemaphorePermit>,
    is_probe: bool,
    began: Instant,
    is_told: bool,
}

impl Room {
    pub(super) fn new(held: Held, permit: Option<OwnedSemaphorePermit>) -> Self {
        let is_probe = permit.is_none();
        Self { held, permit, is_probe, began: Instant::now(), is_told: false }
    }

    /// The call ended, well or with this trouble.
    pub(in crate::worker) fn ended(mut self, trouble: Option<Trouble>) {
        self.is_told = true;
        self.held.0.ended(self.began, self.is_probe, trouble);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.is_told {
            self.held.0.abandoned(self.is_probe);
        }
        if let Some(permit) = self.permit.take() {
            self.held.0.give_back(permit);
        }
    }
}
