//! Everything that needs only Rust: one binary, real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod architecture;
mod canary;
mod cli;
mod devengine;
mod element_templates;
mod expressions;
mod fault_table;
mod inbound;
mod sandbox;
mod secret_store;
mod servicenow_http;
mod support;
mod worker;
mod zeebe;
