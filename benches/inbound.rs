//! What the inbound endpoint bears: `cargo bench --bench inbound [-- SCENARIO...]`.
//!
//! The built binary serves in a process of its own; callers and the engine behind it run in
//! this process, all on loopback. Every phase ends after a count or a time. Figures are
//! printed, and only what must hold is asserted: see `docs/benchmarks.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on stops")]
#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "prints rough figures")]

#[path = "inbound/caller.rs"]
mod caller;
#[path = "inbound/engine.rs"]
mod engine;
#[path = "inbound/load.rs"]
mod load;
#[path = "worker/process.rs"]
#[allow(dead_code, reason = "the worker's benchmark needs more of it")]
mod process;
#[path = "inbound/scenarios.rs"]
mod scenarios;
#[path = "inbound/slow.rs"]
mod slow;
#[path = "inbound/stage.rs"]
mod stage;
#[path = "inbound/timing.rs"]
mod timing;

/// Runs the named scenarios, or all of them.
fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    runtime.block_on(async {
        for (name, scenario) in scenarios::ALL {
            if arguments.is_empty() || arguments.iter().any(|wanted| wanted == name) {
                println!("\n== {name}");
                scenario().await;
            }
        }
    });
}
