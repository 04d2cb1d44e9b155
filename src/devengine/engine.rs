//! The jobs and whoever watches them, behind one lock: every command goes through here, from
//! the wire and from this process alike.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};

use super::{
    gateway::{Jobs, Subscriber},
    note::{JobNote, JobStep, Note},
    record::{JobFailure, Key, Refusal, ThrownError, Variables},
};
use crate::{ports::Clock, zeebe::proto::ActivatedJob};

/// News that are kept for a watcher who is slow to take them.
const KEPT_NOTES: usize = 4096;
/// The tenant of everything unless told otherwise.
pub(crate) const DEFAULT_TENANT: &str = "<default>";

/// Everything that has a state.
pub(crate) struct Engine {
    jobs: Jobs,
    notes: broadcast::Sender<Note>,
    /// The last key that was given to a job of no process.
    last_key: Key,
    /// Wakes who watches the time, when something is due earlier than it waits for.
    timing: Arc<Notify>,
    awaited: Option<Instant>,
}

impl Engine {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            jobs: Jobs::new(clock),
            notes: broadcast::Sender::new(KEPT_NOTES),
            last_key: 0,
            timing: Arc::default(),
            awaited: None,
        }
    }

    /// News from now on.
    pub(crate) fn notes(&self) -> broadcast::Receiver<Note> {
        self.notes.subscribe()
    }

    /// The queue of jobs, for what concerns nothing else.
    pub(crate) fn jobs(&mut self) -> &mut Jobs {
        &mut self.jobs
    }

    /// Puts in a job of no process; gives it a key unless it has one.
    pub(crate) fn offer(&mut self, mut job: ActivatedJob) -> Key {
        if job.key == 0 {
            self.last_key += 1;
            job.key = self.last_key;
        }
        if job.tenant_id.is_empty() {
            DEFAULT_TENANT.clone_into(&mut job.tenant_id);
        }
        let key = job.key;
        self.jobs.add(job);
        self.settle();
        key
    }

    /// Locks waiting jobs for a poll.
    pub(crate) fn take(
        &mut self,
        job_type: &str,
        max: usize,
        subscriber: &Subscriber,
    ) -> Vec<ActivatedJob> {
        let jobs = self.jobs.take(job_type, max, subscriber);
        for job in &jobs {
            self.note(job, || JobStep::Activated { worker: job.worker.clone() });
        }
        self.settle();
        jobs
    }

    /// Makes a job that was pushed and never left activatable again.
    pub(crate) fn give_back(&mut self, key: Key) {
        self.jobs.unlock(key);
        self.settle();
    }

    /// `CompleteJob`.
    pub(crate) fn complete(
        &mut self,
        key: Key,
        variables: Variables,
        lease: Option<&str>,
    ) -> Result<(), Refusal> {
        self.jobs.may_end(key, lease)?;
        self.note_of(key, || JobStep::Completed { variables });
        self.jobs.remove(key);
        self.settle();
        Ok(())
    }

    /// `FailJob`.
    pub(crate) fn fail(
        &mut self,
        key: Key,
        failure: JobFailure,
        back_off: Duration,
        lease: Option<&str>,
    ) -> Result<(), Refusal> {
        self.jobs.may_end(key, lease)?;
        let retries = failure.retries;
        self.note_of(key, || JobStep::Failed { retries, message: failure.message, back_off });
        self.jobs.set_retries(key, retries);
        if retries > 0 {
            self.jobs.resume(key, back_off);
        } else {
            self.jobs.stop(key);
        }
        self.settle();
        Ok(())
    }

    /// `ThrowError`.
    pub(crate) fn throw(
        &mut self,
        key: Key,
        error: ThrownError,
        lease: Option<&str>,
    ) -> Result<(), Refusal> {
        self.jobs.may_end(key, lease)?;
        self.note_of(key, || JobStep::Thrown { code: error.code, message: error.message });
        self.jobs.remove(key);
        self.settle();
        Ok(())
    }

    /// `UpdateJobTimeout`.
    pub(crate) fn extend(
        &mut self,
        key: Key,
        timeout: Duration,
        lease: Option<&str>,
    ) -> Result<(), Refusal> {
        self.jobs.may_change(key, lease)?;
        self.jobs.extend(key, timeout)?;
        self.settle();
        Ok(())
    }

    /// Ends all locks, as if their deadlines had passed.
    pub(crate) fn expire_locks(&mut self) {
        let timed_out = self.jobs.expire_locks();
        self.timed_out(&timed_out);
    }

    /// Does what is due.
    pub(crate) fn keep_time(&mut self) {
        let timed_out = self.jobs.sweep();
        self.timed_out(&timed_out);
    }

    /// When something is due next, for whoever sleeps until then.
    pub(crate) fn await_due(&mut self) -> (Option<Instant>, Arc<Notify>) {
        self.awaited = self.jobs.next_due();
        (self.awaited, Arc::clone(&self.timing))
    }

    fn timed_out(&mut self, keys: &[Key]) {
        keys.iter().for_each(|key| self.note_of(*key, || JobStep::TimedOut));
        self.settle();
    }

    /// Draws the consequences of a change: pushes jobs, and sees that time is kept.
    fn settle(&mut self) {
        while let Some((job, stream)) = self.jobs.next_push() {
            let (key, worker) = (job.key, job.worker.clone());
            if stream.send(job) {
                self.note_of(key, || JobStep::Activated { worker });
            } else {
                self.jobs.unlock(key);
            }
        }
        let due = self.jobs.next_due();
        if due.is_some_and(|due| self.awaited.is_none_or(|awaited| due < awaited)) {
            self.awaited = due;
            self.timing.notify_one();
        }
    }

    fn note_of(&self, key: Key, step: impl FnOnce() -> JobStep) {
        if let Some(job) = self.jobs.get(key) {
            self.note(job, step);
        }
    }

    fn note(&self, job: &ActivatedJob, step: impl FnOnce() -> JobStep) {
        if self.notes.receiver_count() > 0 {
            let note = Note::Job(JobNote {
                key: job.key,
                job_type: job.r#type.clone(),
                process_instance_key: job.process_instance_key,
                element_id: job.element_id.clone(),
                step: step(),
            });
            let _nobody_left = self.notes.send(note);
        }
    }
}
