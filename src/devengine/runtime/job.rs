//! Jobs: made for an element, ended by a worker.

use std::collections::BTreeMap;

use super::{
    Runtime,
    expression::{date_and_time, integer, names, text},
    incident::{Failure, Trouble},
    instance::Work,
    step::Step,
    variables::{document, variables},
};
use crate::{
    devengine::{
        bpmn::model::{Assignment, Element, JobWork},
        record::{Event, JobFailure, Key, NewJob, Refusal, RefusalKind, ThrownError, Variables},
    },
    feel::Value,
};

/// The longest message that an incident keeps of a worker.
const LONGEST_MESSAGE: usize = 10_000;

/// Whether a worker may end a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobState {
    Open,
    Failed,
    ErrorThrown,
}

/// A job that exists.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) element: Key,
    pub(super) retries: i32,
    pub(super) state: JobState,
}

impl JobState {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "ACTIVATABLE",
            Self::Failed => "FAILED",
            Self::ErrorThrown => "ERROR_THROWN",
        }
    }
}

impl Runtime {
    /// Maps the inputs, opens the boundary events and asks for a worker.
    pub(super) fn enter_job(
        &mut self,
        key: Key,
        element: &Element,
        work: &JobWork,
    ) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let input = self.input(key);
        let job_type = text(&work.job_type, &input, self.now)?;
        let retries = integer(&work.retries, &input, self.now)?;
        let headers = self.headers(work, &input)?;
        let waits = self.plan_waits(key)?;
        let job = self.next_key();
        self.activate(key, Work::Job(job));
        self.jobs.insert(job, Job { element: key, retries, state: JobState::Open });
        if let Some(new) = self.new_job(job, key, &element.id, job_type, retries) {
            self.events.push(Event::JobCreated(NewJob { headers, ..new }));
        }
        self.open_waits(key, waits);
        Ok(())
    }

    /// The task headers, with what is to be evaluated of them; empty ones are left out.
    fn headers(&self, work: &JobWork, input: &Value) -> Result<BTreeMap<String, String>, Failure> {
        let mut headers = work.headers.clone();
        for (key, assignment) in &work.assignment {
            let value = match assignment {
                Assignment::Person(person) => text(person, input, self.now)?,
                Assignment::Candidates(list) => names(list, input, self.now)?,
                Assignment::Date(date) => date_and_time(date, input, self.now)?.unwrap_or_default(),
            };
            if !value.is_empty() {
                headers.insert(key.clone(), value);
            }
        }
        Ok(headers)
    }

    fn new_job(
        &self,
        job: Key,
        element: Key,
        element_id: &str,
        job_type: String,
        retries: i32,
    ) -> Option<NewJob> {
        let instance = self.instances.get(&element)?;
        let definition = &instance.definition;
        Some(NewJob {
            key: job,
            job_type,
            process_instance_key: instance.process_key,
            bpmn_process_id: definition.process.id.clone(),
            process_definition_version: definition.version,
            process_definition_key: definition.key,
            element_id: element_id.to_owned(),
            element_instance_key: element,
            headers: BTreeMap::new(),
            retries,
        })
    }

    pub(super) fn complete_open_job(
        &mut self,
        key: Key,
        variables: Variables,
    ) -> Result<(), Refusal> {
        let element = self.open_job(key, "complete")?;
        self.jobs.remove(&key);
        if let Some(instance) = self.instances.get_mut(&element) {
            instance.work = Work::Nothing;
            instance.payload = Some(document(variables));
        }
        self.steps.push_back(Step::Complete(element));
        Ok(())
    }

    pub(super) fn fail_open_job(&mut self, key: Key, failure: JobFailure) -> Result<(), Refusal> {
        let element = self.open_job(key, "fail")?;
        self.set_local(element, document(failure.variables));
        let Some(job) = self.jobs.get_mut(&key) else { return Ok(()) };
        job.retries = failure.retries.max(0);
        if job.retries == 0 {
            job.state = JobState::Failed;
            let message = match failure.message.as_str() {
                "" => "No more retries left.".to_owned(),
                message => message.chars().take(LONGEST_MESSAGE).collect(),
            };
            self.raise(element, Trouble::NoRetries.because(message), Some(key));
        }
        Ok(())
    }

    pub(super) fn throw_from_job(&mut self, key: Key, error: ThrownError) -> Result<(), Refusal> {
        let element = self.open_job(key, "throw an error for")?;
        let variables = document(error.variables);
        match self.throw(element, &error.code, &variables) {
            Ok(()) => {
                self.jobs.remove(&key);
                if let Some(instance) = self.instances.get_mut(&element) {
                    instance.work = Work::Nothing;
                }
            }
            Err(uncaught) => {
                if let Some(job) = self.jobs.get_mut(&key) {
                    job.state = JobState::ErrorThrown;
                }
                let text = match error.message.as_str() {
                    "" => String::new(),
                    message => format!(" with message '{message}'"),
                };
                let message = format!(
                    "An error was thrown with the code '{}'{text}, but not caught. {}",
                    error.code,
                    uncaught.available()
                );
                self.raise(element, Trouble::UnhandledError.because(message), Some(key));
            }
        }
        Ok(())
    }

    pub(super) fn set_job_retries(&mut self, key: Key, retries: i32) -> Result<(), Refusal> {
        if retries < 1 {
            let message = format!(
                "Expected to update retries for job with key '{key}' with a positive amount of \
                 retries, but the amount given was '{retries}'"
            );
            return Err(Refusal::new(RefusalKind::InvalidArgument, message));
        }
        let job = self.jobs.get_mut(&key).ok_or_else(|| no_such_job(key, "update retries for"))?;
        job.retries = retries;
        Ok(())
    }

    /// The element of a job that a worker may end.
    fn open_job(&self, key: Key, verb: &str) -> Result<Key, Refusal> {
        let job = self.jobs.get(&key).ok_or_else(|| no_such_job(key, verb))?;
        if job.state != JobState::Open {
            let state = job.state.name();
            let message =
                format!("Expected to {verb} job with key '{key}', but it is in state '{state}'");
            return Err(Refusal::new(RefusalKind::FailedPrecondition, message));
        }
        Ok(job.element)
    }

    /// What a worker gets to see: everything, or the variables of these names.
    pub(super) fn variables_for_job(&self, key: Key, fetch: &[String]) -> Option<Variables> {
        let mut seen = self.visible(self.jobs.get(&key)?.element);
        if !fetch.is_empty() {
            seen.retain(|name, _| fetch.iter().any(|wanted| **wanted == **name));
        }
        Some(variables(&seen))
    }

    /// The job goes away with its element.
    pub(super) fn cancel_job_of(&mut self, element: Key) {
        let Some(instance) = self.instances.get_mut(&element) else { return };
        if let Work::Job(job) = instance.work {
            instance.work = Work::Nothing;
            self.jobs.remove(&job);
            self.events.push(Event::JobCancelled(job));
        }
    }

    /// Waits for somebody to do it, a worker or a command, unless nobody should.
    pub(super) fn enter_user_task(
        &mut self,
        key: Key,
        element: &Element,
        work: Option<&JobWork>,
    ) -> Result<(), Failure> {
        if self.options.complete_user_tasks_at_once {
            self.map_inputs(key)?;
            self.pass(key);
            return Ok(());
        }
        if let Some(work) = work {
            return self.enter_job(key, element, work);
        }
        self.map_inputs(key)?;
        let waits = self.plan_waits(key)?;
        self.activate(key, Work::UserTask);
        self.open_waits(key, waits);
        Ok(())
    }

    /// Completes an active user task.
    pub(super) fn complete_user_task_at(&mut self, key: Key, variables: Variables) {
        self.cancel_job_of(key);
        self.close_incident_of(key);
        if let Some(instance) = self.instances.get_mut(&key) {
            instance.work = Work::Nothing;
            instance.payload = Some(document(variables));
            self.steps.push_back(Step::Complete(key));
        }
    }
}

fn no_such_job(key: Key, verb: &str) -> Refusal {
    let message = format!("Expected to {verb} job with key '{key}', but no such job was found");
    Refusal::new(RefusalKind::NotFound, message)
}
