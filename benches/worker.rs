//! What the worker costs: `cargo bench --bench worker [-- SCENARIO...]`. `soak` takes an hour
//! (`SOAK_MINUTES` says otherwise) and runs only when it is named.
//!
//! The built binary runs as a process of its own against a scripted gateway or a real
//! broker (`ZEEBE_GRPC_ADDRESS`) and the sandbox, which run in this process. CPU time and memory are
//! the worker's alone. Figures are printed, never asserted: see `docs/benchmarks.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on stops")]
#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "prints rough figures")]

#[path = "worker/beside.rs"]
mod beside;
#[path = "../tests/it/support/gateway.rs"]
mod gateway;
#[path = "worker/noop.rs"]
mod noop;
#[path = "worker/process.rs"]
mod process;
#[path = "worker/scenarios.rs"]
mod scenarios;
#[path = "worker/soak.rs"]
mod soak;
#[path = "worker/stage.rs"]
mod stage;

/// Runs the named scenarios, or all of them.
fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, gateway] = arguments.as_slice()
        && flag == noop::FLAG
    {
        runtime.block_on(noop::run(gateway));
        return;
    }
    runtime.block_on(async {
        for (name, scenario) in scenarios::ALL {
            let is_wanted = arguments.iter().any(|wanted| wanted == name);
            if is_wanted || (arguments.is_empty() && name != soak::NAME) {
                println!("\n== {name}");
                scenario().await;
            }
        }
    });
}
