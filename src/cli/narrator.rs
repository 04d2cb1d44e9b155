//! What the worker does, told as it happens: ports that pass everything on and say so.

mod log;
mod words;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    job::{Job, JobRef, Variables},
    outcome::Outcome,
    ports::{GatewayError, JobGateway, JobStream, Subscription, Topology, Transport},
    servicenow::{Endpoint, Reply, Request},
};

pub(super) use log::listen;
pub(super) use words::{LINE, Words};

/// A piece of the story.
#[derive(Debug)]
pub(super) enum Told {
    /// The engine handed out a job.
    Job(Box<Job>),
    /// A request went to ServiceNow and this came back.
    Call(Box<Request>, Reply),
    /// The job's end goes to the engine.
    Ended(JobRef, Outcome),
    /// A line of the log.
    Logged(String),
}

/// A port with a narrator.
#[derive(Debug)]
pub(super) struct Narrated<P> {
    inner: P,
    told: UnboundedSender<Told>,
}

impl<P> Narrated<P> {
    /// The port, telling `told`.
    pub(super) fn new(inner: P, told: UnboundedSender<Told>) -> Self {
        Self { inner, told }
    }

    /// Nobody listens any more once the command is over.
    fn tell(&self, told: Told) {
        drop(self.told.send(told));
    }
}

impl<G: JobGateway> JobGateway for Narrated<G> {
    async fn poll(
        &self,
        subscription: &Subscription,
        max_jobs: usize,
        wait: Option<Duration>,
    ) -> Result<Vec<Job>, GatewayError> {
        let jobs = self.inner.poll(subscription, max_jobs, wait).await?;
        for job in &jobs {
            self.tell(Told::Job(Box::new(job.clone())));
        }
        Ok(jobs)
    }

    async fn stream(&self, subscription: &Subscription) -> Result<JobStream, GatewayError> {
        let told = self.told.clone();
        let jobs = self.inner.stream(subscription).await?.inspect(move |job| {
            if let Ok(job) = job {
                drop(told.send(Told::Job(Box::new(job.clone()))));
            }
        });
        Ok(Box::pin(jobs))
    }

    async fn report(&self, job: &JobRef, outcome: &Outcome) -> Result<(), GatewayError> {
        // Told first, since what follows from it may be told by somebody else.
        self.tell(Told::Ended(job.clone(), outcome.clone()));
        self.inner.report(job, outcome).await
    }

    async fn extend(&self, job: &JobRef, timeout: Duration) -> Result<(), GatewayError> {
        self.inner.extend(job, timeout).await
    }

    async fn remember(
        &self,
        element_instance_key: i64,
        variables: &Variables,
    ) -> Result<(), GatewayError> {
        self.inner.remember(element_instance_key, variables).await
    }

    async fn topology(&self) -> Result<Topology, GatewayError> {
        self.inner.topology().await
    }
}

impl<T: Transport> Transport for Narrated<T> {
    async fn send(&self, endpoint: &Arc<Endpoint>, request: Request) -> Reply {
        let reply = self.inner.send(endpoint, request.clone()).await;
        self.tell(Told::Call(Box::new(request), reply.clone()));
        reply
    }
}
