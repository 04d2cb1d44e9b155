//! Many seeds, each in a process of its own: a play twice in one process is not the same
//! twice, since some of what is below keeps counters.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use servicenow_worker::worker;

use crate::{
    case::Case,
    choice::{SHARES, points},
    fault::Class,
    report::Report,
    scene::Scene,
};

/// The name of the test that plays one seed when `SIM_SEED` says which.
const PLAYER: &str = "campaign::every_seed_keeps_the_promise_and_every_point_meets_every_fault";
/// Seeds in the short set.
const SHORT: u64 = 24;
/// What a child's report begins with.
const MARK: &str = "report: ";

/// A setting of the run.
#[expect(clippy::disallowed_methods, reason = "this is the place of this suite")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str) -> Option<u64> {
    setting(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

/// What a seed plays: two workers, calls of about a second, jobs in small bursts.
fn case(seed: u64) -> Case {
    let scene = Scene {
        jobs: 100,
        burst: 10,
        pause: Duration::from_secs(4),
        upserts: 10,
        resized: 4,
        workers: 2,
        worker: worker::Config {
            max_jobs_active: 16,
            job_timeout: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(30),
            stream_lifetime: Duration::from_mins(1),
            ..worker::Config::default()
        },
        max_concurrency: 3,
        latency: Duration::from_millis(800),
        slow: Some((20, Duration::from_secs(9))),
        ..Scene::default()
    };
    Case { seed, strikes: true, ..Case::of(scene) }
}

#[test]
fn every_seed_keeps_the_promise_and_every_point_meets_every_fault() {
    if let Some(seed) = number("SIM_SEED") {
        let report = case(seed).play();
        println!("{MARK}{}", serde_json::to_string(&report).unwrap());
        return report.assert_kept();
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SHORT);
    let reports = play_all(&(1..=seeds).collect::<Vec<_>>());
    let totals = Totals::of(&reports);
    println!("{totals}");
    let broken: Vec<_> =
        reports.iter().filter(|report| !report.breaches.is_empty()).map(told).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let missing = totals.missing();
    assert!(seeds < 2 * SHARES || missing.is_empty(), "never struck: {missing:?}");
}

#[test]
fn a_seed_plays_the_same_in_two_processes() {
    if number("SIM_SEED").is_some() {
        return;
    }
    let twice = play_all(&[1, 1, 2, 2]);
    for pair in twice.chunks(2) {
        assert_eq!(pair[0].trace, pair[1].trace, "seed {}", pair[0].seed);
    }
    assert_ne!(twice[0].trace, twice[2].trace, "another seed is another play");
}

/// Plays seeds, as many at once as there are processors, in the order given.
fn play_all(seeds: &[u64]) -> Vec<Report> {
    let next = AtomicU64::new(0);
    let reports = Mutex::new(BTreeMap::new());
    let players = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..players {
            scope.spawn(|| {
                loop {
                    let place = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                    let Some(&seed) = seeds.get(place) else { return };
                    reports.lock().unwrap().insert(place, play(seed));
                }
            });
        }
    });
    reports.into_inner().unwrap().into_values().collect()
}

/// Plays a seed in a process of its own.
fn play(seed: u64) -> Report {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", PLAYER, "--nocapture"])
        .env("SIM_SEED", seed.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.find(MARK).map(|at| &text[at + MARK.len()..]);
    let line = found.and_then(|rest| rest.lines().next()).unwrap_or_else(|| {
        panic!("seed {seed} ended without a report:\n{}", String::from_utf8_lossy(&output.stderr))
    });
    serde_json::from_str(line).unwrap()
}

fn told(report: &Report) -> String {
    format!("{report}:\n  {}", report.breaches.join("\n  "))
}

/// Figures over all seeds.
struct Totals {
    lines: Vec<String>,
    /// By point and class.
    struck: BTreeMap<(String, String), u64>,
}

impl Totals {
    fn of(reports: &[Report]) -> Self {
        let mut struck = BTreeMap::new();
        for (point, classes) in reports.iter().flat_map(|report| &report.struck) {
            for (class, times) in classes {
                *struck.entry((point.clone(), class.clone())).or_default() += times;
            }
        }
        let sum = |figure: fn(&Report) -> usize| reports.iter().map(figure).sum::<usize>();
        let faults: u64 = reports.iter().map(Report::faults).sum();
        let seconds: u64 = reports.iter().map(|report| report.simulated_seconds).sum();
        let mut lines = vec![format!(
            "{} seeds: {} jobs, {} records, {} duplicates, {faults} faults, {} kills, {} stops, \
             {} calls for {} jobs and {} doubts, {} locks ran out, {seconds} s simulated",
            reports.len(),
            sum(|report| report.jobs),
            sum(|report| report.records),
            sum(|report| report.duplicates),
            sum(|report| report.kills),
            sum(|report| report.stops),
            sum(|report| report.calls),
            sum(|report| report.jobs),
            sum(|report| report.doubts),
            sum(|report| report.lock_timeouts),
        )];
        for class in Class::ALL {
            let times: u64 = struck
                .iter()
                .filter(|((_, known), _)| *known == class.name())
                .map(|(_, times)| times)
                .sum();
            lines.push(format!("{times:>8} {}", class.name()));
        }
        let fewest = struck.values().min().copied().unwrap_or_default();
        let pairs = points().len() * Class::ALL.len();
        lines.push(format!(
            "{} points x {} classes: {} of {pairs} pairs struck, each at least {fewest} times",
            points().len(),
            Class::ALL.len(),
            struck.len(),
        ));
        Self { lines, struck }
    }

    /// Pairs of point and class that never were.
    fn missing(&self) -> Vec<(String, String)> {
        let all = points()
            .into_iter()
            .flat_map(|point| Class::ALL.map(|class| (point.to_owned(), class.name())));
        all.filter(|pair| !self.struck.contains_key(pair)).collect()
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}
