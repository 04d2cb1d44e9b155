//! What the hosts of one play share with whoever directs it: the time, the faults, the books.

mod books;
mod strike;

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use fastrand::Rng;
use servicenow_worker::{
    crash_point::Next, devengine::DevEngine, metrics::Metrics, ports::Clock, sandbox::Sandbox,
};
use sha2::{Digest, Sha256};
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use self::strike::Laid;
pub(crate) use self::{
    books::Books,
    strike::{Direction, Healing},
};
use crate::{
    choice::{self, Choice},
    scene::Scene,
};

/// The true time at the start of a play, in milliseconds since 1970.
const EPOCH_MS: i64 = 1_800_000_000_000;

/// One play's world.
pub(crate) struct World {
    sandbox: Sandbox,
    engine: OnceLock<Arc<DevEngine>>,
    state: Mutex<State>,
    books: Mutex<Books>,
}

struct State {
    rng: Rng,
    /// The time, as whoever directs the play has seen it last.
    time: Duration,
    choice: Choice,
    hosts: Vec<Host>,
    runtimes: HashMap<runtime::Id, usize>,
    directions: Vec<Direction>,
    laid: Vec<Laid>,
    /// When late answers are through.
    late: Vec<Duration>,
    next_roll_out: Duration,
    /// How far clocks jump, in milliseconds.
    clock_step_ms: i64,
    trace: Sha256,
    prints: bool,
}

/// A worker's process.
#[derive(Default)]
pub(crate) struct Host {
    /// What its wall clock is off by, in milliseconds.
    off_by: i64,
    /// About to be killed, or dead.
    is_dead: bool,
    /// Asked to stop.
    is_stopping: bool,
    stop: CancellationToken,
    /// Links to the engine and to ServiceNow that are cut or held.
    links: [bool; 2],
}

impl World {
    pub(crate) fn new(sandbox: Sandbox, scene: &Scene, choice: Choice, seed: u64) -> Arc<Self> {
        let state = State {
            rng: Rng::with_seed(seed ^ 0x5151),
            time: Duration::ZERO,
            choice,
            hosts: (0..scene.workers).map(|_| Host::default()).collect(),
            runtimes: HashMap::new(),
            directions: Vec::new(),
            laid: Vec::new(),
            late: Vec::new(),
            next_roll_out: Duration::ZERO,
            clock_step_ms: i64::try_from(scene.clock_step.as_millis()).unwrap(),
            trace: Sha256::new(),
            prints: crate::setting("SIM_TRACE").is_some(),
        };
        Arc::new(Self {
            sandbox,
            engine: OnceLock::new(),
            state: Mutex::new(state),
            books: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What was counted.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(crate) fn engine(&self) -> Option<&Arc<DevEngine>> {
        self.engine.get()
    }

    pub(crate) fn engine_is(&self, engine: Arc<DevEngine>) {
        assert!(self.engine.set(engine).is_ok(), "the engine starts once");
    }

    /// Since the start of the play.
    pub(crate) fn now(&self) -> Duration {
        turmoil::sim_elapsed().unwrap_or_else(|| self.state().time)
    }

    /// The same for a moment of true time.
    pub(crate) fn since_the_start(true_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(true_ms - EPOCH_MS).unwrap_or_default())
    }

    /// Whoever directs the play tells the time.
    pub(crate) fn it_is(&self, time: Duration) {
        self.state().time = time;
    }

    /// A line of the trace, of which two plays of a seed must have the same.
    pub(crate) fn note(&self, line: &str) {
        let now = self.now();
        self.state().note(now, line);
    }

    /// The fingerprint of all lines so far.
    pub(crate) fn trace(&self) -> String {
        let mut text = String::new();
        for byte in self.state().trace.clone().finalize() {
            let _written = write!(text, "{byte:02x}");
        }
        text
    }

    /// How long after its start a call is taken for one that is on its way.
    pub(crate) fn flight(&self) -> Duration {
        Duration::from_millis(self.state().rng.u64(1..80))
    }

    /// A worker's process has started.
    pub(crate) fn started(
        &self,
        host: usize,
        runtime: runtime::Id,
        stop: &CancellationToken,
        metrics: &Arc<Metrics>,
    ) {
        self.note(&format!("worker-{host} starts"));
        let mut state = self.state();
        state.runtimes.insert(runtime, host);
        let links = state.hosts[host].links;
        let off_by = state.hosts[host].off_by;
        state.hosts[host] = Host { stop: stop.clone(), links, off_by, ..Host::default() };
        self.books().metrics.push(Arc::clone(metrics));
    }

    /// A task of a worker passes a point.
    pub(crate) fn passes(&self, point: &'static str) -> Next {
        if !choice::points().contains(&point) {
            self.violation(format!("the point '{point}' is not in the list of points"));
        }
        let now = self.now();
        let chosen = {
            let mut state = self.state();
            let runtime = runtime::Handle::current().id();
            let Some(&host) = state.runtimes.get(&runtime) else { return Next::GoOn };
            if state.hosts[host].is_dead {
                return Next::Freeze;
            }
            state.note(now, &format!("worker-{host} {point}"));
            state.choose(point, host, now).map(|class| (class, host))
        };
        match chosen {
            Some((class, host)) => self.strike(point, class, host, now),
            None => Next::GoOn,
        }
    }

    /// Whether more jobs should wait until what is there is done: there are faults to come.
    pub(crate) fn holds_jobs_back(&self) -> bool {
        self.state().choice.wants_more()
    }

    /// The choice of faults, to look at or to end.
    pub(crate) fn with_choice<R>(&self, act: impl FnOnce(&mut Choice) -> R) -> R {
        act(&mut self.state().choice)
    }
}

impl State {
    fn note(&mut self, now: Duration, line: &str) {
        let line = format!("{:>9} ms {line}\n", now.as_millis());
        self.trace.update(line.as_bytes());
        if self.prints {
            eprint!("{line}");
        }
    }
}

/// A wall clock that is right, for the engine and for ServiceNow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrueTime;

impl Clock for TrueTime {
    fn now(&self) -> jiff::Timestamp {
        moment(turmoil::sim_elapsed().unwrap_or_default(), 0)
    }
}

/// A worker's wall clock, which jumps when a fault says so.
pub(crate) struct WorkerClock {
    world: Arc<World>,
    host: usize,
}

impl WorkerClock {
    pub(crate) fn new(world: &Arc<World>, host: usize) -> Self {
        Self { world: Arc::clone(world), host }
    }
}

impl Clock for WorkerClock {
    fn now(&self) -> jiff::Timestamp {
        let off_by = self.world.state().hosts[self.host].off_by;
        moment(self.world.now(), off_by)
    }
}

fn moment(passed: Duration, off_by: i64) -> jiff::Timestamp {
    let passed = i64::try_from(passed.as_millis()).unwrap();
    jiff::Timestamp::from_millisecond(EPOCH_MS + passed + off_by).unwrap()
}
