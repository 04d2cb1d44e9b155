//! The worker: takes jobs, runs them, reports how they ended.
//!
//! One budget of slots bounds everything: a slot is taken before a job is asked for and
//! lives in the job until its command is out (`slots`). Jobs come by push (`streamer`)
//! and by poll (`poller`), since only polling drains what was created while no stream
//! was open. `executor` drives one job through the connector's exchange, `lease` keeps
//! its lock alive meanwhile, `holdings` sees to it that it is worked on once, `governor`
//! spares instances in trouble, `reporter` sends the command that ends it.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    connector::{Connector, JobType, job_types},
    job::Job,
    metrics::Metrics,
    ports::{Clock, JobGateway, SecretProvider, Subscription, Transport},
};

mod arrivals;
mod backoff;
mod executor;
mod gateway_health;
mod governor;
mod holdings;
mod lease;
mod note;
mod orphan;
mod poller;
mod reporter;
mod run_log;
mod slots;
mod streamer;

pub use gateway_health::GatewayHealth;

use arrivals::BrokerClocks;
use governor::Governor;
use holdings::Holdings;
use lease::Lease;
use reporter::HandedBack;
use slots::{Slot, Slots};

/// Fewest jobs a worker may hold: every job type keeps one slot for polling and one for
/// pushed jobs.
pub const MIN_JOBS_ACTIVE: usize = 4;

/// Time for the engine to learn that our streams have ended. It confirms that to nobody, and
/// what came back before it knew would be pushed to us again and stay locked.
const STREAMS_END: Duration = Duration::from_millis(100);

/// Settings of the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The worker's name in the engine; the same for all replicas.
    pub name: String,
    /// Most jobs held at once, over all job types.
    pub max_jobs_active: usize,
    /// How long the engine locks a job for us; extended while a job runs.
    pub job_timeout: Duration,
    /// Whether jobs are pushed besides being polled.
    pub stream: bool,
    /// How long an empty poll waits at the gateway.
    pub poll_wait: Duration,
    /// How long a stream lives before it is opened anew, so that load spreads again.
    pub stream_lifetime: Duration,
    /// How long running jobs may go on after a stop signal.
    pub shutdown_grace: Duration,
    /// Tenants whose jobs are taken; `<default>` when multi-tenancy is off.
    pub tenants: Vec<String>,
    /// Whether to ask for job leases (Camunda 8.10). All workers of a job type must agree.
    pub lease: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "servicenow-worker".to_owned(),
            max_jobs_active: 64,
            job_timeout: Duration::from_mins(1),
            stream: true,
            poll_wait: Duration::from_secs(10),
            stream_lifetime: Duration::from_hours(8),
            shutdown_grace: Duration::from_secs(70),
            tenants: vec!["<default>".to_owned()],
            lease: false,
        }
    }
}

/// What the worker is built from.
#[derive(Debug)]
pub struct Parts<G, T, S, C> {
    /// The engine.
    pub gateway: G,
    /// The way to ServiceNow.
    pub transport: T,
    /// Secrets by name.
    pub secrets: S,
    /// Wall time.
    pub clock: C,
    /// What turns jobs into requests and replies into outcomes.
    pub connector: Connector,
    /// Where figures go.
    pub metrics: Arc<Metrics>,
}

/// A worker, ready to run.
#[derive(Debug)]
pub struct Worker<G, T, S, C> {
    config: Config,
    parts: Parts<G, T, S, C>,
    slots: Slots,
    governor: Governor,
    clocks: BrokerClocks,
    holdings: Arc<Holdings>,
    health: Arc<GatewayHealth>,
    jobs: TaskTracker,
    /// Done when it was told that there are no leases.
    leases_missed: Once,
    /// Cancelled by the stop signal: nothing new is started.
    stop: CancellationToken,
    /// Cancelled after it, when no stream is open any more.
    intake_closed: CancellationToken,
}

impl<G: JobGateway, T: Transport, S: SecretProvider, C: Clock> Worker<G, T, S, C> {
    /// A worker from its parts.
    pub fn new(config: Config, parts: Parts<G, T, S, C>) -> Self {
        let slots = Slots::new(&config, job_types().len());
        parts.metrics.limit.set(config.max_jobs_active.try_into().unwrap_or(i64::MAX));
        Self {
            slots,
            governor: Governor::new(parts.connector.connections(), Arc::clone(&parts.metrics)),
            clocks: BrokerClocks::new(),
            holdings: Arc::default(),
            health: Arc::default(),
            jobs: TaskTracker::new(),
            leases_missed: Once::new(),
            stop: CancellationToken::new(),
            intake_closed: CancellationToken::new(),
            config,
            parts,
        }
    }

    /// Whether the gateway has answered, for readiness.
    pub fn health(&self) -> Arc<GatewayHealth> {
        Arc::clone(&self.health)
    }

    /// Takes and runs jobs until `shutdown`, then stops taking, hands unstarted jobs back,
    /// and lets running ones finish within the grace. Tells whether all of them did.
    pub async fn run(self, shutdown: CancellationToken) -> bool {
        let worker = Arc::new(self);
        let intake = TaskTracker::new();
        for job_type in job_types() {
            let subscription = Arc::new(worker.subscription(&job_type));
            if worker.config.stream {
                intake.spawn(streamer::run(Arc::clone(&worker), Arc::clone(&subscription)));
            }
            intake.spawn(poller::run(Arc::clone(&worker), subscription));
        }
        intake.spawn(gateway_health::greet(Arc::clone(&worker)));
        intake.close();
        shutdown.cancelled().await;
        worker.stop.cancel();
        let drained = async {
            intake.wait().await;
            if !worker.jobs.is_empty() {
                tokio::time::sleep(STREAMS_END).await;
            }
            worker.intake_closed.cancel();
            worker.jobs.close();
            worker.jobs.wait().await;
        };
        tokio::time::timeout(worker.config.shutdown_grace, drained).await.is_ok()
    }

    fn subscription(&self, job_type: &JobType) -> Subscription {
        Subscription {
            job_type: job_type.name.to_owned(),
            worker: self.config.name.clone(),
            timeout: self.config.job_timeout,
            fetch_variables: job_type.variables.iter().map(|&name| name.to_owned()).collect(),
            tenants: self.config.tenants.clone(),
            lease: self.config.lease,
        }
    }

    /// Runs a job in a task of its own. `arrival` is the earliest moment at which its lock
    /// can have begun.
    fn dispatch(self: &Arc<Self>, job: Job, slot: Slot, arrival: Instant, source: Source) {
        self.parts.metrics.activated(&job.job_type, source.as_str());
        if self.config.lease && job.id.lease.is_none() {
            self.leases_missed.call_once(|| {
                tracing::warn!(
                    "worker.lease is on, and jobs come without leases: the cluster is older than \
                     8.10 or does not give them; jobs are worked on as without that setting"
                );
            });
        }
        let worker = Arc::clone(self);
        self.jobs.spawn(async move {
            executor::run(&worker, job, slot, arrival).await;
        });
    }
}

impl<G: JobGateway, T, S, C> Worker<G, T, S, C> {
    /// Gives a job back unstarted, once the engine has no stream of ours to push it to again.
    async fn hand_back_at_the_end(&self, job: &Job, lease: &Lease) {
        crash_point!("before_hand_back");
        self.intake_closed.cancelled().await;
        crash_point!("intake_closed");
        let back = HandedBack::at_once("the worker is shutting down");
        self.hand_back(job, lease, back).await;
    }

    async fn hand_back(&self, job: &Job, lease: &Lease, back: HandedBack) {
        self.parts.metrics.job_handed_back(&job.job_type);
        reporter::hand_back(&self.parts.gateway, lease, job, back).await;
        crash_point!("handed_back");
    }
}

/// How a job came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Poll,
    Push,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Push => "push",
        }
    }
}
