//! The operations in the shape of Camunda's REST API, version 2.
//!
//! Answers carry every field that the schemas of 8.8 and 8.10 demand, keys as text.

pub(crate) mod broadcast;
pub(crate) mod cancel;
pub(crate) mod correlate;
pub(crate) mod publish;
pub(crate) mod start;
pub(crate) mod status;
