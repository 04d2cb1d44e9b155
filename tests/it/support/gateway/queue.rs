//! The jobs of one type that wait, and the streams that wait for them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use servicenow_worker::zeebe::proto::ActivatedJob;
use tokio::sync::{Notify, mpsc};

/// Who asks for jobs, by poll or by stream.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) worker: String,
    pub(super) timeout: Duration,
    pub(super) tenants: Vec<String>,
    pub(super) lease: bool,
}

/// The jobs of one type that wait, and those who wait for them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Keys of activatable jobs; one that changed since is skipped.
    pub(super) ready: VecDeque<i64>,
    pub(super) streams: Vec<(Arc<Subscriber>, mpsc::Sender<ActivatedJob>)>,
    next_stream: usize,
    pub(super) offered: Arc<Notify>,
}

impl Subscriber {
    pub(super) fn takes(&self, tenant: &String) -> bool {
        self.tenants.is_empty() || self.tenants.contains(tenant)
    }
}

impl Queue {
    /// The next stream in turn that takes the job and has room for it.
    pub(super) fn stream_with_room(
        &mut self,
        tenant: &String,
    ) -> Option<(Arc<Subscriber>, mpsc::Sender<ActivatedJob>)> {
        self.streams.retain(|(_, jobs)| !jobs.is_closed());
        let count = self.streams.len();
        for _ in 0..count {
            self.next_stream = (self.next_stream + 1) % count;
            let (subscriber, jobs) = &self.streams[self.next_stream];
            if subscriber.takes(tenant) && jobs.capacity() > 0 {
                return Some((Arc::clone(subscriber), jobs.clone()));
            }
        }
        None
    }
}
