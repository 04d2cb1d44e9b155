//! A stand-in for a Zeebe cluster on a developer's machine: nothing is persisted, one
//! process, one partition. Production is Camunda.

pub mod bpmn;
pub mod record;
