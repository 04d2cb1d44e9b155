//! The worker itself under simulated time and a simulated network: crashes, cut links, lost
//! and late answers, clocks that jump, at every named point of a job's way.
//!
//! `cargo sim` plays the short set of seeds and the named cases; `SIM_SEEDS=1000 cargo sim
//! every_seed` a long one; `SIM_SEED=17 cargo sim every_seed` plays seed 17 again, event by
//! event, and `SIM_TRACE=1` besides prints the events. `docs/reliability.md` has the method.

mod campaign;
mod case;
mod choice;
mod engine;
mod fault;
mod invariants;
mod log;
mod named;
mod net;
mod report;
mod scene;
mod transport;
mod watched;
mod worker;
mod world;
