//! Runs the tests, every play in a process of its own.
//!
//! A second play in the same process would not be the first one again: what lies below keeps
//! counters. And the clock of a process that plays is the simulation's: HTTP/2 forgets the
//! streams that it has reset after a while of `std`'s time, which nothing else here can set.

use std::{
    process::{Command, ExitCode, Output},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mad_turmoil::time::SimClocksGuard;

use crate::{campaign, named, number, setting};

/// A test by its name.
pub(crate) type Test = (&'static str, fn());

/// Plays what the environment names, or runs all tests that the arguments choose.
pub(crate) fn run() -> ExitCode {
    if let Some(seed) = number("SIM_SEED") {
        let _clock = SimClocksGuard::init();
        return campaign::replay(seed);
    }
    if let Some(name) = setting("SIM_CASE") {
        let _clock = SimClocksGuard::init();
        let (_, test) = named::CASES.iter().find(|(known, _)| *known == name).unwrap();
        test();
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|text| name.contains(text));
    let mut results = Vec::new();
    let cases: Vec<_> = named::CASES.iter().filter(|(name, _)| is_wanted(name)).collect();
    results.extend(in_parallel(&cases, |(name, _)| plays_well(name)));
    for (name, test) in campaign::TESTS.iter().filter(|(name, _)| is_wanted(name)) {
        let result = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if result { "ok" } else { "FAILED" });
        results.push(result);
    }
    sum_up(&results)
}

fn sum_up(results: &[bool]) -> ExitCode {
    let failed = results.iter().filter(|result| !**result).count();
    let (passed, out) = (results.len() - failed, named::CASES.len() + campaign::TESTS.len());
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} \
         filtered out",
        out - results.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays a case, and shows what it said.
fn plays_well(name: &str) -> bool {
    let output = in_own_process("SIM_CASE", name);
    let result = output.status.success();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}test {name} ... {}", said, if result { "ok" } else { "FAILED" });
    if !result {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    result
}

/// This program again, with one setting.
pub(crate) fn in_own_process(setting: &str, value: &str) -> Output {
    Command::new(std::env::current_exe().unwrap()).env(setting, value).output().unwrap()
}

/// What `work` makes of each item, in their order; as many at once as there are processors.
pub(crate) fn in_parallel<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    let output = work(item);
                    done.lock().unwrap().push((place, output));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, output)| output).collect()
}
