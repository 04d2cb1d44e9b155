//! Everything that needs only Rust: one binary, real sockets.

mod architecture;
mod cli;
mod sandbox;
mod secret_store;
mod servicenow_http;
mod support;
mod worker;
mod zeebe;
