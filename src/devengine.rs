//! The dev engine: a development stand-in for a Camunda cluster, with nothing persisted.

pub mod bpmn;
pub mod record;
