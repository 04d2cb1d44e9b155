//! Many seeds, and what they amount to.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use servicenow_worker::worker;

use crate::{
    case::Case,
    choice::{SHARES, points},
    fault::Class,
    number,
    report::Report,
    runner::{Test, in_own_process, in_parallel},
    scene::Scene,
};

/// The tests of this file.
pub(crate) const TESTS: &[Test] = &[
    (
        "every_seed_keeps_the_promise_and_every_point_meets_every_fault",
        every_seed_keeps_the_promise_and_every_point_meets_every_fault,
    ),
    ("a_seed_plays_the_same_in_two_processes", a_seed_plays_the_same_in_two_processes),
];

/// Seeds in the short set.
const SHORT: u64 = 24;
/// What a play's report begins with.
const MARK: &str = "report: ";

/// What a seed plays: two workers, calls of about a second, jobs in small bursts.
///
/// In every other share of seeds work notes are written too, and flows started that may not start
/// twice, and clocks jump for no more than
/// the time by which clocks may be apart: whether a note was written is told by its time.
fn case(seed: u64) -> Case {
    let has_notes = (seed / SHARES).is_multiple_of(2);
    let (notes, flows, clock_step) =
        if has_notes { (6, 9, Duration::from_mins(2)) } else { (0, 0, Duration::from_hours(1)) };
    let scene = Scene {
        jobs: 100,
        burst: 10,
        pause: Duration::from_secs(4),
        upserts: 10,
        notes,
        flows,
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
        clock_step,
        ..Scene::default()
    };
    Case { seed, strikes: true, ..Case::of(scene) }
}

/// Plays one seed in this process.
pub(crate) fn replay(seed: u64) -> ExitCode {
    let report = case(seed).play();
    println!("{MARK}{}", serde_json::to_string(&report).unwrap());
    eprintln!("{}", told(&report));
    if report.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn every_seed_keeps_the_promise_and_every_point_meets_every_fault() {
    let seeds = number("SIM_SEEDS").unwrap_or(SHORT);
    let first = number("SIM_FROM").unwrap_or(1);
    let reports = in_parallel(&(first..first + seeds).collect::<Vec<_>>(), |seed| play(*seed));
    let totals = Totals::of(&reports);
    println!("{totals}");
    let broken: Vec<_> =
        reports.iter().filter(|report| !report.breaches.is_empty()).map(told).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let missing = totals.missing();
    assert!(seeds < 3 * SHARES || missing.is_empty(), "never struck: {missing:?}");
}

fn a_seed_plays_the_same_in_two_processes() {
    let twice = in_parallel(&[1, 1, 2, 2, 3, 3], |seed| play(*seed));
    for pair in twice.chunks(2) {
        assert_eq!(pair[0].trace, pair[1].trace, "seed {}", pair[0].seed);
    }
    assert_ne!(twice[0].trace, twice[2].trace, "another seed is another play");
}

/// Plays a seed in a process of its own.
fn play(seed: u64) -> Report {
    let output = in_own_process("SIM_SEED", &seed.to_string());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(MARK)).unwrap_or_else(|| {
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
            "{} seeds: {} jobs, {} records, {} duplicates, {} notes, {} of them twice, {} flows, \
             {} of them again, {} left to a person, {faults} \
             faults, {} kills, {} stops, {} calls for {} jobs and {} doubts, {} locks ran out, {seconds} s simulated",
            reports.len(),
            sum(|report| report.jobs),
            sum(|report| report.records),
            sum(|report| report.duplicates),
            sum(|report| report.notes),
            sum(|report| report.notes_twice),
            sum(|report| report.flows),
            sum(|report| report.flows_twice),
            sum(|report| report.incidents),
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
