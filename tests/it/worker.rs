//! The worker between a scripted gateway and a scripted ServiceNow.

mod governance;
mod intake;
mod lease;
mod report;
mod rig;
mod servicenow;
mod shutdown;
