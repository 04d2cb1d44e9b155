//! The worker between a scripted gateway and a scripted ServiceNow.

mod intake;
mod lease;
mod once;
mod report;
mod rig;
mod servicenow;
mod shutdown;
