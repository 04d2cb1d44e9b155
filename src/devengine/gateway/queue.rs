//! The jobs of one type that wait, and the streams that wait for them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc};

use crate::{
    devengine::record::Key,
    zeebe::proto::{ActivateJobsRequest, ActivatedJob, StreamActivatedJobsRequest},
};

/// Who asks for jobs, by poll or by stream.
#[derive(Debug)]
pub(crate) struct Subscriber {
    worker: String,
    timeout: Duration,
    tenants: Vec<String>,
    lease: bool,
    /// The variables to send along; all when there are none.
    fetch: Vec<String>,
}

/// One open stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(super) subscriber: Arc<Subscriber>,
    pub(super) jobs: mpsc::Sender<ActivatedJob>,
}

impl Stream {
    /// Who opened it.
    pub(crate) fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// Hands a job over; gives back false when the stream has just ended.
    pub(crate) fn send(&self, job: ActivatedJob) -> bool {
        self.jobs.try_send(job).is_ok()
    }
}

/// The jobs of one type that wait, and those who wait for them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Keys of activatable jobs; one that changed since is skipped.
    pub(super) ready: VecDeque<Key>,
    pub(super) streams: Vec<Stream>,
    next_stream: usize,
    /// Wakes waiting polls.
    pub(super) offered: Arc<Notify>,
}

impl Subscriber {
    /// Who polls.
    pub(super) fn polling(asked: &ActivateJobsRequest) -> Self {
        Self {
            worker: asked.worker.clone(),
            timeout: millis(asked.timeout),
            tenants: asked.tenant_ids.clone(),
            lease: asked.with_lease,
            fetch: asked.fetch_variable.clone(),
        }
    }

    /// Who has opened a stream.
    pub(super) fn streaming(asked: &StreamActivatedJobsRequest) -> Self {
        Self {
            worker: asked.worker.clone(),
            timeout: millis(asked.timeout),
            tenants: asked.tenant_ids.clone(),
            lease: asked.with_lease,
            fetch: asked.fetch_variable.clone(),
        }
    }

    /// The same at a gateway that gives leases, or none.
    pub(super) fn leased(self, gives: bool) -> Self {
        Self { lease: self.lease && gives, ..self }
    }

    pub(super) fn worker(&self) -> &str {
        &self.worker
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn leases(&self) -> bool {
        self.lease
    }

    /// The variables to send along; all when there are none.
    pub(crate) fn fetch(&self) -> &[String] {
        &self.fetch
    }

    /// Whether a job is for this one: of its tenants, and once leased, only for those who
    /// know leases.
    pub(super) fn takes(&self, job: &ActivatedJob) -> bool {
        let ours = self.tenants.is_empty() || self.tenants.contains(&job.tenant_id);
        ours && (self.lease || job.job_lease_token.is_none())
    }
}

impl Queue {
    /// The next stream in turn that takes the job and has room for it.
    pub(super) fn stream_with_room(&mut self, job: &ActivatedJob) -> Option<Stream> {
        self.streams.retain(|stream| !stream.jobs.is_closed());
        let count = self.streams.len();
        for _ in 0..count {
            self.next_stream = (self.next_stream + 1) % count;
            let stream = &self.streams[self.next_stream];
            if stream.subscriber.takes(job) && stream.jobs.capacity() > 0 {
                return Some(stream.clone());
            }
        }
        None
    }
}

/// Milliseconds of the protocol.
pub(super) fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(0))
}
