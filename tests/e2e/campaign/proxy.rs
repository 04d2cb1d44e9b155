//! A TCP proxy that breaks connections in the ways that networks do.
//!
//! Faults wait in a queue; the next piece of data on their side of any connection meets one,
//! or the next that announces a work note to the engine.
//! `Refused` and `Partition` are for all connections, for a while. What a worker asked and
//! got no answer to is counted, whoever's fault it was: it left a doubt.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch};

use super::{
    canary::Canary,
    ear::{Heard, Word},
    link::Link,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NetFault {
    /// The answer comes later.
    Latency(Duration),
    /// The connection is reset, the question lost.
    ResetRequest,
    /// The question arrives; a reset comes in place of the answer.
    LostAnswer,
    /// Half of a piece of the answer, then the end.
    Truncated,
    /// The answer byte by byte.
    Drip,
    /// Everything vanishes for that long, and nothing says so.
    Blackhole(Duration),
    /// TLS in place of the answer.
    Garbage,
    /// Nobody listens for that long, and all connections are reset.
    Refused(Duration),
    /// All connections are black holes for that long, new ones too.
    Partition(Duration),
}

/// Which data a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Question,
    Answer,
    /// A question that announces a work note, or its answer.
    Announcement,
}

/// What all connections go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    Fine,
    Refusing,
    Partitioned,
}

/// A running proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: String,
    pub(super) weather: watch::Sender<Weather>,
    queue: Mutex<VecDeque<(Side, NetFault)>>,
    struck: Mutex<BTreeMap<String, u64>>,
    /// What must not be said through here.
    pub(super) unsaid: Option<Arc<Canary>>,
    /// What was said instead; nothing but on the way to the engine.
    heard: Mutex<Heard>,
    /// How often a work note was announced.
    announced: watch::Sender<u64>,
    pub(super) leaks: AtomicU64,
    pub(super) swallowed: AtomicU64,
    pub(super) doubts: AtomicU64,
}

impl NetFault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::ResetRequest => "reset",
            Self::LostAnswer => "answer lost",
            Self::Truncated => "answer truncated",
            Self::Drip => "answer dripping",
            Self::Blackhole(_) => "black hole",
            Self::Garbage => "TLS garbage",
            Self::Refused(_) => "connections refused",
            Self::Partition(_) => "partition",
        }
    }

    fn side(self) -> Side {
        match self {
            Self::ResetRequest | Self::LostAnswer | Self::Blackhole(_) => Side::Question,
            _ => Side::Answer,
        }
    }
}

impl Proxy {
    /// Starts one before `upstream`, a host and a port; before an engine with `unsaid`, for
    /// which all that flows towards it is searched.
    pub(crate) async fn start(upstream: &str, unsaid: Option<Arc<Canary>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            weather: watch::Sender::new(Weather::Fine),
            queue: Mutex::default(),
            struck: Mutex::default(),
            unsaid,
            heard: Mutex::default(),
            announced: watch::Sender::new(0),
            leaks: AtomicU64::new(0),
            swallowed: AtomicU64::new(0),
            doubts: AtomicU64::new(0),
        });
        tokio::spawn(serve(listener, address, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// Lets something go wrong: at once, or with the next data that it is for.
    pub(crate) fn inject(&self, fault: NetFault) {
        match fault {
            NetFault::Refused(time) => self.weather(Weather::Refusing, fault, time),
            NetFault::Partition(time) => self.weather(Weather::Partitioned, fault, time),
            fault => self.shared.queue.lock().unwrap().push_back((fault.side(), fault)),
        }
    }

    /// Lets something go wrong with the next announcement of a work note.
    pub(crate) fn inject_at_note(&self, fault: NetFault) {
        self.shared.queue.lock().unwrap().push_back((Side::Announcement, fault));
    }

    /// Waits until a work note has been announced.
    pub(crate) async fn note_announced(&self) {
        // The sender lives as long as `self` does.
        drop(self.shared.announced.subscribe().changed().await);
    }

    fn weather(&self, weather: Weather, fault: NetFault, time: Duration) {
        let shared = Arc::clone(&self.shared);
        let is_new = shared.weather.send_if_modified(|now| {
            let is_fine = *now == Weather::Fine;
            if is_fine {
                *now = weather;
            }
            is_fine
        });
        if is_new {
            shared.count(fault.name().to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                shared.weather.send_replace(Weather::Fine);
            });
        }
    }

    /// No further faults.
    pub(crate) fn calm(&self) {
        self.shared.queue.lock().unwrap().clear();
    }

    /// How often each kind of fault has struck.
    pub(crate) fn struck(&self) -> BTreeMap<String, u64> {
        self.shared.struck.lock().unwrap().clone()
    }

    /// What was passed on to the engine.
    pub(crate) fn heard(&self) -> Heard {
        self.shared.heard.lock().unwrap().clone()
    }

    /// Questions that did not get through.
    pub(crate) fn swallowed(&self) -> u64 {
        self.shared.swallowed.load(Ordering::Relaxed)
    }

    /// Questions without a good answer, those that did not get through among them.
    pub(crate) fn doubts(&self) -> u64 {
        self.shared.doubts.load(Ordering::Relaxed)
    }

    /// How often something was said that must not be.
    pub(crate) fn leaks(&self) -> u64 {
        self.shared.leaks.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn count(&self, fault: String) {
        *self.struck.lock().unwrap().entry(fault).or_default() += 1;
    }

    /// The fault that the next data on that side meets.
    pub(super) fn next(&self, side: Side) -> Option<NetFault> {
        let mut queue = self.queue.lock().unwrap();
        let at = queue.iter().position(|(at, _)| *at == side)?;
        let (_, fault) = queue.remove(at)?;
        drop(queue);
        let name = fault.name();
        self.count(match side {
            Side::Announcement => format!("at a note: {name}"),
            _ => name.to_owned(),
        });
        Some(fault)
    }

    /// The fault that a question with these words in it meets.
    pub(super) fn next_for(&self, words: &[Word]) -> Option<NetFault> {
        let announces = words.iter().any(|word| matches!(word, Word::Announcement(_)));
        let at_note = if announces { self.next(Side::Announcement) } else { None };
        at_note.or_else(|| self.next(Side::Question))
    }

    /// These words are passed on.
    pub(super) fn hear(&self, words: Vec<Word>) {
        for word in words {
            if matches!(word, Word::Announcement(_)) {
                self.announced.send_modify(|count| *count += 1);
            }
            self.heard.lock().unwrap().note(word);
        }
    }
}

/// Listens, but for the times in which it refuses.
async fn serve(mut listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut weather = shared.weather.subscribe();
    loop {
        while accept(&listener, &mut weather, &shared).await.is_continue() {}
        drop(listener);
        weather.wait_for(|now| *now != Weather::Refusing).await.unwrap();
        // Nobody else takes the port: it is not among those given out for port 0 so soon.
        listener = TcpListener::bind(address).await.unwrap();
    }
}

async fn accept(
    listener: &TcpListener,
    weather: &mut watch::Receiver<Weather>,
    shared: &Arc<Shared>,
) -> ControlFlow<()> {
    tokio::select! {
        accepted = listener.accept() => {
            if let Ok((client, _)) = accepted {
                tokio::spawn(Link::carry(client, Arc::clone(shared)));
            }
            ControlFlow::Continue(())
        }
        now = weather.wait_for(|now| *now == Weather::Refusing) => {
            drop(now);
            ControlFlow::Break(())
        }
    }
}
