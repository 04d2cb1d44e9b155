//! Records without a process: the job was cancelled while its record was being made.
//!
//! The worker takes nothing back, since people may work with the record by then: it says
//! where it is.

use super::run_log;
use crate::{
    connector::{Effect, Summary},
    job::Job,
    metrics::Metrics,
};

/// Counts and logs the record that a cancelled job leaves behind, if it does.
pub(super) fn notice(metrics: &Metrics, job: &Job, summary: &Summary) {
    if summary.table.is_none() {
        return;
    }
    let what = match summary.effect {
        None => return,
        // The attempt that made it may have ended the job as well, and only late.
        Some(Effect::Adopted) => {
            "the job is gone: its record has no process any more if the process instance was \
             cancelled"
        }
        Some(Effect::Created) => {
            metrics.orphan();
            "orphan: the process instance was cancelled while its record was created"
        }
        Some(Effect::Unknown) => {
            metrics.orphan();
            "orphan: the process instance was cancelled while its record was created; the answer \
             was lost, so that the record may or may not be there"
        }
    };
    run_log::orphan(job, summary, what);
}
