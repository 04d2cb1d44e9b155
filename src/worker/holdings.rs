//! The jobs that this process has.
//!
//! The engine hands a job out again when its lock has ended. A process whose network was held
//! up may have the earlier copy still, and cannot tell that its lock is over. Only one of the
//! copies is worked on: the one whose calls have begun, else the one with the later lock. The
//! others are dropped: they know nothing of what that one has done.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::job::{Job, JobKey};

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Holdings(Mutex<HashMap<JobKey, Holding>>);

#[derive(Debug)]
struct Holding {
    copies: usize,
    /// The latest end of a lock, by the engine's clock.
    latest: i64,
    has_begun: bool,
}

/// A job's copy, for as long as it lives.
#[derive(Debug)]
pub(super) struct Copy {
    all: Arc<Holdings>,
    key: JobKey,
    deadline: i64,
    has_begun: bool,
}

impl Holdings {
    /// One more copy of a job.
    pub(super) fn add(self: &Arc<Self>, job: &Job) -> Copy {
        let (key, deadline) = (job.id.key, job.deadline_ms);
        let mut all = self.lock();
        let holding =
            all.entry(key).or_insert(Holding { copies: 0, latest: deadline, has_begun: false });
        holding.copies += 1;
        holding.latest = holding.latest.max(deadline);
        drop(all);
        Copy { all: Arc::clone(self), key, deadline, has_begun: false }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Holding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copy {
    /// Begins with the calls for the job, or tells that they are another copy's to make.
    pub(super) fn begin(&mut self) -> bool {
        let mut all = self.all.lock();
        let Some(holding) = all.get_mut(&self.key) else { return self.has_begun };
        if !holding.has_begun && holding.latest == self.deadline {
            holding.has_begun = true;
            self.has_begun = true;
        }
        self.has_begun
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(holding) = all.get_mut(&self.key) else { return };
        holding.copies -= 1;
        if holding.copies == 0 {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Map;

    use super::Holdings;
    use crate::job::{Job, JobKey, JobRef};

    fn job(key: i64, deadline_ms: i64) -> Job {
        Job {
            id: JobRef { key: JobKey(key), lease: None },
            job_type: "servicenow:record:1".to_owned(),
            process_instance_key: 1,
            bpmn_process_id: "p".to_owned(),
            process_definition_version: 1,
            process_definition_key: 1,
            element_id: "t".to_owned(),
            element_instance_key: 1,
            custom_headers: Map::new(),
            variables: Map::new(),
            deadline_ms,
            retries: 3,
            tenant_id: "<default>".to_owned(),
            defect: None,
        }
    }

    #[test]
    fn of_two_copies_the_one_with_the_later_lock_is_worked_on() {
        let holdings = Arc::new(Holdings::default());
        let (mut late, mut early) = (holdings.add(&job(1, 20)), holdings.add(&job(1, 10)));
        let mut other = holdings.add(&job(2, 5));
        assert!(!early.begin() && other.begin() && late.begin() && late.begin());
        drop((late, early, other));
        assert!(holdings.lock().is_empty());
    }

    #[test]
    fn a_copy_that_has_begun_goes_on_and_the_later_one_never_begins() {
        let holdings = Arc::new(Holdings::default());
        let mut early = holdings.add(&job(1, 10));
        assert!(early.begin());
        let mut late = holdings.add(&job(1, 20));
        assert!(!late.begin() && early.begin());
        drop(early);
        assert!(!late.begin(), "it knows nothing of what the earlier one has done");
        drop(late);
        assert!(holdings.add(&job(1, 30)).begin());
    }
}
