//! The jobs of one stream, on their way to the transport.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep},
};
use tonic::Status;

use super::shared::Shared;
use crate::zeebe::proto::ActivatedJob;

/// Jobs on their way to one stream. Those that the transport never took are unlocked when
/// the stream ends.
pub(crate) struct Pushed {
    jobs: mpsc::Receiver<ActivatedJob>,
    shared: Arc<Shared>,
    /// A job that was waited for before the stream began.
    first: Option<ActivatedJob>,
    /// What comes after the last job.
    end: Option<Status>,
    pace: Option<Pace>,
}

/// How slow a slow stream is.
struct Pace {
    pause: Duration,
    until: Pin<Box<Sleep>>,
}

impl Pushed {
    pub(super) fn new(jobs: mpsc::Receiver<ActivatedJob>, shared: Arc<Shared>) -> Self {
        Self { jobs, shared, first: None, end: None, pace: None }
    }

    /// Ends with this once the jobs are through.
    pub(super) fn end_with(&mut self, end: Status) {
        self.end = Some(end);
    }

    /// Lets so much time pass before each job.
    pub(super) fn slow_down(&mut self, pause: Duration) {
        self.pace = Some(Pace { pause, until: Box::pin(tokio::time::sleep(pause)) });
    }

    pub(super) async fn wait_for_the_first(&mut self) {
        self.first = self.jobs.recv().await;
    }
}

impl Stream for Pushed {
    type Item = Result<ActivatedJob, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(pace) = &mut this.pace {
            ready!(pace.until.as_mut().poll(context));
        }
        let next = match this.first.take() {
            Some(job) => Some(job),
            None => ready!(this.jobs.poll_recv(context)),
        };
        let Some(job) = next else { return Poll::Ready(this.end.take().map(Err)) };
        if let Some(pace) = &mut this.pace {
            pace.until.as_mut().reset(Instant::now() + pace.pause);
        }
        this.shared.counters.pushed.add(1);
        Poll::Ready(Some(Ok(job)))
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        self.jobs.close();
        while let Some(job) = self.first.take().or_else(|| self.jobs.try_recv().ok()) {
            self.shared.engine().give_back(job.key);
        }
    }
}

impl fmt::Debug for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushed").field("end", &self.end).finish_non_exhaustive()
    }
}
