//! End to end: real engines, the built binary as the worker, the sandbox over real HTTP.
//!
//! The engines must run: `scripts/zeebe start` and `scripts/process-test-engine start`,
//! then `cargo e2e`. The names of others than the default ones come by `ZEEBE_NAME` and
//! `PROCESS_TEST_ENGINE_NAME`. Tests on one engine take turns, since workers of one job
//! type would take each other's jobs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stderr, reason = "what the worker wrote, where a test fails")]

mod campaign;
mod conformance;
mod crashes;
mod delivery;
mod in_memory;
mod inbound;
mod inputs;
mod mapping;
mod once;
mod operations;
mod support;
mod templates;
