//! The figures an operator watches, in Prometheus form.
//!
//! Labels come from small fixed sets only: job types, sources, reasons, methods. Nothing a
//! process or a record contains becomes a label.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use crate::{
    connector::{Effect, Finished},
    outcome::Outcome,
    servicenow::{Method, Reply},
};

type Counters<L> = Family<L, Counter>;
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Labels of a job's arrival.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Arrival {
    job_type: String,
    source: &'static str,
}

/// Labels of figures by job type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByType {
    job_type: String,
}

/// Labels of failures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    job_type: String,
    class: &'static str,
}

/// Labels of what was done to ServiceNow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Labels of a call to ServiceNow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpCall {
    method: &'static str,
    status: &'static str,
}

/// Labels of a call to the inbound endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InboundCall {
    operation: &'static str,
    status: u16,
}

/// Labels of figures by connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByConnection {
    connection: String,
}

/// How a connection stands; the owner sets them.
#[derive(Clone, Debug, Default)]
pub struct ConnectionGauges {
    /// Calls at once, as the adaptive limit allows.
    pub limit: Gauge,
    /// 0 closed, 1 probing, 2 open.
    pub circuit: Gauge,
    /// Second attempts that may go out at once while the instance fails.
    pub retries_left: Gauge<f64, AtomicU64>,
}

/// What became of the command that ended a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandFate {
    /// The engine took it.
    Accepted,
    /// The job was gone already.
    Gone,
    /// The job was in other hands.
    Superseded,
    /// The engine did not take it.
    Unaccepted,
}

/// All figures.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    activated: Counters<Arrival>,
    completed: Counters<ByType>,
    bpmn_errors: Counters<ByType>,
    gone: Counters<ByType>,
    superseded: Counters<ByType>,
    unaccepted: Counters<ByType>,
    lost: Counters<ByType>,
    failed: Counters<Failure>,
    effects: Counters<Kind>,
    scrubs: Counter,
    http: Histograms<HttpCall>,
    inbound: Histograms<InboundCall>,
    slack: Histogram,
    in_flight: Arc<Gauge>,
    held: Arc<Held>,
    oldest: Gauge<f64, AtomicU64>,
    tasks: Gauge,
    handed_back: Counters<ByType>,
    connection_limit: Family<ByConnection, Gauge>,
    breaker_state: Family<ByConnection, Gauge>,
    retry_budget: Family<ByConnection, Gauge<f64, AtomicU64>>,
    /// Most jobs held at once.
    pub limit: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("snc"),
            activated: Family::default(),
            completed: Family::default(),
            bpmn_errors: Family::default(),
            gone: Family::default(),
            superseded: Family::default(),
            unaccepted: Family::default(),
            lost: Family::default(),
            failed: Family::default(),
            effects: Family::default(),
            scrubs: Counter::default(),
            http: Family::new_with_constructor(http_buckets),
            inbound: Family::new_with_constructor(http_buckets),
            slack: Histogram::new([1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 300.0]),
            in_flight: Arc::default(),
            held: Arc::default(),
            oldest: Gauge::default(),
            tasks: Gauge::default(),
            handed_back: Family::default(),
            connection_limit: Family::default(),
            breaker_state: Family::default(),
            retry_budget: Family::default(),
            limit: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

fn http_buckets() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("jobs_activated", "Jobs received, by source", self.activated.clone());
        let completed = self.completed.clone();
        r.register("jobs_completed_accepted", "Completions the engine accepted", completed);
        r.register("jobs_bpmn_errors", "BPMN errors the engine accepted", self.bpmn_errors.clone());
        r.register("jobs_gone", "Jobs gone before their command arrived", self.gone.clone());
        r.register("jobs_superseded", "Jobs in other hands by then", self.superseded.clone());
        r.register("jobs_unaccepted", "Commands the engine did not take", self.unaccepted.clone());
        r.register("jobs_lost", "Jobs whose lock ended unreported", self.lost.clone());
        r.register("jobs_failed", "Failures reported, by reason", self.failed.clone());
        r.register("effects", "What was done to ServiceNow, by kind", self.effects.clone());
        r.register("secret_scrubs", "Secret values masked on the way out", self.scrubs.clone());
        let help = "Calls to ServiceNow, until the answer was read";
        r.register("http_request_duration_seconds", help, self.http.clone());
        let help = "Calls to the inbound endpoint, until the answer was ready";
        r.register("inbound_request_duration_seconds", help, self.inbound.clone());
        let help = "Time left on a job's lock when its work ended";
        r.register("job_deadline_slack_seconds", help, self.slack.clone());
        r.register("inflight", "Jobs held now", Gauge::clone(&self.in_flight));
        r.register("limit", "Most jobs held at once", self.limit.clone());
        let help = "Age of the oldest job held: since its outage began, else since it came";
        r.register("oldest_job_seconds", help, self.oldest.clone());
        r.register("tasks", "Tasks of the program that are alive", self.tasks.clone());
        let help = "Jobs given back unstarted, since others need the room or the worker stops";
        r.register("jobs_handed_back", help, self.handed_back.clone());
        let help = "Most calls at once to ServiceNow now, by connection";
        r.register("connection_limit", help, self.connection_limit.clone());
        let help = "Whether calls go out: 0 yes, 1 one to find out, 2 no";
        r.register("breaker_state", help, self.breaker_state.clone());
        let help = "Second attempts that may go out at once while an instance fails";
        r.register("retry_budget", help, self.retry_budget.clone());
    }

    /// Everything in the Prometheus text form.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        self.oldest.set(self.held.oldest());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let alive = runtime.metrics().num_alive_tasks();
            self.tasks.set(alive.try_into().unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// A job arrived by `poll` or `push`.
    pub fn activated(&self, job_type: &str, source: &'static str) {
        self.activated.get_or_create(&Arrival { job_type: job_type.to_owned(), source }).inc();
    }

    /// A job is held until the guard drops.
    pub fn job_started(&self) -> InFlight {
        self.in_flight.inc();
        let since = self.held.add(Instant::now());
        InFlight { count: Arc::clone(&self.in_flight), held: Arc::clone(&self.held), since }
    }

    /// A job was given back unstarted.
    pub fn job_handed_back(&self, job_type: &str) {
        self.handed_back.get_or_create(&by_type(job_type)).inc();
    }

    /// The gauges of a configured connection.
    pub fn connection(&self, name: &str) -> ConnectionGauges {
        let labels = ByConnection { connection: name.to_owned() };
        ConnectionGauges {
            limit: self.connection_limit.get_or_create(&labels).clone(),
            circuit: self.breaker_state.get_or_create(&labels).clone(),
            retries_left: self.retry_budget.get_or_create(&labels).clone(),
        }
    }

    /// The work on a job ended, with this moment as the end of its lock.
    pub fn deadline_slack(&self, until: Instant) {
        self.slack.observe(until.saturating_duration_since(Instant::now()).as_secs_f64());
    }

    /// A job was given up because its lock had ended.
    pub fn job_lost(&self, job_type: &str) {
        self.lost.get_or_create(&by_type(job_type)).inc();
    }

    /// A job's command was sent.
    pub fn job_ended(&self, job_type: &str, finished: &Finished, fate: CommandFate) {
        self.scrubs.inc_by(finished.summary.secret_scrubs.into());
        if let Some(effect) = finished.summary.effect {
            self.effect(effect_name(effect));
        }
        if finished.summary.id_not_honoured.is_some() {
            self.effect("id_not_honoured");
        }
        let labels = by_type(job_type);
        match (fate, &finished.outcome) {
            (CommandFate::Gone, _) => self.gone.get_or_create(&labels).inc(),
            (CommandFate::Superseded, _) => self.superseded.get_or_create(&labels).inc(),
            (CommandFate::Unaccepted, _) => self.unaccepted.get_or_create(&labels).inc(),
            (_, Outcome::Complete { .. }) => self.completed.get_or_create(&labels).inc(),
            (_, Outcome::ThrowError { .. }) => self.bpmn_errors.get_or_create(&labels).inc(),
            (_, Outcome::Fail { .. }) => {
                let class = finished.summary.result.err().map_or("expression", |r| r.as_str());
                let failure = Failure { job_type: labels.job_type, class };
                self.failed.get_or_create(&failure).inc()
            }
        };
    }

    /// A record is left behind by a process instance that is gone.
    pub fn orphan(&self) {
        self.effect("orphan");
    }

    fn effect(&self, kind: &'static str) {
        self.effects.get_or_create(&Kind { kind }).inc();
    }

    /// A call to the inbound endpoint was answered.
    pub fn inbound_call(&self, operation: &'static str, status: u16, took: Duration) {
        let labels = InboundCall { operation, status };
        self.inbound.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A call to ServiceNow ended.
    pub fn http_call(&self, method: Method, reply: &Reply, took: Duration) {
        let status = match reply {
            Ok(response) => match response.status / 100 {
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                5 => "5xx",
                _ => "other",
            },
            Err(_) => "none",
        };
        let labels = HttpCall { method: method.as_str(), status };
        self.http.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// Counts a job as held for as long as it lives.
#[derive(Debug)]
pub struct InFlight {
    count: Arc<Gauge>,
    held: Arc<Held>,
    since: (Instant, u64),
}

impl InFlight {
    /// The job has been in trouble for so long already.
    pub fn is_older_by(&mut self, age: Duration) {
        let Some(since) = Instant::now().checked_sub(age) else { return };
        self.held.remove(&self.since);
        self.since = self.held.add(since);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.dec();
        self.held.remove(&self.since);
    }
}

/// The jobs held, by age; the number tells those of one moment apart.
#[derive(Debug, Default)]
struct Held(Mutex<(BTreeSet<(Instant, u64)>, u64)>);

impl Held {
    fn add(&self, since: Instant) -> (Instant, u64) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.1 += 1;
        let entry = (since, held.1);
        held.0.insert(entry);
        entry
    }

    fn remove(&self, entry: &(Instant, u64)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.remove(entry);
    }

    fn oldest(&self) -> f64 {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.0.first().map_or(0.0, |(since, _)| since.elapsed().as_secs_f64())
    }
}

fn by_type(job_type: &str) -> ByType {
    ByType { job_type: job_type.to_owned() }
}

fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Created => "created",
        Effect::Adopted => "adopted",
        Effect::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_carries_the_documented_names() {
        let metrics = Metrics::default();
        metrics.activated("servicenow:record:1", "push");
        metrics.limit.set(64);
        let held = metrics.job_started();
        let text = metrics.encode().unwrap();
        let line = r#"snc_jobs_activated_total{job_type="servicenow:record:1",source="push"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(text.contains("snc_limit 64") && text.contains("snc_inflight 1"), "{text}");
        drop(held);
        assert!(metrics.encode().unwrap().contains("snc_inflight 0"));
    }
}
