//! The campaign: two workers, a sandbox and a real broker as processes of their own, and
//! whatever can go wrong between them, at random.
//!
//! Every instance creates a record, some change or delete it, write a work note or are
//! cancelled meanwhile.
//! At the end each must have ended with exactly one record and one note, nobody else's may be
//! touched, ServiceNow not be called more often than the faults explain, and the password
//! be nowhere. The short form runs with the other suites; `scripts/campaign` runs the long
//! one, and a seed again.

mod asked;
mod audit;
mod canary;
mod deck;
mod ear;
mod link;
mod proxy;
mod replica;
mod scene;
mod servicenow;
mod stuck;
mod verdict;
mod work;

use std::{path::PathBuf, str::FromStr};

use fastrand::Rng;
use tokio::task::LocalSet;

use crate::support::stage::Stage;
use scene::Scene;

/// How large a campaign is.
#[derive(Debug)]
struct Size {
    jobs: usize,
    faults: usize,
    seed: u64,
    /// Where to keep what the processes write.
    directory: Option<PathBuf>,
}

impl Size {
    /// The short form, but for what the environment says.
    fn of_the_environment() -> Self {
        Self {
            jobs: read("CAMPAIGN_JOBS").unwrap_or(400),
            faults: read("CAMPAIGN_FAULTS").unwrap_or(66),
            seed: read("CAMPAIGN_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000)),
            directory: read("CAMPAIGN_DIR"),
        }
    }
}

fn read<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var_os(name)?.into_string().unwrap();
    let value = text.parse().ok();
    assert!(value.is_some(), "{name} cannot be '{text}'");
    value
}

#[tokio::test]
async fn random_faults_in_real_processes_leave_one_record_for_each_job() {
    let size = Size::of_the_environment();
    eprintln!("campaign: {} jobs, {} faults, seed {}", size.jobs, size.faults, size.seed);
    let stage = Stage::on_the_broker().await;
    let directory = size.directory.clone().unwrap_or_else(|| stage.directory().to_owned());
    let mut random = Rng::with_seed(size.seed);
    let deck = deck::deck(&mut random, size.faults);
    let plan = work::plan(&mut random, size.jobs);

    let whole = async {
        let mut scene = Scene::set(stage, &directory, size.seed, plan).await;
        scene.play(deck, random).await;
        scene.end().await
    };
    let verdict = LocalSet::new().run_until(whole).await;

    eprintln!("{verdict}");
    assert!(verdict.faults() >= size.faults as u64, "only {} faults struck", verdict.faults());
    let breaches = verdict.breaches();
    assert!(breaches.is_empty(), "seed {}: {breaches:#?}", size.seed);
}
