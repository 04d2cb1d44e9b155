//! Jobs and their states, as an engine keeps them: activatable, locked, backing off, or
//! stopped by an incident. A job that is completed or thrown as an error is gone.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use servicenow_worker::zeebe::proto::{ActivatedJob, FailJobRequest};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};
use tonic::Status;

use super::queue::{Queue, Subscriber};

/// Wall time at the broker when it starts: far from ours, as nobody may rely on it.
const EPOCH_MS: i64 = 1_700_000_000_000;

/// All jobs.
#[derive(Debug)]
pub(super) struct Broker {
    origin: Instant,
    jobs: HashMap<i64, Entry>,
    queues: HashMap<String, Queue>,
    /// When locks and back-offs end.
    due: BTreeSet<(Instant, i64)>,
    last_key: i64,
    activations: u64,
    locked: usize,
    most_locked: usize,
    /// Nobody gets a job.
    withholding: bool,
}

#[derive(Debug)]
struct Entry {
    job: ActivatedJob,
    state: State,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Activatable,
    Activated,
    BackingOff,
    Incident,
}

impl Broker {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            jobs: HashMap::new(),
            queues: HashMap::new(),
            due: BTreeSet::new(),
            last_key: 0,
            activations: 0,
            locked: 0,
            most_locked: 0,
            withholding: false,
        }
    }

    /// A new job; returns its key, which is given when the job has none.
    pub(super) fn add(&mut self, mut job: ActivatedJob) -> i64 {
        if job.key == 0 {
            self.last_key += 1;
            job.key = self.last_key;
        }
        if job.tenant_id.is_empty() {
            "<default>".clone_into(&mut job.tenant_id);
        }
        let key = job.key;
        self.jobs.insert(key, Entry { job, state: State::Activatable, due: None });
        self.offer(key);
        key
    }

    /// Jobs that are neither completed nor thrown as errors.
    pub(super) fn open(&self) -> usize {
        self.jobs.len()
    }

    /// Jobs locked now, and the most that ever were.
    pub(super) fn locked(&self) -> (usize, usize) {
        (self.locked, self.most_locked)
    }

    /// Streams that are open.
    pub(super) fn streams(&self) -> usize {
        let streams = self.queues.values().flat_map(|queue| &queue.streams);
        streams.filter(|(_, jobs)| !jobs.is_closed()).count()
    }

    /// Signals jobs of a type that wait for a poll.
    pub(super) fn offered(&mut self, job_type: &str) -> Arc<Notify> {
        Arc::clone(&self.queue(job_type).offered)
    }

    /// Locks waiting jobs for a poll.
    pub(super) fn take(
        &mut self,
        job_type: &str,
        max: usize,
        subscriber: &Subscriber,
    ) -> Vec<ActivatedJob> {
        let mut jobs = Vec::new();
        let mut of_others = VecDeque::new();
        while jobs.len() < max && !self.withholding {
            let Some(key) = self.queue(job_type).ready.pop_front() else { break };
            match self.jobs.get(&key) {
                Some(entry) if entry.state != State::Activatable => {}
                Some(entry) if !subscriber.takes(&entry.job.tenant_id) => of_others.push_back(key),
                _ => jobs.extend(self.activate(key, subscriber)),
            }
        }
        let ready = &mut self.queue(job_type).ready;
        of_others.append(ready);
        *ready = of_others;
        jobs
    }

    /// Hands no more jobs out.
    pub(super) fn withhold(&mut self) {
        self.withholding = true;
    }

    /// Hands jobs out again; those that wait are for polls.
    pub(super) fn give(&mut self) {
        self.withholding = false;
        self.queues.values().for_each(|queue| queue.offered.notify_one());
    }

    /// Adds a stream that jobs are pushed to from now on; those that wait already are for polls.
    pub(super) fn push_to(
        &mut self,
        job_type: &str,
        subscriber: Subscriber,
        jobs: mpsc::Sender<ActivatedJob>,
    ) {
        self.queue(job_type).streams.push((Arc::new(subscriber), jobs));
    }

    /// Ends all streams after what they have been given.
    pub(super) fn end_streams(&mut self) {
        self.queues.values_mut().for_each(|queue| queue.streams.clear());
    }

    /// Makes a job that never left activatable again.
    pub(super) fn unlock(&mut self, key: i64) {
        if self.jobs.get(&key).is_some_and(|entry| entry.state == State::Activated) {
            self.change(key, State::Activatable, None);
            self.offer(key);
        }
    }

    /// `CompleteJob`, and `ThrowError` with a catch event.
    pub(super) fn end(&mut self, key: i64, lease: Option<&str>) -> Result<(), Status> {
        self.allowed(key, lease)?;
        self.change(key, State::Incident, None);
        self.jobs.remove(&key);
        Ok(())
    }

    /// `FailJob`.
    pub(super) fn fail(&mut self, request: &FailJobRequest) -> Result<(), Status> {
        let key = request.job_key;
        self.allowed(key, request.job_lease_token.as_deref())?;
        if let Some(entry) = self.jobs.get_mut(&key) {
            entry.job.retries = request.retries;
        }
        if request.retries <= 0 {
            self.change(key, State::Incident, None);
        } else if request.retry_back_off > 0 {
            let until = Instant::now() + millis(request.retry_back_off);
            self.change(key, State::BackingOff, Some(until));
        } else {
            self.change(key, State::Activatable, None);
            self.offer(key);
        }
        Ok(())
    }

    /// `UpdateJobTimeout`.
    pub(super) fn extend(
        &mut self,
        key: i64,
        timeout: i64,
        lease: Option<&str>,
    ) -> Result<(), Status> {
        self.allowed(key, lease)?;
        if self.jobs.get(&key).is_none_or(|entry| entry.state != State::Activated) {
            return Err(Status::failed_precondition("the job has no deadline"));
        }
        self.change(key, State::Activated, Some(Instant::now() + millis(timeout)));
        Ok(())
    }

    /// Offers jobs whose lock or back-off has ended.
    pub(super) fn sweep(&mut self) {
        let now = Instant::now();
        while let Some(&(due, key)) = self.due.first()
            && due <= now
        {
            self.change(key, State::Activatable, None);
            self.offer(key);
        }
    }

    fn queue(&mut self, job_type: &str) -> &mut Queue {
        self.queues.entry(job_type.to_owned()).or_default()
    }

    /// Pushes an activatable job, or lets it wait for a poll when no stream has room.
    fn offer(&mut self, key: i64) {
        let Some(entry) = self.jobs.get(&key) else { return };
        let (job_type, tenant) = (entry.job.r#type.clone(), entry.job.tenant_id.clone());
        if !self.withholding
            && let Some((subscriber, stream)) = self.queue(&job_type).stream_with_room(&tenant)
        {
            let Some(job) = self.activate(key, &subscriber) else { return };
            if stream.try_send(job).is_ok() {
                return;
            }
            self.change(key, State::Activatable, None);
        }
        let queue = self.queue(&job_type);
        queue.ready.push_back(key);
        queue.offered.notify_one();
    }

    fn activate(&mut self, key: i64, subscriber: &Subscriber) -> Option<ActivatedJob> {
        let until = Instant::now() + subscriber.timeout;
        self.activations += 1;
        let entry = self.jobs.get_mut(&key)?;
        entry.job.worker.clone_from(&subscriber.worker);
        entry.job.job_lease_token =
            subscriber.lease.then(|| format!("lease-{}-{}", key, self.activations));
        let deadline = until.duration_since(self.origin).as_millis();
        entry.job.deadline = EPOCH_MS + i64::try_from(deadline).unwrap_or(i64::MAX / 2);
        let job = entry.job.clone();
        self.change(key, State::Activated, Some(until));
        Some(job)
    }

    /// Whether a command about this job is taken.
    fn allowed(&self, key: i64, lease: Option<&str>) -> Result<(), Status> {
        let Some(entry) = self.jobs.get(&key) else {
            return Err(Status::not_found(format!("no such job was found: {key}")));
        };
        match entry.state {
            State::Activatable | State::Activated => {}
            State::BackingOff | State::Incident => {
                let state = entry.state;
                return Err(Status::failed_precondition(format!("it is in state {state:?}")));
            }
        }
        match entry.job.job_lease_token.as_deref() {
            Some(holder) if lease != Some(holder) => {
                Err(Status::failed_precondition("the job is leased to another activation"))
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, key: i64, state: State, due: Option<Instant>) {
        let Some(entry) = self.jobs.get_mut(&key) else { return };
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

/// Milliseconds of the protocol.
pub(super) fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(0))
}
