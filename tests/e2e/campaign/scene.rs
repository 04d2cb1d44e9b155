//! Everything of a campaign, and how it is played.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::{JoinHandle, JoinSet, spawn_local},
    time::{Instant, sleep, timeout},
};

use super::{
    audit,
    canary::Canary,
    deck::Event,
    ear::Heard,
    proxy::Proxy,
    replica::Replica,
    servicenow::{LATE_MS, Records, ServiceNow, Target},
    stuck,
    verdict::Verdict,
    work::{Kind, Work},
};
use crate::support::stage::Stage;

/// After so long without an instance that ends, the rest is stuck: longer than any back-off.
const PATIENCE: Duration = Duration::from_mins(7);
/// Between looks at how far the work is.
const LOOK: Duration = Duration::from_millis(50);
/// Longest wait for a worker that is about to write a work note.
const NOTE_WITHIN: Duration = Duration::from_secs(10);
/// About how long it takes from a note's announcement until the engine knows that it is written.
const NOTE_MS: u64 = 150;
/// Tables that instances write to.
pub(super) const TABLES: [&str; 2] = ["incident", "problem"];
/// Where their work notes are.
pub(super) const JOURNAL: &str = "sys_journal_field";

/// The processes, what is between them, and what they are to do.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) canary: Arc<Canary>,
    pub(super) servicenow: ServiceNow,
    /// One for both workers: the instance's address is a part of what makes a record's id.
    pub(super) to_servicenow: Proxy,
    pub(super) to_gateway: Vec<Proxy>,
    pub(super) replicas: Vec<Arc<AsyncMutex<Replica>>>,
    pub(super) work: Arc<Work>,
    /// What happened to processes.
    pub(super) signals: Mutex<BTreeMap<&'static str, u64>>,
    /// The tables as they were at first, the journal last.
    pub(super) before: Vec<Records>,
    /// How often the secret was in what ServiceNow was asked.
    pub(super) leaks: u64,
    /// Calls that were our own looks.
    pub(super) calls_before: u64,
    pub(super) began: Instant,
    background: JoinSet<()>,
}

impl Scene {
    pub(super) async fn set(stage: Stage, directory: &Path, seed: u64, plan: Vec<Kind>) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let canary = Arc::new(Canary::of(seed));
        let servicenow = ServiceNow::start(directory, &canary).await;
        let mut before = Vec::new();
        for table in TABLES.into_iter().chain([JOURNAL]) {
            before.push(servicenow.records(table).await);
        }
        let calls_before = audit::calls(&servicenow.tally().await);
        let gateway = stage.engine.gateway().trim_start_matches("http://").to_owned();
        let to_servicenow = Proxy::start(&servicenow.address, None).await;
        let (mut to_gateway, mut replicas) = (vec![], vec![]);
        for name in ["a", "b"] {
            let engine = Proxy::start(&gateway, Some(Arc::clone(&canary))).await;
            let replica = Replica::start(name, directory, &to_servicenow, &engine, &canary);
            to_gateway.push(engine);
            replicas.push(Arc::new(AsyncMutex::new(replica)));
        }
        let work = Arc::new(Work::new(stage.client.clone(), seed, plan, Arc::clone(&canary)));
        Self {
            stage,
            canary,
            servicenow,
            to_servicenow,
            to_gateway,
            replicas,
            work,
            signals: Mutex::default(),
            before,
            leaks: 0,
            calls_before,
            began: Instant::now(),
            background: JoinSet::new(),
        }
    }

    /// Starts all instances and plays the deck meanwhile, evenly.
    pub(super) async fn play(&mut self, deck: Vec<Event>, mut random: Rng) {
        let starting = spawn_local(Arc::clone(&self.work).start_all(random.fork()));
        let reporting = spawn_local(Arc::clone(&self.work).report_all());
        let events = deck.len();
        for (number, event) in deck.into_iter().enumerate() {
            if !self.reach(self.work.plan.len() * number / events).await {
                break;
            }
            sleep(Duration::from_millis(random.u64(0..150))).await;
            self.happen(event, &mut random).await;
            if number % 20 == 19 {
                self.look().await;
            }
            if number % 50 == 49 {
                let (ended, time) = (self.work.ended(), self.began.elapsed().as_secs());
                eprintln!("campaign: {} of {events} events, {ended} ended, {time} s", number + 1);
            }
        }
        self.finish(starting, reporting).await;
    }

    /// Looks at what ServiceNow was asked, before it forgets.
    pub(super) async fn look(&mut self) {
        self.leaks += self.servicenow.look(&self.canary).await;
    }

    /// Waits until so many instances have ended, or nothing goes on any more.
    async fn reach(&self, count: usize) -> bool {
        let (mut ended, mut since) = (self.work.ended(), Instant::now());
        while ended < count && since.elapsed() < PATIENCE {
            sleep(LOOK).await;
            if self.work.ended() > ended {
                (ended, since) = (self.work.ended(), Instant::now());
            }
        }
        ended >= count
    }

    async fn happen(&mut self, event: Event, random: &mut Rng) {
        let chosen = random.usize(0..self.replicas.len());
        match event {
            Event::Call(fault) => self.servicenow.inject(Target::Any, fault).await,
            Event::Note(fault) => self.servicenow.inject(Target::Note, fault).await,
            Event::Servicenow(fault) => self.to_servicenow.inject(fault),
            Event::Gateway(fault) => self.to_gateway[chosen].inject(fault),
            Event::Announcement(fault) => self.to_gateway[chosen].inject_at_note(fault),
            Event::Kill => {
                self.free_replica(chosen).await.1.kill().await;
                self.count("SIGKILL");
            }
            Event::KillAtNote => {
                let (chosen, mut replica) = self.free_replica(chosen).await;
                if self.is_at_note(chosen, random).await {
                    replica.kill().await;
                    self.count("SIGKILL at a note");
                }
            }
            Event::Stop => {
                let (_, mut replica) = self.free_replica(chosen).await;
                self.background.spawn_local(async move { replica.stop().await });
                self.count("SIGSTOP, SIGCONT");
            }
            Event::StopAtNote => {
                let (chosen, mut replica) = self.free_replica(chosen).await;
                if self.is_at_note(chosen, random).await {
                    self.background.spawn_local(async move { replica.stop().await });
                    self.count("SIGSTOP, SIGCONT at a note");
                }
            }
            Event::Terminate => {
                let (_, mut replica) = self.free_replica(chosen).await;
                self.background.spawn_local(async move { replica.terminate().await });
                self.count("SIGTERM");
            }
            Event::BrokerKill => {
                let _nobody_starts = self.work.broker.write().await;
                self.stage.engine.crash_and_restart().await;
                self.count("SIGKILL of the broker");
            }
        }
    }

    /// This replica, or another one while it is stopped or ending.
    async fn free_replica(&self, chosen: usize) -> (usize, OwnedMutexGuard<Replica>) {
        loop {
            for next in 0..self.replicas.len() {
                let number = (chosen + next) % self.replicas.len();
                if let Ok(replica) = Arc::clone(&self.replicas[number]).try_lock_owned() {
                    return (number, replica);
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until this replica is somewhere between a note's announcement and its end.
    async fn is_at_note(&self, replica: usize, random: &mut Rng) -> bool {
        let announced = self.to_gateway[replica].note_announced();
        let is_at_note = timeout(NOTE_WITHIN, announced).await.is_ok();
        sleep(Duration::from_millis(random.u64(0..NOTE_MS))).await;
        is_at_note
    }

    fn count(&self, what: &'static str) {
        *self.signals.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Lets everything come to its end without further faults, late inserts too.
    async fn finish(&mut self, starting: JoinHandle<()>, reporting: JoinHandle<()>) {
        self.to_servicenow.calm();
        self.to_gateway.iter().for_each(Proxy::calm);
        while let Some(done) = self.background.join_next().await {
            done.unwrap();
        }
        let all_ended = self.reach(self.work.plan.len()).await;
        assert!(all_ended || starting.is_finished(), "instances cannot be started any more");
        starting.abort();
        sleep(Duration::from_millis(LATE_MS)).await;
        reporting.abort();
    }

    /// Ends the workers and judges what is left.
    pub(super) async fn end(mut self) -> Verdict {
        let mut logs = Vec::new();
        for replica in &self.replicas {
            let mut replica = replica.lock().await;
            replica.end().await;
            logs.extend(replica.logs());
        }
        let mut heard = Heard::default();
        self.to_gateway.iter().for_each(|proxy| heard.extend(proxy.heard()));
        let stuck = stuck::judge(&self.work, &logs, &heard).await;
        let verdict = Verdict::of(&mut self, stuck, &logs, &heard).await;
        // Their jobs must not get to the workers of other tests.
        for open in self.work.open() {
            drop(self.stage.client.try_cancel(open).await);
        }
        verdict
    }
}
