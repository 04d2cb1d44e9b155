//! Runtime, jobs and whoever waits or watches, behind one lock: every command goes through
//! here, from the wire and from this process alike.
//!
//! A command asks the queue of jobs first, then the runtime; what follows from it comes back
//! as events, which [`Engine::settle`] hands on: to the queue, to those who await a result,
//! to those who watch. No call leaves before everything is settled.

mod commands;
mod numbers;
mod processes;

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, broadcast, oneshot},
    time::Instant,
};

use self::numbers::as_kept;
pub use self::processes::Deployment;
use super::{
    gateway::Jobs,
    note::{JobNote, JobStep, Note},
    record::{Ending, Event, Key, NewJob, Variables},
    runtime::Runtime,
};
use crate::{ports::Clock, zeebe::proto::ActivatedJob};

/// News that are kept for a watcher who is slow to take them.
const KEPT_NOTES: usize = 4096;
/// The tenant of everything unless told otherwise.
pub(crate) const DEFAULT_TENANT: &str = "<default>";
/// The longest sleep until a timer: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Everything that has a state.
pub(crate) struct Engine {
    runtime: Runtime,
    jobs: Jobs,
    clock: Arc<dyn Clock>,
    notes: broadcast::Sender<Note>,
    /// Who waits for the end of a process instance.
    awaiting: HashMap<Key, oneshot::Sender<Variables>>,
    /// The last key that was given to a job of no process.
    last_key: Key,
    /// Wakes who watches the time, when something is due earlier than it waits for.
    timing: Arc<Notify>,
    awaited: Option<Instant>,
}

impl Engine {
    pub(crate) fn new(clock: Arc<dyn Clock>, runtime: Runtime) -> Self {
        Self {
            runtime,
            jobs: Jobs::new(Arc::clone(&clock)),
            clock,
            notes: broadcast::Sender::new(KEPT_NOTES),
            awaiting: HashMap::new(),
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

    /// Ends all locks, as if their deadlines had passed.
    pub(crate) fn expire_locks(&mut self) {
        let timed_out = self.jobs.expire_locks();
        self.timed_out(&timed_out);
    }

    /// Does what is due.
    pub(crate) fn keep_time(&mut self) {
        self.runtime.advance(self.now());
        let timed_out = self.jobs.sweep();
        self.timed_out(&timed_out);
    }

    /// When something is due next, for whoever sleeps until then.
    pub(crate) fn await_due(&mut self) -> (Option<Instant>, Arc<Notify>) {
        self.awaited = self.next_due();
        (self.awaited, Arc::clone(&self.timing))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn next_due(&self) -> Option<Instant> {
        let timer = self.runtime.next_due().map(|due| {
            let left = Duration::try_from(due.duration_since(self.now())).unwrap_or_default();
            Instant::now() + left.min(LONGEST_SLEEP)
        });
        [timer, self.jobs.next_due()].into_iter().flatten().min()
    }

    fn timed_out(&mut self, keys: &[Key]) {
        for key in keys {
            self.tell(*key, self.news(|| JobStep::TimedOut));
        }
        self.settle();
    }

    /// Draws the consequences of a change: hands events on, pushes jobs, and sees that time
    /// is kept.
    fn settle(&mut self) {
        self.hand_events_on();
        while let Some((mut job, stream)) = self.jobs.next_push() {
            self.fill(&mut job, stream.subscriber().fetch());
            let key = job.key;
            let step = self.news(|| JobStep::Activated { worker: job.worker.clone() });
            if stream.send(job) {
                self.tell(key, step);
            } else {
                self.jobs.unlock(key);
            }
        }
        let due = self.next_due();
        if due.is_some_and(|due| self.awaited.is_none_or(|awaited| due < awaited)) {
            self.awaited = due;
            self.timing.notify_one();
        }
    }

    fn hand_events_on(&mut self) {
        for mut event in self.runtime.drain_events() {
            match &mut event {
                Event::JobCreated(job) => self.jobs.add_for_process(activatable(job)),
                Event::JobCancelled(key) => self.jobs.remove(*key),
                Event::JobResumed { job, retries } => {
                    self.jobs.set_retries(*job, *retries);
                    self.jobs.resume(*job, Duration::ZERO);
                }
                Event::IncidentRaised(incident) => {
                    incident.job.iter().for_each(|job| self.jobs.stop(*job));
                }
                Event::InstanceEnded { instance, how, variables } => {
                    *variables = as_kept(std::mem::take(variables));
                    let awaiting = self.awaiting.remove(instance);
                    if let Some(awaiting) = awaiting.filter(|_| *how == Ending::Completed) {
                        // Whoever waited may have left.
                        let _taken = awaiting.send(variables.clone());
                    }
                }
                _ => {}
            }
            if self.notes.receiver_count() > 0 {
                let _nobody_left = self.notes.send(Note::Process(event));
            }
        }
    }

    /// Gives a process's job the variables as they are now.
    fn fill(&self, job: &mut ActivatedJob, fetch: &[String]) {
        if self.jobs.is_of_process(job.key) {
            let variables = self.runtime.job_variables(job.key, fetch).unwrap_or_default();
            job.variables = serde_json::Value::Object(as_kept(variables)).to_string();
        }
    }

    /// What to tell once a command is through, if there is anybody to tell it to.
    fn news(&self, step: impl FnOnce() -> JobStep) -> Option<JobStep> {
        (self.notes.receiver_count() > 0).then(step)
    }

    fn tell(&self, key: Key, step: Option<JobStep>) {
        if let (Some(job), Some(step)) = (self.jobs.get(key), step) {
            let note = Note::Job(JobNote {
                key,
                job_type: job.r#type.clone(),
                process_instance_key: job.process_instance_key,
                element_id: job.element_id.clone(),
                step,
            });
            let _nobody_left = self.notes.send(note);
        }
    }
}

/// A job as it waits for a worker; its variables are read when one comes.
fn activatable(job: &NewJob) -> ActivatedJob {
    let headers = job.headers.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    ActivatedJob {
        key: job.key,
        r#type: job.job_type.clone(),
        process_instance_key: job.process_instance_key,
        bpmn_process_id: job.bpmn_process_id.clone(),
        process_definition_version: job.process_definition_version,
        process_definition_key: job.process_definition_key,
        element_id: job.element_id.clone(),
        element_instance_key: job.element_instance_key,
        custom_headers: serde_json::Value::Object(headers.collect()).to_string(),
        retries: job.retries,
        tenant_id: DEFAULT_TENANT.to_owned(),
        ..ActivatedJob::default()
    }
}
