//! What runs processes: a state machine without I/O, clock or threads.
//!
//! Every command is a method that takes the time, does all that can be done without waiting
//! and leaves what happened as [`Event`]s. Semantics are Zeebe's as far as the model goes;
//! where a process would go on for ever, a step limit ends in an incident.
#![deny(clippy::disallowed_types)]

mod activity;
mod creation;
mod definition;
mod deployment;
mod events;
mod expression;
mod gateway;
mod incident;
mod instance;
mod job;
mod json;
mod mapping;
mod step;
#[cfg(test)]
mod tests;
mod variables;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
};

use jiff::Timestamp;

pub use self::deployment::Deployable;
pub use self::view::{ElementView, InstanceView};
use self::{
    definition::Definitions,
    events::{Waits, message::Kept},
    incident::OpenIncident,
    instance::{Instance, ProcessInstance},
    job::Job,
    step::Step,
    variables::document,
};
use super::{
    bpmn::model::Process,
    record::{
        CreatedInstance, Deployed, Event, JobFailure, Key, Message, NewInstance, Refusal,
        RefusalKind, ThrownError, Variables,
    },
};

/// Keys begin here, as those of a broker's partition 1.
const FIRST_KEY: Key = 1 << 51;

/// What a developer may choose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Pass user tasks as if somebody had done them.
    pub complete_user_tasks_at_once: bool,
    /// How many elements one command may enter before the process counts as a loop.
    pub step_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { complete_user_tasks_at_once: false, step_limit: 100_000 }
    }
}

/// Which variables a command sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the element alone.
    Local,
    /// Where they are defined already, else at the process.
    Outwards,
}

/// All processes and what they are at.
#[derive(Debug, Default)]
pub struct Runtime {
    options: Options,
    now: Timestamp,
    last_key: Key,
    definitions: Definitions,
    instances: BTreeMap<Key, Instance>,
    processes: BTreeMap<Key, ProcessInstance>,
    jobs: BTreeMap<Key, Job>,
    waits: Waits,
    messages: Kept,
    incidents: BTreeMap<Key, OpenIncident>,
    steps: VecDeque<Step>,
    events: Vec<Event>,
}

impl Runtime {
    /// A runtime without processes.
    pub fn new(options: Options) -> Self {
        Self { options, last_key: FIRST_KEY, ..Self::default() }
    }

    /// A key that nothing else has; the gateway's own things may have one, too.
    pub fn next_key(&mut self) -> Key {
        self.last_key += 1;
        self.last_key
    }

    /// Deploys processes, all or none; newer versions take over what starts older ones.
    pub fn deploy(
        &mut self,
        processes: Vec<Deployable>,
        now: Timestamp,
    ) -> Result<Vec<Deployed>, Refusal> {
        self.now = now;
        let mut ids = BTreeSet::new();
        let mut ready = Vec::new();
        for deployable in processes {
            if !ids.insert(deployable.process.id.clone()) {
                let message = format!("process id '{}' is used twice", deployable.process.id);
                return Err(Refusal::new(RefusalKind::InvalidArgument, message));
            }
            let starts = self.start_events(&deployable.process)?;
            ready.push((deployable, starts));
        }
        Ok(ready.into_iter().map(|(deployable, starts)| self.install(deployable, starts)).collect())
    }

    /// Starts a process instance.
    pub fn create_instance(
        &mut self,
        new: NewInstance,
        now: Timestamp,
    ) -> Result<CreatedInstance, Refusal> {
        self.command(now, |runtime| runtime.create(new))
    }

    /// Ends a process instance.
    pub fn cancel(&mut self, instance: Key, now: Timestamp) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.cancel_root(instance))
    }

    /// Publishes a message; answers its key.
    pub fn publish(&mut self, message: Message, now: Timestamp) -> Result<Key, Refusal> {
        self.command(now, |runtime| runtime.publish_message(message))
    }

    /// Broadcasts a signal; answers its key.
    pub fn broadcast(&mut self, name: &str, variables: Variables, now: Timestamp) -> Key {
        self.now = now;
        let key = self.next_key();
        self.broadcast_to_all(name, &document(variables));
        self.run();
        key
    }

    /// Completes a job.
    pub fn complete(
        &mut self,
        job: Key,
        variables: Variables,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.complete_open_job(job, variables))
    }

    /// Fails a job; without retries left it becomes an incident.
    pub fn fail(&mut self, job: Key, failure: JobFailure, now: Timestamp) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.fail_open_job(job, failure))
    }

    /// Throws a BPMN error from a job.
    pub fn throw_error(
        &mut self,
        job: Key,
        error: ThrownError,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.throw_from_job(job, error))
    }

    /// Gives a job so many retries.
    pub fn update_retries(&mut self, job: Key, retries: i32) -> Result<(), Refusal> {
        self.set_job_retries(job, retries)
    }

    /// Tries again what an incident has stopped.
    pub fn resolve_incident(&mut self, incident: Key, now: Timestamp) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.resolve(incident))
    }

    /// Sets variables at an element or process instance.
    pub fn set_variables(
        &mut self,
        element_instance: Key,
        variables: Variables,
        reach: Reach,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.command(now, |runtime| runtime.update_variables(element_instance, variables, reach))
    }

    /// Completes a user task that a process instance, or one it has called, waits at.
    pub fn complete_user_task(
        &mut self,
        instance: Key,
        element_id: &str,
        variables: Variables,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.command(now, |runtime| {
            let task = runtime.user_task(instance, element_id)?;
            runtime.complete_user_task_at(task, variables);
            Ok(())
        })
    }

    /// Fires the timers that are due. At most some thousand at once: see whether
    /// [`next_due`](Self::next_due) has passed already.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
        self.drop_expired_messages();
        self.fire_due_timers();
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.waits.first_due().map(|(due, _)| due)
    }

    /// What has happened since the last call.
    pub fn drain_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// Does a command and all that follows from it.
    fn command<T>(
        &mut self,
        now: Timestamp,
        command: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.now = now;
        let answer = command(self)?;
        self.run();
        Ok(answer)
    }
}
