//! The jobs of one stream, on their way to the transport.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;
use servicenow_worker::zeebe::proto::ActivatedJob;
use tokio::sync::mpsc;
use tonic::Status;

use super::shared::Shared;

/// Jobs on their way to one stream. Those that the transport never took are unlocked when
/// the stream ends.
pub(super) struct Pushed {
    pub(super) jobs: mpsc::Receiver<ActivatedJob>,
    /// What comes after the last job.
    pub(super) end: Option<Status>,
    pub(super) shared: Arc<Shared>,
}

impl Stream for Pushed {
    type Item = Result<ActivatedJob, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.jobs.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(job)) => {
                self.shared.counters.pushed.add(1);
                Poll::Ready(Some(Ok(job)))
            }
            Poll::Ready(None) => Poll::Ready(self.end.take().map(Err)),
        }
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        self.jobs.close();
        while let Ok(job) = self.jobs.try_recv() {
            self.shared.broker().unlock(job.key);
        }
    }
}
