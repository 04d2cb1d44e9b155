//! The worker itself under simulated time and a simulated network: crashes, cut links, lost
//! and late answers, clocks that jump, at every named point of a job's way.
//!
//! `cargo sim` plays the short set of seeds and the named cases, `cargo sim TEXT` those with
//! the text in their name; `SIM_SEEDS=1000 cargo sim every_seed` plays a long set. `SIM_SEED=17
//! cargo sim` plays seed 17 again, event by event, and `SIM_TRACE=1` besides prints the
//! events. `docs/reliability.md` has the method.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on stops")]
#![allow(clippy::print_stderr, reason = "prints the trace of a play")]

mod campaign;
mod case;
mod choice;
mod engine;
mod fault;
mod flows;
mod invariants;
mod log;
mod named;
mod net;
mod report;
mod runner;
mod scene;
mod transport;
mod watched;
mod worker;
mod world;

fn main() -> std::process::ExitCode {
    runner::run()
}

/// A setting of the run.
#[expect(clippy::disallowed_methods, reason = "this is the place of this suite")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A setting that is a number.
fn number(name: &str) -> Option<u64> {
    setting(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}
