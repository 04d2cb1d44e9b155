//! What came out of a play, as figures and as one line of JSON between processes.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    flows,
    invariants::{self, Row},
    log::Log,
    scene::Scene,
    world::World,
};

/// The figures of a play.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    /// The fingerprint of all that happened.
    pub(crate) trace: String,
    pub(crate) jobs: usize,
    /// Records of the jobs.
    pub(crate) records: usize,
    /// Records beyond the first of a job.
    pub(crate) duplicates: usize,
    /// Work notes of the jobs.
    pub(crate) notes: usize,
    /// Work notes beyond the first of a job.
    pub(crate) notes_twice: usize,
    /// Flows that were started.
    pub(crate) flows: usize,
    /// Flows that were started again.
    pub(crate) flows_twice: usize,
    pub(crate) calls: usize,
    pub(crate) doubts: usize,
    pub(crate) activations: usize,
    pub(crate) lock_timeouts: usize,
    pub(crate) kills: usize,
    pub(crate) stops: usize,
    /// Open incidents at the end.
    pub(crate) incidents: usize,
    pub(crate) simulated_seconds: u64,
    pub(crate) log_lines: u64,
    /// How often each point was struck by each class; what waits for a call counts once it has
    /// met one.
    pub(crate) struck: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) passed: Vec<String>,
    pub(crate) breaches: Vec<String>,
}

impl Report {
    pub(crate) fn of(scene: &Scene, seed: u64, world: &World, foreign: &[Row], log: &Log) -> Self {
        let by_job = invariants::records_by_job(world);
        let records = by_job.values().sum();
        let notes_by_job = invariants::notes_by_job(world);
        let notes = notes_by_job.values().sum();
        let starts_by_job = flows::starts_by_job(world);
        let flows = starts_by_job.values().sum();
        let mut struck: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let (pairs, passed) =
            world.with_choice(|choice| (choice.struck().clone(), choice.passed()));
        for ((point, class), times) in pairs {
            struck.entry(point.to_owned()).or_default().insert(class.name(), times);
        }
        for (point, class) in world.unmet() {
            let times = struck.get_mut(point).and_then(|classes| classes.get_mut(&class.name()));
            *times.unwrap() -= 1;
        }
        for classes in struck.values_mut() {
            classes.retain(|_, times| *times > 0);
        }
        let breaches = invariants::breaches(scene, world, foreign, log);
        let books = world.books();
        Self {
            seed,
            trace: world.trace(),
            jobs: scene.jobs,
            records,
            duplicates: records - by_job.len(),
            notes,
            notes_twice: notes - notes_by_job.len(),
            flows,
            flows_twice: flows - starts_by_job.len(),
            calls: world.sandbox().requests().len(),
            doubts: books.doubts,
            activations: books.activations,
            lock_timeouts: books.lock_timeouts,
            kills: books.kills,
            stops: books.stops,
            incidents: world.engine().map_or(0, |engine| engine.incidents().len()),
            simulated_seconds: world.now().as_secs(),
            log_lines: log.seen().0,
            struck,
            passed: passed.into_iter().map(str::to_owned).collect(),
            breaches,
        }
    }

    /// Faults that struck.
    pub(crate) fn faults(&self) -> u64 {
        self.struck.values().flat_map(BTreeMap::values).sum()
    }

    /// Fails with the breaches, if there are any.
    pub(crate) fn assert_kept(&self) {
        assert!(self.breaches.is_empty(), "{self}:\n{}", self.breaches.join("\n"));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} jobs, {} records, {} duplicates, {} notes, {} of them twice, {} flows, {} of them \
             again, {} faults, {} kills, {} stops, {} calls, {} doubts, {} activations, {} locks ran out, {} s simulated, {} lines of log, trace {}",
            self.seed,
            self.jobs,
            self.records,
            self.duplicates,
            self.notes,
            self.notes_twice,
            self.flows,
            self.flows_twice,
            self.faults(),
            self.kills,
            self.stops,
            self.calls,
            self.doubts,
            self.activations,
            self.lock_timeouts,
            self.simulated_seconds,
            self.log_lines,
            &self.trace[..16],
        )
    }
}
