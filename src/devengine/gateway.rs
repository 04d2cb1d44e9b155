//! The Zeebe gateway's gRPC service on a real socket, with jobs that keep the rules which
//! a worker depends on, faults on request, and a record of all that was asked.
//!
//! Jobs are locked until their time-out and come back after it, a failed job comes back
//! after its back-off, a job that has ended is not found, a push respects the back-pressure
//! of its stream, and a job that comes while no stream has room is for polls only.

mod calls;
mod connection;
mod convert;
mod faults;
mod jobs;
mod listening;
mod pushed;
mod queue;
mod service;
mod shared;

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use futures_util::Stream;
use tokio_util::sync::CancellationToken;

use self::{
    calls::Recorder,
    listening::{Listening, Socket},
    shared::Quirks,
};
pub use self::{
    calls::{Call, Count, Counters, Seen},
    faults::{Fault, Faults, Rpc},
};
pub(super) use self::{jobs::Jobs, listening::sockets, queue::Subscriber, shared::Shared};
use super::{Settings, engine::Engine, record::Key};
use crate::zeebe::proto::ActivatedJob;

/// A running gateway, with what one can do to it from within this process.
pub struct Gateway {
    shared: Arc<Shared>,
    listening: Listening,
}

impl Gateway {
    pub(super) fn start<S: Socket>(
        settings: Settings,
        engine: Engine,
        sockets: impl Stream<Item = io::Result<S>> + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            engine: Mutex::new(engine),
            faults: Faults::default(),
            counters: Counters::default(),
            recorder: Recorder::new(settings.recorded_calls),
            accepted: RwLock::default(),
            quirks: Quirks {
                never_waits: settings.never_waits,
                late_headers: settings.late_headers,
                leases: settings.leases,
                stream_capacity: settings.stream_capacity.max(1),
                multi_tenancy: settings.multi_tenancy,
                version: settings.version,
            },
            stopping: CancellationToken::new(),
        });
        let listening =
            Listening::start(settings.listen, settings.tls, Arc::clone(&shared), sockets)?;
        Ok(Self { shared, listening })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Its URL.
    pub fn address(&self) -> String {
        self.listening.url()
    }

    /// The scripted faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Figures since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// The latest calls in their order, as many as are kept.
    pub fn calls(&self) -> Vec<Seen> {
        self.shared.recorder.calls()
    }

    /// Puts in a job that belongs to no process; gives it a key unless it has one.
    pub fn offer(&self, job: ActivatedJob) -> Key {
        self.shared.engine().offer(job)
    }

    /// Hands no more jobs out, by poll or push; all other calls go on.
    pub fn withhold(&self) {
        self.shared.engine().jobs().withhold();
    }

    /// Hands jobs out again.
    pub fn give(&self) {
        self.shared.engine().jobs().give();
    }

    /// Ends all locks, as if the jobs' deadlines had passed.
    pub fn expire_locks(&self) {
        self.shared.engine().expire_locks();
    }

    /// Ends all open streams in good order.
    pub fn end_streams(&self) {
        self.shared.engine().jobs().end_streams();
    }

    /// Lets in only calls with one of these `authorization` values.
    pub fn accept_only(&self, values: &[&str]) {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        *self.shared.accepted.write().unwrap_or_else(PoisonError::into_inner) = Some(values);
    }

    /// Stops listening and cuts every connection; all else stays as it is.
    pub async fn go_away(&self) {
        self.listening.go_away().await;
    }

    /// Listens again, on the same port.
    pub async fn come_back(&self) -> io::Result<()> {
        self.listening.come_back().await
    }

    /// Jobs that have not ended.
    pub fn open_jobs(&self) -> usize {
        self.shared.engine().jobs().open()
    }

    /// Jobs that are locked for somebody now.
    pub fn locked_jobs(&self) -> usize {
        self.shared.engine().jobs().locked().0
    }

    /// The most jobs that were ever locked at once.
    pub fn most_locked_jobs(&self) -> usize {
        self.shared.engine().jobs().locked().1
    }

    /// Streams that are open now.
    pub fn open_streams(&self) -> usize {
        self.shared.engine().jobs().streams()
    }

    /// The authorities that calls have named.
    pub fn authorities(&self) -> Vec<String> {
        self.listening.authorities()
    }

    /// Ends waits and streams, lets what runs come to its end, and closes the socket.
    pub(super) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.end_streams();
        self.listening.stop().await;
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address()).finish_non_exhaustive()
    }
}
