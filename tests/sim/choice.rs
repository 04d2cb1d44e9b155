//! Which fault strikes at which point: by the seed alone.
//!
//! A seed has its share of all pairs of point and class, and sees to them first; besides, it
//! strikes at random. The shares of eight seeds in a row cover all pairs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fastrand::Rng;
use servicenow_worker::crash_point;

use crate::{fault::Class, transport, watched};

/// Seeds that share the pairs out among them.
pub(crate) const SHARES: u64 = 8;
/// Points that few jobs pass: every other seed sees to all of their pairs.
const RARE: [&str; 4] = ["job_lost", "before_hand_back", "intake_closed", "handed_back"];
/// Times that a point is passed before it counts as common: a rare one is struck when it can.
const COMMON: u64 = 40;
/// Times that a point is passed before it can be left for another time.
const SELDOM: u64 = 8;
/// Share of common points' passes at which a fault strikes that nobody asked for.
const AT_RANDOM: f64 = 0.01;

/// All points: the worker's and those of the simulated connections.
pub(crate) fn points() -> Vec<&'static str> {
    [crash_point::POINTS.as_slice(), &transport::POINTS, &watched::POINTS].concat()
}

/// Who decides about faults.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Pairs that are to be seen to, in the order of their turn.
    wanted: Vec<(&'static str, Class)>,
    passed: BTreeMap<&'static str, u64>,
    /// How often each pair has been.
    struck: BTreeMap<(&'static str, Class), u64>,
    quiet_until: Duration,
    is_over: bool,
}

impl Choice {
    /// None at all.
    pub(crate) fn nothing() -> Self {
        Self {
            wanted: Vec::new(),
            passed: BTreeMap::new(),
            struck: BTreeMap::new(),
            quiet_until: Duration::ZERO,
            is_over: true,
        }
    }

    /// The share of a seed.
    pub(crate) fn of_seed(seed: u64, rng: &mut Rng) -> Self {
        let mut wanted = Vec::new();
        for (row, point) in (0_u64..).zip(points()) {
            for (column, class) in (0_u64..).zip(Class::ALL) {
                let shares = if RARE.contains(&point) { 2 } else { SHARES };
                if (row * 3 + column) % shares == seed % shares {
                    wanted.push((point, class));
                }
            }
        }
        rng.shuffle(&mut wanted);
        Self { wanted, is_over: false, ..Self::nothing() }
    }

    /// What strikes at a point that is passed now, out of what `may` strike.
    pub(crate) fn at(
        &mut self,
        point: &'static str,
        now: Duration,
        rng: &mut Rng,
        may: impl Fn(Class) -> bool,
    ) -> Option<Class> {
        let passed = self.passed.entry(point).or_default();
        *passed += 1;
        let is_rare = *passed <= COMMON;
        if self.is_over || (now < self.quiet_until && !is_rare) {
            return None;
        }
        let place = self.wanted.iter().position(|&(at, class)| at == point && may(class));
        let class = match place {
            // What is seldom passed may not be passed again.
            Some(place) if *passed <= SELDOM || rng.bool() => self.wanted.remove(place).1,
            _ if rng.f64() < AT_RANDOM => {
                let class = Class::ALL[rng.usize(..Class::ALL.len())];
                may(class).then_some(class)?
            }
            _ => return None,
        };
        self.quiet_until = now + Duration::from_millis(rng.u64(100..1_500));
        *self.struck.entry((point, class)).or_default() += 1;
        Some(class)
    }

    /// Strikes no more.
    pub(crate) fn ends(&mut self) {
        self.is_over = true;
    }

    /// Whether there is anything left to see to.
    pub(crate) fn wants_more(&self) -> bool {
        !self.is_over && !self.wanted.is_empty()
    }

    /// How often each pair has been.
    pub(crate) fn struck(&self) -> &BTreeMap<(&'static str, Class), u64> {
        &self.struck
    }

    /// The points that were passed.
    pub(crate) fn passed(&self) -> BTreeSet<&'static str> {
        self.passed.keys().copied().collect()
    }
}
