//! The inbound endpoint at the wire: real HTTP in, real gRPC out to the dev engine.

mod authentication;
mod bad_input;
mod binary;
mod cluster_rest;
mod copies;
mod cves;
mod docs;
mod exactly_once;
mod limits;
mod open;
mod openapi;
mod program;
mod rest;
mod rig;
mod round_trip;
mod routes;
mod schema;
mod settings;
mod signing;
mod tls;
mod tokens;
mod wire;
