//! Commands about jobs: the queue says whether the caller may, the runtime what comes of it.

use std::time::Duration;

use super::{DEFAULT_TENANT, Engine, as_kept};
use crate::{
    devengine::{
        gateway::Subscriber,
        note::JobStep,
        record::{JobFailure, Key, Refusal, ThrownError, Variables},
    },
    zeebe::proto::ActivatedJob,
};

impl Engine {
    /// Puts in a job of no process; gives it a key unless it has one.
    pub(crate) fn offer(&mut self, mut job: ActivatedJob) -> Key {
        if job.key == 0 {
            self.last_key += 1;
            job.key = self.last_key;
        }
        if job.tenant_id.is_empty() {
            DEFAULT_TENANT.clone_into(&mut job.tenant_id);
        }
        if job.element_instance_key == 0 {
            job.element_instance_key = job.key;
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
        let mut jobs = self.jobs.take(job_type, max, subscriber);
        for job in &mut jobs {
            self.fill(job, subscriber.fetch());
            let step = self.news(|| JobStep::Activated { worker: job.worker.clone() });
            self.tell(job.key, step);
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
        let variables = as_kept(variables);
        let step = self.news(|| JobStep::Completed { variables: variables.clone() });
        if self.jobs.is_of_process(key) {
            self.runtime.complete(key, variables, self.now())?;
        }
        self.tell(key, step);
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
        let step =
            self.news(|| JobStep::Failed { retries, message: failure.message.clone(), back_off });
        if self.jobs.is_of_process(key) {
            let failure = JobFailure { variables: as_kept(failure.variables), ..failure };
            self.runtime.fail(key, failure, self.now())?;
        } else {
            self.jobs.add_variables(key, &as_kept(failure.variables));
        }
        self.tell(key, step);
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
        let step = self
            .news(|| JobStep::Thrown { code: error.code.clone(), message: error.message.clone() });
        if self.jobs.is_of_process(key) {
            let error = ThrownError { variables: as_kept(error.variables), ..error };
            self.runtime.throw_error(key, error, self.now())?;
        }
        self.tell(key, step);
        // An error that nobody catches raises an incident, which stops the job.
        self.hand_events_on();
        if !self.jobs.is_stopped(key) {
            self.jobs.remove(key);
        }
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

    /// `UpdateJobRetries`.
    pub(crate) fn set_retries(
        &mut self,
        key: Key,
        retries: i32,
        lease: Option<&str>,
    ) -> Result<(), Refusal> {
        self.jobs.may_change(key, lease)?;
        if self.jobs.is_of_process(key) {
            self.runtime.update_retries(key, retries)?;
        }
        self.jobs.set_retries(key, retries);
        self.settle();
        Ok(())
    }
}
