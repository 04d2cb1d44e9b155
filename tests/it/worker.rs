//! The worker between a scripted gateway and a scripted ServiceNow.

mod governance;
mod identity;
mod intake;
mod lease;
mod logs;
mod once;
mod orphans;
mod report;
mod rig;
mod servicenow;
mod shutdown;
