//! The process instances of a campaign: started a few at a time, each ends with a report.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use serde_json::{Map, Value, json};
use tokio::{sync::RwLock, task::spawn_local, time::sleep};
use tonic::Code;

use super::canary::Canary;
use crate::support::{
    gateway::{Client, Taken},
    patience::{eventually, seconds},
};

/// Most instances that have not ended. About a third of them wait until nobody can be writing
/// their note any more.
const OPEN: usize = 90;
/// How often each job may be tried, as the process says.
pub(crate) const RETRIES: i32 = 3;
/// The lock on a report.
const REPORT: Duration = seconds(10);

/// What an instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Creates a record.
    Create,
    /// Creates a record and changes it.
    Change,
    /// Creates a record and deletes it.
    Delete,
    /// Creates a record since there is none.
    Upsert,
    /// Creates a record and writes a work note to it.
    Note,
    /// Creates a record, and is cancelled early on.
    Cancelled,
    /// Creates a record and writes a work note to it, and is cancelled meanwhile.
    CancelledNote,
}

impl Kind {
    /// How many jobs of the worker it is made of.
    pub(crate) fn jobs(self) -> usize {
        if matches!(self, Self::Change | Self::Delete | Self::Note) { 2 } else { 1 }
    }

    /// How many calls these take when nothing goes wrong: an upsert looks first. What comes
    /// after a cancellation is not among them.
    pub(crate) fn calls(self) -> usize {
        if self == Self::Create || self.is_cancelled() { 1 } else { 2 }
    }

    pub(crate) fn is_cancelled(self) -> bool {
        matches!(self, Self::Cancelled | Self::CancelledNote)
    }

    /// How many work notes it may write.
    pub(crate) fn notes(self) -> usize {
        usize::from(matches!(self, Self::Note | Self::CancelledNote))
    }

    /// Longest time until it is cancelled, in milliseconds: about what its jobs take.
    fn patience(self) -> u64 {
        if self == Self::CancelledNote { 800 } else { 400 }
    }

    /// Where its record is.
    pub(crate) fn table(self) -> &'static str {
        if self == Self::Delete { "problem" } else { "incident" }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Create | Self::Cancelled => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Upsert => "upsert",
            Self::Note | Self::CancelledNote => "note",
        }
    }
}

/// Kinds that make up so many jobs.
pub(crate) fn plan(random: &mut Rng, jobs: usize) -> Vec<Kind> {
    let (mut plan, mut planned) = (Vec::new(), 0);
    while planned < jobs {
        let kind = match random.u8(0..100) {
            0..48 => Kind::Create,
            48..65 => Kind::Note,
            65..80 => Kind::Change,
            80..90 => Kind::Delete,
            90..94 => Kind::Upsert,
            94..97 => Kind::Cancelled,
            _ => Kind::CancelledNote,
        };
        planned += kind.jobs();
        plan.push(kind);
    }
    plan
}

/// An instance that was started.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) kind: Kind,
    /// Its record's short description, and the last word of its work note.
    pub(crate) marker: String,
    /// What it ended with, and the report's job.
    pub(crate) report: Option<(i64, Map<String, Value>)>,
    pub(crate) has_ended: bool,
}

/// All instances and how far they are.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) client: Client,
    /// What markers begin with.
    pub(crate) mark: String,
    pub(crate) plan: Vec<Kind>,
    pub(crate) instances: Mutex<BTreeMap<i64, Instance>>,
    /// Markers of starts whose answer was lost: there may be an instance or not. Another one
    /// was started in its place.
    pub(crate) doubtful: Mutex<BTreeMap<String, Kind>>,
    /// What must not be.
    pub(crate) findings: Mutex<Vec<String>>,
    /// How often the canary was in variables.
    pub(crate) leaks: AtomicU64,
    /// Written while the broker is away, so that few starts are left in doubt.
    pub(crate) broker: RwLock<()>,
    ended: AtomicUsize,
    canary: Arc<Canary>,
}

impl Work {
    pub(crate) fn new(client: Client, seed: u64, plan: Vec<Kind>, canary: Arc<Canary>) -> Self {
        Self {
            client,
            mark: format!("campaign-{seed}-"),
            plan,
            instances: Mutex::default(),
            doubtful: Mutex::default(),
            findings: Mutex::default(),
            leaks: AtomicU64::new(0),
            broker: RwLock::default(),
            ended: AtomicUsize::new(0),
            canary,
        }
    }

    /// How many have ended.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Acquire)
    }

    fn report_type(&self) -> String {
        format!("report:{}", self.mark)
    }

    fn find(&self, what: String) {
        self.findings.lock().unwrap().push(what);
    }

    /// Starts all of them, never too many at once.
    pub(crate) async fn start_all(self: Arc<Self>, mut random: Rng) {
        for (number, kind) in self.plan.iter().copied().enumerate() {
            while number.saturating_sub(self.ended()) >= OPEN {
                sleep(Duration::from_millis(20)).await;
            }
            let key = self.start(number, kind).await;
            if kind.is_cancelled() {
                let delay = Duration::from_millis(random.u64(0..kind.patience()));
                spawn_local(Arc::clone(&self).cancel(key, delay));
            }
        }
    }

    /// Starts one, under another marker when it is in doubt whether it was.
    async fn start(&self, number: usize, kind: Kind) -> i64 {
        for again in 0.. {
            let marker = format!("{}{number}.{again}", self.mark);
            let variables = json!({"kind": kind.word(), "table": kind.table(), "marker": marker,
                "reportType": self.report_type()});
            let _up = self.broker.read().await;
            if let Ok(key) = self.client.try_start("campaign", &variables).await {
                let instance = Instance { kind, marker, report: None, has_ended: false };
                self.instances.lock().unwrap().insert(key, instance);
                return key;
            }
            self.doubtful.lock().unwrap().insert(marker, kind);
            sleep(Duration::from_secs(1)).await;
        }
        unreachable!("there is always another marker")
    }

    async fn cancel(self: Arc<Self>, key: i64, delay: Duration) {
        sleep(delay).await;
        eventually("an instance is cancelled", seconds(120), async || {
            match self.client.try_cancel(key).await {
                Ok(()) => Some(()),
                // It has ended, or the answer to an earlier try was lost.
                Err(status) if status.code() == Code::NotFound => Some(()),
                Err(_) => None,
            }
        })
        .await;
        self.end(key, None);
    }

    /// Takes and completes reports for as long as it is let.
    pub(crate) async fn report_all(self: Arc<Self>) {
        loop {
            for job in self.client.take_for(&self.report_type(), 32, REPORT).await {
                self.report(job).await;
            }
        }
    }

    async fn report(&self, job: Taken) {
        let (instance, report) = (job.process_instance_key, job.key);
        let variables = Value::Object(job.variables.clone()).to_string();
        self.leaks.fetch_add(self.canary.traces(variables.as_bytes()), Ordering::Relaxed);
        // An instance that is not known yet reports again when the lock is over.
        self.adopt(&job);
        let known = self.instances.lock().unwrap().get(&instance).cloned();
        let Some(known) = known else { return };
        if known.report.is_some_and(|(earlier, _)| earlier != report) {
            self.find(format!("instance {instance} reports twice"));
        }
        eventually("a report is completed", seconds(120), async || {
            match self.client.try_complete(&job).await {
                Ok(()) => Some(()),
                // Completed before, and the answer was lost.
                Err(status) if status.code() == Code::NotFound => Some(()),
                Err(_) => None,
            }
        })
        .await;
        self.end(instance, Some((report, job.variables)));
    }

    /// An instance whose start was in doubt shows that there is one.
    fn adopt(&self, job: &Taken) {
        let Some(marker) = job.variables["marker"].as_str() else { return };
        let Some(kind) = self.doubtful.lock().unwrap().remove(marker) else { return };
        // It has ended from the start, as far as progress is concerned: it is one too many.
        let marker = marker.to_owned();
        let instance = Instance { kind, marker, report: None, has_ended: true };
        self.instances.lock().unwrap().insert(job.process_instance_key, instance);
    }

    fn end(&self, key: i64, report: Option<(i64, Map<String, Value>)>) {
        let mut instances = self.instances.lock().unwrap();
        let instance = instances.get_mut(&key).unwrap();
        if report.is_some() {
            instance.report = report;
        }
        if !std::mem::replace(&mut instance.has_ended, true) {
            self.ended.fetch_add(1, Ordering::Release);
        }
    }

    /// Those that have not ended.
    pub(crate) fn open(&self) -> Vec<i64> {
        let instances = self.instances.lock().unwrap();
        instances.iter().filter(|(_, instance)| !instance.has_ended).map(|(key, _)| *key).collect()
    }
}
