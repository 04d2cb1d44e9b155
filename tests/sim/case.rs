//! One play: the hosts are set up, time passes, faults are directed, until all is done.

use std::{sync::Arc, time::Duration};

use servicenow_worker::{
    crash_point,
    sandbox::{self, DuplicateIdAnswer, Fault, Login, Match, Sandbox, Seed},
};

use crate::{
    choice::Choice,
    engine, invariants,
    log::{CANARY, Log},
    net::{ENGINE, SERVICENOW},
    report::Report,
    scene::{NOTED, Scene},
    worker,
    world::{Healing, TrueTime, World},
};

/// How finely time passes; messages take 5 to 50 ms.
const TICK: Duration = Duration::from_millis(5);
/// Messages that a socket takes before its reader must have read.
const SOCKET: usize = 65_536;

/// What ServiceNow may answer to a second insert with the same `sys_id`; which of them it does
/// is not known.
pub(crate) const SECOND_INSERTS: [DuplicateIdAnswer; 4] = [
    DuplicateIdAnswer::Forbidden,
    DuplicateIdAnswer::Conflict,
    DuplicateIdAnswer::ServerError,
    DuplicateIdAnswer::Update,
];

/// A play that is set up.
pub(crate) struct Case {
    pub(crate) scene: Scene,
    pub(crate) seed: u64,
    /// What happens to calls besides what the seed chooses.
    pub(crate) scripted: Vec<(Match, Fault)>,
    /// What ServiceNow answers to a second insert with the same `sys_id`; else by the seed.
    pub(crate) second_insert: Option<DuplicateIdAnswer>,
    /// Strikes by the seed.
    pub(crate) strikes: bool,
    /// What is watched for at every step, as a kill at the right moment.
    pub(crate) at_each_step: Box<dyn FnMut(&World)>,
}

impl Case {
    /// A play without any fault.
    pub(crate) fn of(scene: Scene) -> Self {
        Self {
            scene,
            seed: 1,
            scripted: Vec::new(),
            second_insert: None,
            strikes: false,
            at_each_step: Box::new(|_| {}),
        }
    }

    /// The same with a fault for every so many-th insert, so many times.
    pub(crate) fn with_inserts_hit(mut self, every: u64, times: u64, fault: Fault) -> Self {
        let hit = Match { nth: every / 2, every, times, ..Match::on("POST", "incident") };
        self.scripted.push((hit, fault));
        self
    }

    /// Plays it in this thread.
    pub(crate) fn play(self) -> Report {
        let log = Log::default();
        tracing::subscriber::with_default(log.subscriber(), || self.play_logged(&log))
    }

    fn play_logged(mut self, log: &Log) -> Report {
        fastrand::seed(self.seed);
        let scene = Arc::new(self.scene.clone());
        let world = self.world();
        let foreign = invariants::foreign(&world);
        let observer = Arc::clone(&world);
        crash_point::observe(move |point| observer.passes(point));
        let mut sim = simulation(&scene, &world, self.seed);
        let mut end = None;
        while end.is_none_or(|end| sim.elapsed() < end) {
            if let Err(error) = sim.step() {
                world.violation(format!("a host failed: {error}"));
                break;
            }
            world.it_is(sim.elapsed());
            world.roll_out();
            (self.at_each_step)(&world);
            direct(&mut sim, &scene, &world);
            if end.is_none() && (is_done(&world) || sim.elapsed() > scene.limit) {
                world.with_choice(Choice::ends);
                world.note("the end, but for what comes late");
                end = Some(sim.elapsed() + scene.aftermath);
            }
        }
        let report = Report::of(&scene, self.seed, &world, &foreign, log);
        crash_point::observe(|_| crash_point::Next::GoOn);
        report
    }

    fn world(&self) -> Arc<World> {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let choice =
            if self.strikes { Choice::of_seed(self.seed, &mut rng) } else { Choice::nothing() };
        let by_the_seed = SECOND_INSERTS[rng.usize(..SECOND_INSERTS.len())];
        let config = sandbox::Config {
            logins: vec![Login::new("admin", CANARY)],
            duplicate_id_answer: self.second_insert.unwrap_or(by_the_seed),
            log_capacity: usize::MAX,
            id_seed: Some(self.seed),
            clock: Arc::new(TrueTime),
            ..sandbox::Config::with_seed(Seed::demo().unwrap().and(NOTED).unwrap())
        };
        let sandbox = Sandbox::new(config).unwrap();
        let world = World::new(sandbox, &self.scene, choice, self.seed);
        world.books().expects_incidents = self.scene.resolves > 0;
        self.script(world.sandbox());
        world
    }

    fn script(&self, sandbox: &Sandbox) {
        let faults = sandbox.faults();
        let half = u64::try_from(self.scene.latency.as_millis()).unwrap() / 2;
        let always = Match { times: 0, ..Match::default() };
        faults.push(always.clone(), Fault::Delay { before_ms: half, after_ms: half });
        if let Some((every, longer)) = self.scene.slow {
            let after_ms = u64::try_from(longer.as_millis()).unwrap();
            let slow = Match { every, nth: every, ..always };
            faults.push(slow, Fault::Delay { before_ms: 0, after_ms });
        }
        for (matches, fault) in &self.scripted {
            faults.push(matches.clone(), fault.clone());
        }
    }
}

fn simulation<'a>(scene: &Arc<Scene>, world: &Arc<World>, seed: u64) -> turmoil::Sim<'a> {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(50))
        .simulation_duration(Duration::from_hours(1_000))
        .tcp_capacity(SOCKET)
        .build();
    let (played, shared) = (Arc::clone(scene), Arc::clone(world));
    sim.host(ENGINE, move || engine::run(Arc::clone(&played), Arc::clone(&shared)));
    let shared = Arc::clone(world);
    sim.host(SERVICENOW, move || engine::servicenow(Arc::clone(&shared)));
    for host in 0..scene.workers {
        let (played, shared) = (Arc::clone(scene), Arc::clone(world));
        let software = move || worker::run(Arc::clone(&played), Arc::clone(&shared), host);
        sim.host(name(host), software);
    }
    sim
}

fn name(host: usize) -> String {
    format!("worker-{host}")
}

/// Does what the faults have left to do.
fn direct(sim: &mut turmoil::Sim<'_>, scene: &Scene, world: &World) {
    for what in world.due() {
        world.note(&format!("directed: {what:?}"));
        match what {
            Healing::Kill(host) => {
                sim.crash(name(host));
                world.books().kills += 1;
            }
            Healing::Start(host) => sim.bounce(name(host)),
            Healing::Repair(host, other) => sim.repair(name(host), other),
            Healing::Release(host, other) => sim.release(name(host), other),
        }
    }
    for host in 0..scene.workers {
        if !sim.is_host_running(name(host)) && world.has_left(host) {
            world.books().stops += 1;
        }
    }
}

/// Whether every job has ended, or has an incident that the scene wants.
fn is_done(world: &World) -> bool {
    let Some(engine) = world.engine() else { return false };
    let all_asked = world.books().all_asked;
    // A job with an incident waits for a person.
    all_asked && engine.gateway().open_jobs() == engine.incidents().len()
}
