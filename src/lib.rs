//! `servicenow-worker`: a Camunda 8 (Zeebe) job worker for ServiceNow.
//!
//! The map of the crate; `docs/architecture.md` walks the way of a job through it.
//!
//! - pure, no I/O, no clock: [`job`], [`outcome`], [`feel`], [`servicenow`]'s words,
//!   [`connector`], [`templates`]
//! - the line where I/O begins: [`ports`]
//! - adapters behind it: [`zeebe`], [`servicenow::http`], [`secret_store`], [`clock`]
//! - engines, generic over the ports: [`worker`], [`inbound`], [`sandbox`]; [`devengine`]
//!   stands in for a cluster
//! - wiring: [`config`], [`telemetry`], [`management`], [`memory_image`], [`cli`]

#[macro_use]
pub mod crash_point;

pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod devengine;
pub mod feel;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod inbound;
pub mod job;
pub mod management;
pub mod memory_image;
pub mod metrics;
pub mod outcome;
pub mod ports;
pub mod sandbox;
pub mod secret_store;
pub mod servicenow;
pub mod telemetry;
pub mod templates;
pub mod tls;
pub mod worker;
pub mod zeebe;
