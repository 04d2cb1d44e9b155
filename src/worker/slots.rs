//! The one budget of jobs, shared by push and poll.
//!
//! Pushed jobs may not use the last share of it, so that a flood of pushes never keeps a
//! backlog from being polled. Both semaphores are first come, first served.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Config, governor::Occupancy};

/// The budget.
#[derive(Debug)]
pub(super) struct Slots {
    total: usize,
    all: Arc<Semaphore>,
    pushed: Arc<Semaphore>,
    /// Room for jobs on their way back to the engine.
    returning: Arc<Semaphore>,
    /// How many jobs a poll asks for while there is no sign of a backlog. It holds that
    /// many slots while it waits.
    idle_batch: usize,
}

/// Room for one job; dropping it frees the room.
#[derive(Debug)]
pub(super) struct Slot {
    _all: OwnedSemaphorePermit,
    _pushed: Option<OwnedSemaphorePermit>,
}

/// Room for a job for which nothing was done and which only has to be given back.
#[derive(Debug)]
pub(super) enum WayBack {
    /// Beside the slots, so that another job has the slot already.
    Own { _room: OwnedSemaphorePermit },
    /// In the slot: too many are on their way back.
    InSlot { _slot: Slot },
}

/// Most jobs asked for in one poll, so that one answer stays small.
const MAX_BATCH: usize = 32;

impl Slots {
    pub(super) fn new(config: &Config, job_types: usize) -> Self {
        let total = config.max_jobs_active.max(super::MIN_JOBS_ACTIVE);
        let reserved = if config.stream { (total / 8).max(job_types) } else { total / 2 };
        Self {
            total,
            all: Arc::new(Semaphore::new(total)),
            pushed: Arc::new(Semaphore::new(total - reserved)),
            returning: Arc::new(Semaphore::new(total)),
            idle_batch: (reserved / job_types).clamp(1, MAX_BATCH),
        }
    }

    /// How full the worker is.
    pub(super) fn occupancy(&self) -> Occupancy {
        Occupancy { free: self.all.available_permits(), total: self.total }
    }

    /// Gives up the slot of a job that only has to be given back. The engine may take its
    /// time, and there may be many such jobs where an instance is away.
    pub(super) fn on_the_way_back(&self, slot: Slot) -> WayBack {
        let own = Arc::clone(&self.returning).try_acquire_owned();
        own.map_or(WayBack::InSlot { _slot: slot }, |room| WayBack::Own { _room: room })
    }

    /// Waits for room for a pushed job.
    pub(super) async fn for_push(&self) -> Option<Slot> {
        let pushed = Arc::clone(&self.pushed).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Slot { _all: all, _pushed: Some(pushed) })
    }

    /// Waits for room for at least one polled job; takes a few while idle, all there is
    /// when a backlog is suspected.
    pub(super) async fn for_poll(&self, backlog: bool) -> Vec<Slot> {
        let wanted = if backlog { MAX_BATCH } else { self.idle_batch };
        if backlog {
            self.wait_for_a_batch().await;
        }
        let Ok(first) = Arc::clone(&self.all).acquire_owned().await else { return Vec::new() };
        let rest = std::iter::from_fn(|| Arc::clone(&self.all).try_acquire_owned().ok());
        let permits = std::iter::once(first).chain(rest.take(wanted - 1));
        permits.map(|all| Slot { _all: all, _pushed: None }).collect()
    }

    /// A full worker frees slots one by one; a short wait spares a poll for each of them.
    async fn wait_for_a_batch(&self) {
        let batch = u32::try_from(self.idle_batch).unwrap_or(1);
        let waiting = self.all.acquire_many(batch);
        if let Ok(Ok(permits)) = tokio::time::timeout(Duration::from_millis(20), waiting).await {
            drop(permits);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn slots(max_jobs_active: usize) -> Slots {
        Slots::new(&Config { max_jobs_active, ..Config::default() }, 2)
    }

    #[tokio::test]
    async fn pushed_jobs_leave_a_share_for_polling() {
        let slots = slots(64);
        let pushed: Vec<_> = std::iter::from_fn(|| slots.for_push().now_or_never()).collect();
        assert_eq!(pushed.len(), 56);
        assert_eq!(slots.for_poll(true).await.len(), 8);
    }

    #[tokio::test]
    async fn an_idle_poll_holds_only_its_part_of_the_reserve() {
        let slots = slots(64);
        let first = slots.for_poll(false).await;
        let second = slots.for_poll(false).await;
        assert_eq!((first.len(), second.len()), (4, 4));
        let pushed: Vec<_> = std::iter::from_fn(|| slots.for_push().now_or_never()).collect();
        assert_eq!(pushed.len(), 56);
    }

    #[tokio::test]
    async fn as_many_jobs_are_on_their_way_back_beside_the_slots_as_there_are_slots() {
        let slots = slots(4);
        let mut back = Vec::new();
        for _ in 0..4 {
            let slot = slots.for_push().await.unwrap();
            back.push(slots.on_the_way_back(slot));
        }
        assert_eq!(slots.occupancy().free, 4);
        let slot = slots.for_push().await.unwrap();
        let last = slots.on_the_way_back(slot);
        assert!(matches!(last, WayBack::InSlot { .. }));
        assert_eq!(slots.occupancy().free, 3);
        drop((back, last));
        assert_eq!(slots.occupancy().free, 4);
    }

    #[tokio::test]
    async fn a_dropped_slot_is_free_again() {
        let slots = slots(4);
        let held: Vec<_> = std::iter::from_fn(|| slots.for_push().now_or_never()).collect();
        assert_eq!(held.len(), 2);
        drop(held);
        assert!(slots.for_push().now_or_never().is_some());
    }
}
