//! The gateway's client under observation: what it was given, what it sends, and whether it
//! still had the right to.
//!
//! The engine's clock is the simulation's, so a job's own deadline tells when its lock ends,
//! whatever the worker thinks of it. What no worker could know is allowed for: a process
//! learns the broker's time from the jobs that it gets, so it can be wrong by as much as the
//! quickest of them all was on its way, when the job came. A command names a job, not which
//! coming of it: where a process has a job twice, the later lock counts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use servicenow_worker::{
    job::{Job, JobKey, JobRef, Variables},
    outcome::Outcome,
    ports::{GatewayError, JobGateway, JobStream, Subscription, Topology},
    zeebe::Gateway,
};

use crate::{flows, transport::midway, world::World};

/// Points of a call to the engine that lie below the worker.
pub(crate) const POINTS: [&str; 4] =
    ["poll_in_flight", "command_in_flight", "extension_in_flight", "note_in_flight"];

/// A worker's client of the gateway.
pub(crate) struct Watched {
    inner: Gateway,
    known: Known,
}

/// What is known of the locks of one process's jobs.
#[derive(Clone)]
struct Known {
    world: Arc<World>,
    locks: Arc<Mutex<Locks>>,
}

/// The jobs' locks, one for each coming, and how long the quickest job was on its way.
struct Locks {
    held: HashMap<JobKey, Vec<Lock>>,
    quickest: Duration,
}

/// When a job came, and when its lock ends by all that can be known.
struct Lock {
    came: Duration,
    until: Duration,
}

impl Watched {
    pub(crate) fn new(inner: Gateway, world: &Arc<World>) -> Self {
        let locks = Locks { held: HashMap::new(), quickest: Duration::MAX };
        let known = Known { world: Arc::clone(world), locks: Arc::new(Mutex::new(locks)) };
        Self { inner, known }
    }
}

impl Known {
    fn got(&self, job: &Job, timeout: Duration) {
        self.world.activated(job.id.key);
        let until = World::since_the_start(job.deadline_ms);
        let came = self.world.now();
        let on_its_way = (came + timeout).saturating_sub(until);
        let mut locks = self.locks.lock().unwrap();
        locks.quickest = locks.quickest.min(on_its_way);
        let until = until + locks.quickest;
        locks.held.entry(job.id.key).or_default().push(Lock { came, until });
    }

    /// Whether a command may be sent that would hit whoever holds the job.
    fn check(&self, job: &JobRef, outcome: &Outcome) {
        let what = match outcome {
            Outcome::Complete { .. } => return,
            Outcome::Fail { retries, message, .. } => {
                let is_right = self.world.expects_incidents() || flows::leaves_to_people(message);
                if *retries < 3 && !is_right {
                    self.world.violation(format!("job {} burnt a retry: {message}", job.key));
                }
                "FailJob"
            }
            Outcome::ThrowError { .. } => "ThrowError",
        };
        let locks = self.locks.lock().unwrap();
        let (known, now) = (locks.held.get(&job.key), self.world.now());
        if !known.is_some_and(|known| known.iter().any(|lock| now <= lock.until)) {
            self.world.violation(format!("job {}: {what} after the lock's end", job.key));
        }
    }
}

impl JobGateway for Watched {
    async fn poll(
        &self,
        subscription: &Subscription,
        max_jobs: usize,
        wait: Option<Duration>,
    ) -> Result<Vec<Job>, GatewayError> {
        let polling = self.inner.poll(subscription, max_jobs, wait);
        let jobs = midway("poll_in_flight", self.known.world.flight(), polling).await?;
        for job in &jobs {
            self.known.got(job, subscription.timeout);
        }
        Ok(jobs)
    }

    async fn stream(&self, subscription: &Subscription) -> Result<JobStream, GatewayError> {
        let (known, timeout) = (self.known.clone(), subscription.timeout);
        let jobs = self.inner.stream(subscription).await?;
        Ok(Box::pin(jobs.inspect(move |item| {
            if let Ok(job) = item {
                known.got(job, timeout);
            }
        })))
    }

    async fn report(&self, job: &JobRef, outcome: &Outcome) -> Result<(), GatewayError> {
        self.known.check(job, outcome);
        let reporting = self.inner.report(job, outcome);
        midway("command_in_flight", self.known.world.flight(), reporting).await
    }

    async fn extend(&self, job: &JobRef, timeout: Duration) -> Result<(), GatewayError> {
        let sent = self.known.world.now();
        let extending = self.inner.extend(job, timeout);
        let answer = midway("extension_in_flight", self.known.world.flight(), extending).await;
        let mut locks = self.known.locks.lock().unwrap();
        let known = locks.held.entry(job.key).or_default();
        let is_only_one = known.len() == 1;
        // What was sent for an earlier coming of the job tells nothing of a later one.
        if let Some(lock) = known.iter_mut().rfind(|lock| lock.came <= sent) {
            // Without an answer it may have shortened the lock, but is not known to have
            // lengthened it.
            let new = sent + timeout;
            match &answer {
                Ok(()) => lock.until = new,
                Err(_) if is_only_one => lock.until = lock.until.min(new),
                Err(_) => {}
            }
        }
        answer
    }

    async fn remember(&self, element: i64, variables: &Variables) -> Result<(), GatewayError> {
        let remembering = self.inner.remember(element, variables);
        midway("note_in_flight", self.known.world.flight(), remembering).await
    }

    async fn topology(&self) -> Result<Topology, GatewayError> {
        self.inner.topology().await
    }
}
