//! Load on ServiceNow: what instances in trouble are asked, and what that costs the others.
//! Virtual time; the numbers are rows of the fault table.

mod beside;
mod engine;
mod instances;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use servicenow_worker::{
    connector::{self, AuthenticationTemplate, Connection, Connector},
    metrics::Metrics,
    ports::{Clock, SecretProvider, SecretUnreadable},
    servicenow::{Instance, Method},
    worker::{Config, Parts, Worker},
};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use engine::{Engine, RETRIES};
use instances::{Act, Instances, Seen};

const QUICK: Duration = Duration::from_millis(50);

/// A worker between the engine and the instances.
struct Stage {
    engine: Engine,
    instances: Instances,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    running: JoinHandle<bool>,
}

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        Ok(None)
    }
}

/// Wall time that goes with the virtual time.
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> jiff::Timestamp {
        let began: jiff::Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        began + self.0.elapsed()
    }
}

impl Stage {
    fn start(max_jobs_active: usize, instances: Instances) -> Self {
        Self::with(max_jobs_active, Duration::from_hours(24), instances)
    }

    fn with(max_jobs_active: usize, max_outage: Duration, instances: Instances) -> Self {
        let connections: BTreeMap<_, _> = instances
            .names()
            .into_iter()
            .map(|name| {
                let authentication = AuthenticationTemplate::Bearer { token: "token".to_owned() };
                let instance = Instance::parse(name, false).unwrap();
                (name.to_owned(), Connection::new(instance, authentication))
            })
            .collect();
        let config = connector::Config { connections, max_outage, ..connector::Config::default() };
        let engine = Engine::default();
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            gateway: engine.clone(),
            transport: instances.clone(),
            secrets: NoSecrets,
            clock: VirtualClock(Instant::now()),
            connector: Connector::new(config),
            metrics: Arc::clone(&metrics),
        };
        let config = Config { max_jobs_active, stream: false, ..Config::default() };
        let stop = CancellationToken::new();
        let running = tokio::spawn(Worker::new(config, parts).run(stop.clone()));
        Self { engine, instances, metrics, stop, running }
    }

    /// Waits until every job of the connection is completed; how long that took.
    async fn finish(&self, connection: &str, within: Duration) -> Duration {
        let began = Instant::now();
        let all = self.engine.jobs(connection).len();
        while self.engine.completed(connection) < all {
            let done = self.engine.completed(connection);
            assert!(began.elapsed() < within, "{done} of {all} after {within:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        began.elapsed()
    }

    /// One record a job, and no retry used.
    fn assert_whole(&self, connection: &str) {
        let jobs = self.engine.jobs(connection);
        assert!(jobs.iter().all(|job| job.retries == RETRIES), "retries were used");
        let records = self.instances.records(connection);
        assert_eq!(records.len(), jobs.len());
        assert!(records.values().all(|&inserts| inserts == 1), "a record was inserted twice");
    }

    fn figure(&self, name: &str) -> String {
        let text = self.metrics.encode().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or("none").to_owned()
    }

    async fn end(self) {
        self.stop.cancel();
        assert!(self.running.await.unwrap());
    }
}

fn one(act: impl Fn(Seen) -> Act + Send + Sync + 'static) -> Instances {
    Instances::new(vec![("dev1", Box::new(act))])
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn retry_after(seconds: u64) -> Act {
    let headers = vec![("Retry-After", seconds.to_string()), ("X-RateLimit-Rule", "r".to_owned())];
    Act::Refuse(429, headers)
}

#[tokio::test(start_paused = true)]
async fn row_10_a_rate_limit_storm_of_10000_jobs_costs_one_probe_a_window() {
    let over = seconds(300);
    let stage = Stage::start(
        64,
        one(move |seen| if seen.at < over { retry_after(60) } else { Act::Serve(QUICK) }),
    );
    stage.engine.add("dev1", 10_000);
    stage.finish("dev1", seconds(900)).await;

    stage.assert_whole("dev1");
    let refused: Vec<_> =
        stage.instances.calls("dev1").into_iter().filter(|seen| seen.at < over).collect();
    let first_round = refused.iter().filter(|seen| seen.at < seconds(1)).count();
    assert!(first_round <= 4, "{first_round} calls before the first answer");
    for window in 0..4 {
        let (from, to) = (seconds(window * 60 + 1), seconds(window * 60 + 61));
        let probes = refused.iter().filter(|seen| from <= seen.at && seen.at < to).count();
        assert!(probes <= 1, "{probes} probes in window {window}");
    }
    let calls = stage.instances.calls("dev1").len();
    assert!(calls <= 10_000 + refused.len(), "{calls} calls");
    let activations: u32 = stage.engine.jobs("dev1").iter().map(|job| job.activations).sum();
    assert!(activations <= 16_000, "{activations} activations: the worker should take fewer");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn row_10_a_reset_time_without_seconds_counts_the_same() {
    let reset: jiff::Timestamp = "2026-06-01T12:02:00Z".parse().unwrap();
    let stage = Stage::start(
        64,
        one(move |seen| {
            let headers = vec![("X-RateLimit-Reset", reset.as_second().to_string())];
            if seen.at < seconds(120) { Act::Refuse(429, headers) } else { Act::Serve(QUICK) }
        }),
    );
    stage.engine.add("dev1", 1_000);
    stage.finish("dev1", seconds(300)).await;
    stage.assert_whole("dev1");
    let early = stage.instances.calls("dev1").iter().filter(|seen| seen.at < seconds(120)).count();
    assert!(early <= 5, "{early} calls before the reset");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn row_11_a_full_queue_lowers_the_limit_and_its_end_raises_it_again() {
    let room = |at: Duration| if at < seconds(60) { 3 } else { 16 };
    let stage = Stage::start(
        64,
        one(move |seen| {
            let is_free = seen.running <= room(seen.at);
            if is_free { Act::Serve(seconds(1)) } else { Act::Refuse(429, Vec::new()) }
        }),
    );
    stage.engine.add("dev1", 1_000);
    tokio::time::sleep(seconds(60)).await;
    let calls = stage.instances.calls("dev1");
    let refused = calls.iter().filter(|seen| seen.running > 3).count();
    assert!(refused * 10 <= calls.len() * 4, "{refused} of {} calls refused", calls.len());
    assert!(stage.engine.completed("dev1") >= 90, "{}", stage.engine.completed("dev1"));
    stage.finish("dev1", seconds(600)).await;
    stage.assert_whole("dev1");
    let most = stage.instances.calls("dev1").iter().map(|seen| seen.running).max();
    assert!(most.unwrap() >= 12, "the limit came no further than {most:?}");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn row_13_half_the_calls_failing_adds_a_tenth_of_calls_and_no_record() {
    let over = seconds(200);
    let flip = std::sync::atomic::AtomicUsize::new(0);
    let stage = Stage::start(
        64,
        one(move |seen| {
            let turn = flip.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let fails = seen.at < over && seen.method == Method::Post && turn.is_multiple_of(2);
            if fails { Act::Refuse(503, Vec::new()) } else { Act::Serve(QUICK) }
        }),
    );
    for _ in 0..200 {
        stage.engine.add("dev1", 10);
        tokio::time::sleep(seconds(1)).await;
    }
    let jobs = stage.engine.jobs("dev1");
    let calls = stage.instances.calls("dev1");
    let posts = calls.iter().filter(|seen| seen.method == Method::Post).count();
    let first = jobs.iter().filter(|job| job.activations > 0).count();
    assert!(posts * 100 <= first * 110, "{posts} attempts for {first} jobs");
    stage.finish("dev1", seconds(600)).await;
    stage.assert_whole("dev1");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_first_job_is_done_in_a_moment_and_all_soon_after() {
    let back = seconds(3_600);
    let stage = Stage::start(
        64,
        one(move |seen| if seen.at < back { Act::Unreachable(QUICK) } else { Act::Serve(QUICK) }),
    );
    stage.engine.add("dev1", 1_000);
    tokio::time::sleep(seconds(3_599)).await;
    let calls = stage.instances.calls("dev1").len();
    assert!(calls <= 3_600 / 30 + 20, "{calls} calls in an hour of outage");
    assert_eq!(stage.figure("snc_breaker_state{connection=\"dev1\"}"), "2");
    // A job whose own call failed late in the outage stays away for up to 5 minutes (and a
    // quarter).
    stage.finish("dev1", seconds(376)).await;
    stage.assert_whole("dev1");
    let mut done: Vec<_> =
        stage.engine.jobs("dev1").iter().map(|job| job.completed.unwrap()).collect();
    done.sort();
    let most = done[done.len() * 95 / 100] - done[0];
    assert!(most <= seconds(30), "most of the jobs took {most:?} after the first");
    assert_eq!(stage.figure("snc_breaker_state{connection=\"dev1\"}"), "0");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_for_which_no_call_was_made_leaves_no_doubt_about_a_record() {
    let stage = Stage::start(64, one(|_| Act::Broken));
    stage.engine.add("dev1", 100);
    tokio::time::sleep(seconds(10)).await;
    let failures: Vec<_> =
        stage.engine.jobs("dev1").into_iter().flat_map(|job| job.failures).collect();
    let held_back: Vec<_> =
        failures.iter().filter(|f| f.contains("incident: no call was made")).collect();
    assert!(!held_back.is_empty(), "{failures:?}");
    for message in held_back {
        assert!(!message.contains("SN_OUTCOME_UNKNOWN"), "{message}");
    }
    let doubts: usize = stage.figure("snc_effects_total{kind=\"unknown\"}").parse().unwrap();
    let posts = stage.instances.calls("dev1");
    let posts = posts.iter().filter(|seen| seen.method == Method::Post).count();
    assert!(doubts <= posts, "{doubts} records in doubt after {posts} inserts");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_says_nothing_of_the_instance() {
    let (from, is_first) = (seconds(60), AtomicBool::new(true));
    let stage = Stage::start(
        64,
        one(move |seen| {
            let is_odd = seen.at >= from && is_first.swap(false, Ordering::Relaxed);
            if is_odd { Act::NotSent } else { Act::Unreachable(QUICK) }
        }),
    );
    stage.engine.add("dev1", 1_000);
    tokio::time::sleep(seconds(180)).await;
    let calls = stage.instances.calls("dev1");
    let odd = calls.iter().find(|seen| seen.at >= from).unwrap().at;
    let after = |time| calls.iter().filter(|seen| seen.at > odd && seen.at < odd + time).count();
    // The next job finds out; then each 30 s.
    assert!(after(seconds(25)) <= 2, "{} calls soon after", after(seconds(25)));
    assert!(after(seconds(120)) <= 6, "{} calls in two minutes", after(seconds(120)));
    stage.running.abort();
}

#[tokio::test(start_paused = true)]
async fn an_outage_beyond_the_limit_ends_in_an_incident_that_says_since_when() {
    let stage = Stage::with(64, seconds(600), one(|_| Act::Unreachable(QUICK)));
    stage.engine.add("dev1", 3);
    tokio::time::sleep(seconds(1_300)).await;
    for job in stage.engine.jobs("dev1") {
        assert_eq!(job.retries, 0, "{:?}", job.failures);
        let last = job.failures.last().unwrap();
        assert!(last.contains("since 2026-06-01T12:0"), "{last}");
    }
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_burst_after_a_long_pause_is_not_turned_away() {
    let act: fn() -> Box<dyn Fn(Seen) -> Act + Send + Sync> =
        || Box::new(|_| Act::Serve(Duration::from_millis(100)));
    let stage = Stage::start(64, Instances::new(vec![("dev1", act()), ("other", act())]));
    stage.engine.add("dev1", 1);
    stage.engine.add("other", 1);
    tokio::time::sleep(seconds(600)).await;
    stage.engine.add("dev1", 60);
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(stage.engine.completed("dev1"), 61);
    assert!(stage.engine.jobs("dev1").iter().all(|job| job.activations == 1));
    stage.running.abort();
}
