//! Generated from `proto/gateway.proto`, client and server. Past `convert` nothing
//! of it is seen; the server half is for test gateways.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::large_futures,
    clippy::disallowed_types,
    reason = "generated"
)]

tonic::include_proto!("gateway_protocol");
