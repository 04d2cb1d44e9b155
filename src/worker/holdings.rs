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

use tokio::sync::Notify;

use crate::job::{Job, JobKey};

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    jobs: Mutex<HashMap<JobKey, Holding>>,
    /// Told when a copy has come to its end.
    ended: Notify,
}

#[derive(Debug)]
struct Holding {
    copies: usize,
    /// The latest end of a lock, by the engine's clock.
    latest: i64,
    work: Work,
}

/// What goes on with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// No copy has begun, or the engine knows all that the one has done that had.
    None,
    /// A copy has begun.
    Begun,
    /// It tells the engine its end.
    Ending,
}

/// A job's copy, for as long as it lives.
#[derive(Debug)]
pub(super) struct Copy {
    all: Arc<Holdings>,
    key: JobKey,
    deadline: i64,
    has_begun: bool,
}

/// Whether a copy may begin with its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Now,
    /// When another copy has ended, it is told.
    Later,
    Never,
}

impl Holdings {
    /// One more copy of a job.
    pub(super) fn add(self: &Arc<Self>, job: &Job) -> Copy {
        let (key, deadline) = (job.id.key, job.deadline_ms);
        let mut jobs = self.lock();
        let holding =
            jobs.entry(key).or_insert(Holding { copies: 0, latest: deadline, work: Work::None });
        holding.copies += 1;
        holding.latest = holding.latest.max(deadline);
        drop(jobs);
        Copy { all: Arc::clone(self), key, deadline, has_begun: false }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Holding>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copy {
    /// Whether the job's calls can still be this copy's to make.
    pub(super) fn may_begin(&self) -> bool {
        self.all.lock().get(&self.key).is_some_and(|holding| self.turn(holding) != Turn::Never)
    }

    /// Begins with the calls for the job, or tells that they are another copy's to make. Waits
    /// for one that is about to end.
    pub(super) async fn begin(&mut self) -> bool {
        loop {
            let all = Arc::clone(&self.all);
            let ended = all.ended.notified();
            match self.take_turn() {
                Turn::Now => return true,
                Turn::Later => ended.await,
                Turn::Never => return false,
            }
        }
    }

    fn take_turn(&mut self) -> Turn {
        let all = Arc::clone(&self.all);
        let mut jobs = all.lock();
        let Some(holding) = jobs.get_mut(&self.key) else { return Turn::Never };
        let turn = self.turn(holding);
        if turn == Turn::Now {
            holding.work = Work::Begun;
            self.has_begun = true;
        }
        turn
    }

    fn turn(&self, holding: &Holding) -> Turn {
        match holding.work {
            _ if self.has_begun => Turn::Now,
            Work::Ending => Turn::Later,
            Work::None if holding.latest == self.deadline => Turn::Now,
            Work::None | Work::Begun => Turn::Never,
        }
    }

    /// The end of the job is about to be told.
    pub(super) fn ending(&mut self) {
        self.set(Work::Ending);
    }

    /// It was told, and `is_back` says that the engine has given the job back to itself with
    /// all that this copy knew, while no other had it.
    pub(super) fn ended(&mut self, is_back: bool) {
        self.set(if is_back { Work::None } else { Work::Begun });
        self.has_begun &= !is_back;
        self.all.ended.notify_waiters();
    }

    fn set(&self, work: Work) {
        let mut jobs = self.all.lock();
        if let Some(holding) = jobs.get_mut(&self.key).filter(|_| self.has_begun) {
            holding.work = work;
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut jobs = self.all.lock();
        let Some(holding) = jobs.get_mut(&self.key) else { return };
        holding.copies -= 1;
        if self.has_begun {
            holding.work = Work::Begun;
        }
        if holding.copies == 0 {
            jobs.remove(&self.key);
        }
        drop(jobs);
        self.all.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use serde_json::Map;

    use super::{Copy, Holdings};
    use crate::job::{Job, JobKey, JobRef};

    fn begin(copy: &mut Copy) -> Option<bool> {
        copy.begin().now_or_never()
    }

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
        assert!(!early.may_begin() && late.may_begin());
        assert_eq!(begin(&mut early), Some(false));
        for copy in [&mut other, &mut late] {
            assert_eq!((begin(copy), begin(copy)), (Some(true), Some(true)));
        }
        drop((late, early, other));
        assert!(holdings.lock().is_empty());
    }

    #[test]
    fn a_copy_that_has_begun_goes_on_and_the_later_one_never_begins() {
        let holdings = Arc::new(Holdings::default());
        let mut early = holdings.add(&job(1, 10));
        assert_eq!(begin(&mut early), Some(true));
        let mut late = holdings.add(&job(1, 20));
        assert_eq!((begin(&mut late), begin(&mut early)), (Some(false), Some(true)));
        early.ending();
        assert_eq!(begin(&mut late), None, "it waits");
        early.ended(false);
        assert_eq!(begin(&mut late), Some(false), "it knows nothing of what the other has done");
        drop((early, late));
        assert_eq!(begin(&mut holdings.add(&job(1, 30))), Some(true));
    }

    #[test]
    fn a_copy_that_the_engine_gave_out_after_a_failure_begins_when_that_is_known() {
        let holdings = Arc::new(Holdings::default());
        let mut early = holdings.add(&job(1, 10));
        assert_eq!(begin(&mut early), Some(true));
        early.ending();
        let mut late = holdings.add(&job(1, 20));
        assert!(late.may_begin());
        let mut waiting = Box::pin(late.begin());
        assert_eq!(waiting.as_mut().now_or_never(), None);
        early.ended(true);
        assert_eq!(waiting.now_or_never(), Some(true));
        assert_eq!(begin(&mut early), Some(false));
    }
}
