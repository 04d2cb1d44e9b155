//! An engine in memory and in virtual time, for thousands of jobs and hours of outage in a
//! second of a test. The wire is tested elsewhere; here only the order of things counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Map, Value, json};
use servicenow_worker::{
    job::{Job, JobKey, JobRef, Variables},
    outcome::Outcome,
    ports::{GatewayError, GatewayErrorKind, JobGateway, JobStream, Subscription, Topology},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

const RECORD: &str = "servicenow:record:1";
pub(super) const RETRIES: i32 = 3;

/// Clones are the same engine.
#[derive(Clone, Default)]
pub(super) struct Engine(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    jobs: BTreeMap<i64, Kept>,
    /// When a job may be handed out (again).
    due: BTreeSet<(Instant, i64)>,
    completed: BTreeMap<String, usize>,
    /// How long a call takes that need not wait for anything.
    round_trip: Duration,
}

/// A job as the engine keeps it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    variables: Map<String, Value>,
    pub(super) connection: String,
    pub(super) retries: i32,
    pub(super) activations: u32,
    pub(super) failures: Vec<String>,
    pub(super) completed: Option<Instant>,
}

impl Engine {
    /// Adds jobs that each create a record over this connection.
    pub(super) fn add(&self, connection: &str, count: usize) {
        let mut state = self.state();
        for _ in 0..count {
            let key = i64::try_from(state.jobs.len()).unwrap() + 1;
            let variables = json!({
                "operation": "create", "table": "incident", "connection": connection,
                "fields": {"short_description": "printer"},
            });
            let Value::Object(variables) = variables else { unreachable!() };
            let kept = Kept {
                variables,
                connection: connection.to_owned(),
                retries: RETRIES,
                activations: 0,
                failures: Vec::new(),
                completed: None,
            };
            state.jobs.insert(key, kept);
            state.due.insert((Instant::now(), key));
        }
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// From now on every call takes this long, as over a network to a broker that has work.
    pub(super) fn take_for_each_call(&self, round_trip: Duration) {
        self.state().round_trip = round_trip;
    }

    async fn travel(&self) {
        let round_trip = self.state().round_trip;
        if !round_trip.is_zero() {
            tokio::time::sleep(round_trip).await;
        }
    }

    /// The jobs of a connection.
    pub(super) fn jobs(&self, connection: &str) -> Vec<Kept> {
        let state = self.state();
        state.jobs.values().filter(|job| job.connection == connection).cloned().collect()
    }

    /// How many jobs of a connection are completed.
    pub(super) fn completed(&self, connection: &str) -> usize {
        self.state().completed.get(connection).copied().unwrap_or_default()
    }

    fn take(&self, most: usize) -> Vec<Job> {
        let now = Instant::now();
        let mut state = self.state();
        let due: Vec<_> =
            state.due.iter().take_while(|(due, _)| *due <= now).take(most).copied().collect();
        due.into_iter()
            .map(|entry| {
                state.due.remove(&entry);
                let job = state.jobs.get_mut(&entry.1).unwrap();
                job.activations += 1;
                activated(entry.1, job)
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}

fn activated(key: i64, job: &Kept) -> Job {
    Job {
        id: JobRef { key: JobKey(key), lease: None },
        job_type: RECORD.to_owned(),
        process_instance_key: key,
        bpmn_process_id: "process".to_owned(),
        process_definition_version: 1,
        process_definition_key: 1,
        element_id: "task".to_owned(),
        element_instance_key: key,
        custom_headers: Map::new(),
        variables: job.variables.clone(),
        deadline_ms: 0,
        retries: job.retries,
        tenant_id: "<default>".to_owned(),
        defect: None,
    }
}

impl JobGateway for Engine {
    async fn poll(
        &self,
        subscription: &Subscription,
        max_jobs: usize,
        wait: Option<Duration>,
    ) -> Result<Vec<Job>, GatewayError> {
        if subscription.job_type != RECORD {
            tokio::time::sleep(wait.unwrap_or_default()).await;
            return Ok(Vec::new());
        }
        self.travel().await;
        let end = Instant::now() + wait.unwrap_or_default();
        loop {
            let changed = self.0.changed.notified();
            let jobs = self.take(max_jobs);
            if !jobs.is_empty() || Instant::now() >= end {
                return Ok(jobs);
            }
            // Back-offs end without a notice, as in the real engine within a tenth of a second.
            let _waited = timeout(Duration::from_millis(100), changed).await;
        }
    }

    async fn stream(&self, _: &Subscription) -> Result<JobStream, GatewayError> {
        let message = "this engine pushes nothing".to_owned();
        Err(GatewayError { kind: GatewayErrorKind::Unavailable, message })
    }

    async fn report(&self, job: &JobRef, outcome: &Outcome) -> Result<(), GatewayError> {
        self.travel().await;
        let mut state = self.state();
        let state = &mut *state;
        let kept = state.jobs.get_mut(&job.key.0).unwrap();
        match outcome {
            Outcome::Complete { .. } => {
                kept.completed = Some(Instant::now());
                *state.completed.entry(kept.connection.clone()).or_default() += 1;
            }
            Outcome::Fail { retries, message, retry_backoff, variables } => {
                kept.retries = *retries;
                kept.failures.push(message.clone());
                kept.variables.extend(variables.clone());
                if *retries > 0 {
                    state.due.insert((Instant::now() + *retry_backoff, job.key.0));
                }
            }
            Outcome::ThrowError { code, .. } => panic!("no job throws: {code}"),
        }
        Ok(())
    }

    async fn extend(&self, _: &JobRef, _: Duration) -> Result<(), GatewayError> {
        Ok(())
    }

    async fn remember(&self, element: i64, variables: &Variables) -> Result<(), GatewayError> {
        let mut state = self.state();
        state.jobs.get_mut(&element).unwrap().variables.extend(variables.clone());
        Ok(())
    }

    async fn topology(&self) -> Result<Topology, GatewayError> {
        Ok(Topology { gateway_version: "8.6.0".to_owned(), brokers: 1, partitions: 1 })
    }
}
