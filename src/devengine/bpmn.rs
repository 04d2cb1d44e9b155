//! BPMN as the dev engine knows it.

pub mod model;
