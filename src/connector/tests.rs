//! The core from outside: jobs and replies in, requests and outcomes out.
#![expect(clippy::needless_pass_by_value, reason = "scripts read better without ampersands")]

mod adoption;
mod create;
mod cves;
mod expressions;
mod failures;
mod find;
mod flow;
mod hostile;
mod inputs;
mod instances;
mod intent;
mod not_honoured;
mod read_and_write;
mod results;
mod secrets;
mod upsert;
