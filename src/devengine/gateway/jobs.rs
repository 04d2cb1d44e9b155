//! Jobs and their states: activatable, locked, backing off, or stopped by an incident. A job
//! that has ended is gone.
//!
//! A job that becomes activatable is fresh: it is pushed to a stream that has room, or else
//! waits for a poll. Locks and back-offs are counted in tokio's time.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use super::queue::{Queue, Stream, Subscriber};
use crate::{
    devengine::record::{Key, Refusal, RefusalKind, Variables},
    ports::Clock,
    zeebe::proto::ActivatedJob,
};

/// All jobs.
pub(crate) struct Jobs {
    clock: Arc<dyn Clock>,
    entries: HashMap<Key, Entry>,
    queues: HashMap<String, Queue>,
    /// Activatable jobs that no stream was tried for yet.
    fresh: VecDeque<Key>,
    /// When locks and back-offs end.
    due: BTreeSet<(Instant, Key)>,
    activations: u64,
    locked: usize,
    most_locked: usize,
    /// Nobody gets a job.
    withholding: bool,
}

#[derive(Debug)]
struct Entry {
    job: ActivatedJob,
    /// The runtime knows of it.
    of_process: bool,
    state: State,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Activatable,
    Activated,
    BackingOff,
    /// By a failure without retries, or an error that nobody caught.
    Stopped,
}

impl Jobs {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            entries: HashMap::new(),
            queues: HashMap::new(),
            fresh: VecDeque::new(),
            due: BTreeSet::new(),
            activations: 0,
            locked: 0,
            most_locked: 0,
            withholding: false,
        }
    }

    /// A new job that belongs to no process.
    pub(crate) fn add(&mut self, job: ActivatedJob) {
        self.insert(job, false);
    }

    /// A new job of the runtime's.
    pub(crate) fn add_for_process(&mut self, job: ActivatedJob) {
        self.insert(job, true);
    }

    fn insert(&mut self, job: ActivatedJob, of_process: bool) {
        let key = job.key;
        self.entries.insert(key, Entry { job, of_process, state: State::Activatable, due: None });
        self.fresh.push_back(key);
    }

    /// Whether the runtime knows of a job.
    pub(crate) fn is_of_process(&self, key: Key) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.of_process)
    }

    /// Gives variables to the jobs of no process that have this element instance; tells
    /// whether there are any.
    pub(crate) fn set_variables(&mut self, element_instance: Key, variables: &Variables) -> bool {
        let entries = self.entries.iter();
        let theirs = entries.filter(|(_, entry)| {
            !entry.of_process && entry.job.element_instance_key == element_instance
        });
        let keys: Vec<Key> = theirs.map(|(key, _)| *key).collect();
        for key in &keys {
            self.add_variables(*key, variables);
        }
        !keys.is_empty()
    }

    /// Gives a job variables besides those it has.
    pub(crate) fn add_variables(&mut self, key: Key, variables: &Variables) {
        let Some(entry) = self.entries.get_mut(&key).filter(|_| !variables.is_empty()) else {
            return;
        };
        // What a test offers may be no object on purpose, and stays what it is.
        if let Ok(mut known) = serde_json::from_str::<Variables>(&entry.job.variables) {
            known.extend(variables.clone());
            entry.job.variables = serde_json::Value::Object(known).to_string();
        }
    }

    /// Whether a job waits for its incident to be resolved.
    pub(crate) fn is_stopped(&self, key: Key) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.state == State::Stopped)
    }

    /// A job as it was handed out last.
    pub(crate) fn get(&self, key: Key) -> Option<&ActivatedJob> {
        self.entries.get(&key).map(|entry| &entry.job)
    }

    /// Jobs that have not ended.
    pub(crate) fn open(&self) -> usize {
        self.entries.len()
    }

    /// Jobs locked now, and the most that ever were.
    pub(crate) fn locked(&self) -> (usize, usize) {
        (self.locked, self.most_locked)
    }

    /// Streams that are open.
    pub(crate) fn streams(&self) -> usize {
        let streams = self.queues.values().flat_map(|queue| &queue.streams);
        streams.filter(|stream| !stream.jobs.is_closed()).count()
    }

    /// Signals jobs of a type that wait for a poll.
    pub(super) fn offered(&mut self, job_type: &str) -> Arc<Notify> {
        Arc::clone(&self.queue(job_type).offered)
    }

    /// Locks waiting jobs for a poll.
    pub(crate) fn take(
        &mut self,
        job_type: &str,
        max: usize,
        subscriber: &Subscriber,
    ) -> Vec<ActivatedJob> {
        let mut jobs = Vec::new();
        let mut of_others = VecDeque::new();
        while jobs.len() < max && !self.withholding {
            let Some(key) = self.queue(job_type).ready.pop_front() else { break };
            match self.entries.get(&key) {
                Some(entry) if entry.state != State::Activatable => {}
                Some(entry) if !subscriber.takes(&entry.job) => of_others.push_back(key),
                _ => jobs.extend(self.activate(key, subscriber)),
            }
        }
        let ready = &mut self.queue(job_type).ready;
        of_others.append(ready);
        *ready = of_others;
        jobs
    }

    /// Locks the next fresh job that a stream has room for; lets others wait for polls.
    pub(crate) fn next_push(&mut self) -> Option<(ActivatedJob, Stream)> {
        while let Some(key) = self.fresh.pop_front() {
            let Some(entry) = self.entries.get(&key) else { continue };
            if entry.state != State::Activatable {
                continue;
            }
            let queue = self.queues.entry(entry.job.r#type.clone()).or_default();
            if !self.withholding
                && let Some(stream) = queue.stream_with_room(&entry.job)
            {
                let job = self.activate(key, &stream.subscriber)?;
                return Some((job, stream));
            }
            queue.ready.push_back(key);
            queue.offered.notify_waiters();
        }
        None
    }

    /// Hands no more jobs out.
    pub(crate) fn withhold(&mut self) {
        self.withholding = true;
    }

    /// Hands jobs out again; those that wait are for polls.
    pub(crate) fn give(&mut self) {
        self.withholding = false;
        self.queues.values().for_each(|queue| queue.offered.notify_waiters());
    }

    /// Adds a stream that jobs are pushed to from now on; those that wait already are for polls.
    pub(super) fn push_to(
        &mut self,
        job_type: &str,
        subscriber: Subscriber,
        jobs: mpsc::Sender<ActivatedJob>,
    ) {
        let stream = Stream { subscriber: Arc::new(subscriber), jobs };
        self.queue(job_type).streams.push(stream);
    }

    /// Ends all streams after what they have been given.
    pub(crate) fn end_streams(&mut self) {
        self.queues.values_mut().for_each(|queue| queue.streams.clear());
    }

    /// Makes a locked job that never left activatable again.
    pub(crate) fn unlock(&mut self, key: Key) {
        if self.entries.get(&key).is_some_and(|entry| entry.state == State::Activated) {
            self.refresh(key);
        }
    }

    /// Whether a command that ends a job is taken: a leased job needs its token.
    pub(crate) fn may_end(&self, key: Key, lease: Option<&str>) -> Result<(), Refusal> {
        let entry = self.entry(key)?;
        match entry.state {
            State::Activatable | State::Activated => {}
            State::BackingOff => return Err(forbidden(key, "waits for the end of its back-off")),
            State::Stopped => return Err(forbidden(key, "waits for its incident to be resolved")),
        }
        match &entry.job.job_lease_token {
            Some(holder) if lease != Some(holder) => Err(leased(key)),
            _ => Ok(()),
        }
    }

    /// Whether a command that changes a job is taken: it needs no token, but no wrong one.
    pub(crate) fn may_change(&self, key: Key, lease: Option<&str>) -> Result<(), Refusal> {
        let holder = self.entry(key)?.job.job_lease_token.as_deref();
        if lease.is_some() && lease != holder { Err(leased(key)) } else { Ok(()) }
    }

    /// Ends a job.
    pub(crate) fn remove(&mut self, key: Key) {
        self.change(key, State::Stopped, None);
        self.entries.remove(&key);
    }

    /// Hands no more of a job out until it is resumed.
    pub(crate) fn stop(&mut self, key: Key) {
        self.change(key, State::Stopped, None);
    }

    /// Sets a job's retries.
    pub(crate) fn set_retries(&mut self, key: Key, retries: i32) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.job.retries = retries;
        }
    }

    /// Makes a job activatable again, after a back-off if there is one.
    pub(crate) fn resume(&mut self, key: Key, back_off: Duration) {
        if back_off.is_zero() {
            self.refresh(key);
        } else {
            self.change(key, State::BackingOff, Some(Instant::now() + back_off));
        }
    }

    /// Locks a job anew from now on.
    pub(crate) fn extend(&mut self, key: Key, timeout: Duration) -> Result<(), Refusal> {
        if self.entry(key)?.state != State::Activated {
            return Err(forbidden(key, "is not locked and has no deadline"));
        }
        self.change(key, State::Activated, Some(Instant::now() + timeout));
        Ok(())
    }

    /// When the next lock or back-off ends.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Ends the locks and back-offs that are over; tells the jobs whose lock it was.
    pub(crate) fn sweep(&mut self) -> Vec<Key> {
        let now = Instant::now();
        let mut timed_out = Vec::new();
        while let Some(&(due, key)) = self.due.first()
            && due <= now
        {
            if self.entries.get(&key).is_some_and(|entry| entry.state == State::Activated) {
                timed_out.push(key);
            }
            self.refresh(key);
        }
        timed_out
    }

    /// Ends all locks, as if their deadlines had passed.
    pub(crate) fn expire_locks(&mut self) -> Vec<Key> {
        let locked = self.entries.iter().filter(|(_, entry)| entry.state == State::Activated);
        let mut locked: Vec<_> = locked.map(|(key, _)| *key).collect();
        locked.sort_unstable();
        for key in &locked {
            self.refresh(*key);
        }
        locked
    }

    fn queue(&mut self, job_type: &str) -> &mut Queue {
        self.queues.entry(job_type.to_owned()).or_default()
    }

    fn entry(&self, key: Key) -> Result<&Entry, Refusal> {
        self.entries.get(&key).ok_or_else(|| {
            let message = format!("there is no job {key}: it has ended, or never was");
            Refusal::new(RefusalKind::NotFound, message)
        })
    }

    fn refresh(&mut self, key: Key) {
        self.change(key, State::Activatable, None);
        self.fresh.push_back(key);
    }

    fn activate(&mut self, key: Key, subscriber: &Subscriber) -> Option<ActivatedJob> {
        let until = Instant::now() + subscriber.timeout();
        self.activations += 1;
        let timeout = i64::try_from(subscriber.timeout().as_millis()).unwrap_or(i64::MAX);
        let entry = self.entries.get_mut(&key)?;
        subscriber.worker().clone_into(&mut entry.job.worker);
        entry.job.job_lease_token =
            subscriber.leases().then(|| format!("lease-{key}-{}", self.activations));
        entry.job.deadline = self.clock.now().as_millisecond().saturating_add(timeout);
        let job = entry.job.clone();
        self.change(key, State::Activated, Some(until));
        Some(job)
    }

    fn change(&mut self, key: Key, state: State, due: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if let Some(old) = entry.due {
            self.due.remove(&(old, key));
        }
        self.due.extend(due.map(|due| (due, key)));
        self.locked += usize::from(state == State::Activated);
        self.locked -= usize::from(entry.state == State::Activated);
        self.most_locked = self.most_locked.max(self.locked);
        (entry.state, entry.due) = (state, due);
    }
}

fn forbidden(key: Key, why: &str) -> Refusal {
    Refusal::new(RefusalKind::FailedPrecondition, format!("job {key} {why}"))
}

fn leased(key: Key) -> Refusal {
    forbidden(key, "is leased to another activation")
}
