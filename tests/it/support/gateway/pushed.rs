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
    /// A job that was waited for before the stream began.
    pub(super) first: Option<ActivatedJob>,
    pub(super) jobs: mpsc::Receiver<ActivatedJob>,
    /// What comes after the last job.
    pub(super) end: Option<Status>,
    pub(super) shared: Arc<Shared>,
}

impl Pushed {
    pub(super) async fn wait_for_the_first(&mut self) {
        self.first = self.jobs.recv().await;
    }
}

impl Stream for Pushed {
    type Item = Result<ActivatedJob, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match self.first.take() {
            Some(job) => Poll::Ready(Some(job)),
            None => self.jobs.poll_recv(context),
        };
        match next {
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
        while let Some(job) = self.first.take().or_else(|| self.jobs.try_recv().ok()) {
            self.shared.broker().unlock(job.key);
        }
    }
}
