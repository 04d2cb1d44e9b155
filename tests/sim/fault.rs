//! The kinds of fault, and how each is brought about.

use std::time::Duration;

use fastrand::Rng;
use servicenow_worker::{
    devengine::gateway::{Fault as EngineFault, Faults as EngineFaults, Rpc},
    sandbox::{CutPoint, Fault, Faults, Match},
};
use tonic::{Code, Status};

/// What goes wrong. What breaks ServiceNow or the engine befalls the next call there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// The process is killed where the task stands, and started anew later.
    Crash,
    /// The process is asked to stop, and started anew when it has.
    Stop,
    /// All that goes between worker and engine is dropped.
    EngineCut,
    /// All that goes between worker and ServiceNow is dropped.
    ServiceNowCut,
    /// All that goes between worker and engine comes late.
    EngineHold,
    /// All that goes between worker and ServiceNow comes late.
    ServiceNowHold,
    /// ServiceNow closes the connection without having done anything.
    RequestLost,
    /// ServiceNow does it and closes the connection.
    AnswerLost,
    /// 504 after it was done.
    GatewayTimeout,
    /// 200 with an HTML page; nothing is done.
    Page,
    /// 429; nothing is done.
    TooMany,
    /// 202; nothing is done.
    Dropped,
    /// It is done; the answer comes after the client has given up.
    LateAnswer,
    /// It is done only after the client has given up, or nearly so long after it was asked.
    LateCommit,
    /// The engine takes a command; its answer is lost.
    CommandLost,
    /// The engine is too busy for a while.
    EngineBusy,
    /// The worker's wall clock jumps by an hour.
    ClockStep,
}

/// Longer than the client waits for an answer.
const TOO_LATE_MS: u64 = 70_000;
/// ServiceNow ends a request of the Table API after that time.
const QUOTA_MS: u64 = 60_000;

impl Class {
    pub(crate) const ALL: [Self; 17] = [
        Self::Crash,
        Self::Stop,
        Self::EngineCut,
        Self::ServiceNowCut,
        Self::EngineHold,
        Self::ServiceNowHold,
        Self::RequestLost,
        Self::AnswerLost,
        Self::GatewayTimeout,
        Self::Page,
        Self::TooMany,
        Self::Dropped,
        Self::LateAnswer,
        Self::LateCommit,
        Self::CommandLost,
        Self::EngineBusy,
        Self::ClockStep,
    ];

    /// Its name in reports.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }

    /// What ServiceNow does to the next call, if this is about one.
    pub(crate) fn of_servicenow(self) -> Option<Fault> {
        Some(match self {
            Self::RequestLost => Fault::Cut(CutPoint::BeforeCommit),
            Self::AnswerLost => Fault::Cut(CutPoint::AfterCommit),
            Self::GatewayTimeout => gateway_timeout(),
            Self::Page => Fault::Hibernating,
            Self::TooMany => Fault::RateLimited { retry_after: 2 },
            Self::Dropped => Fault::Accepted,
            Self::LateAnswer => Fault::Delay { before_ms: 0, after_ms: TOO_LATE_MS },
            _ => return None,
        })
    }
}

/// A proxy gave up waiting; ServiceNow did not.
pub(crate) fn gateway_timeout() -> Fault {
    Fault::Status {
        code: 504,
        headers: Vec::new(),
        body: "<html><body>Gateway Time-out</body></html>".into(),
        after_commit: true,
    }
}

/// Mostly an insert, now and then a change or whatever comes next.
pub(crate) fn befall(faults: &Faults, fault: Fault, rng: &mut Rng) {
    let next = match rng.u8(..10) {
        ..6 => Match::on("POST", "incident"),
        6 | 7 => Match::on("PATCH", "incident"),
        _ => Match::default(),
    };
    // Two at once would be a third kind, or none.
    faults.push(Match { alone: true, ..next }, fault);
}

/// A commit after the client has given up; of a change, as late as ServiceNow's own time for
/// a request lets it be. Later than that nobody can tell that it is still to come.
pub(crate) fn commit_late(faults: &Faults, rng: &mut Rng) {
    let (method, before_ms) =
        if rng.u8(..10) < 7 { ("POST", TOO_LATE_MS) } else { ("PATCH", QUOTA_MS) };
    let next = Match { alone: true, ..Match::on(method, "incident") };
    faults.push(next, Fault::Delay { before_ms, after_ms: 0 });
}

/// Loses the answer of a command in one of the ways in which that happens. Gives the fault's
/// number.
pub(crate) fn lose_command(faults: &EngineFaults, rng: &mut Rng) -> usize {
    let rpcs = [Rpc::Complete, Rpc::Complete, Rpc::Fail, Rpc::Extend, Rpc::Poll, Rpc::SetVariables];
    let rpc = rpcs[rng.usize(..rpcs.len())];
    let fault = match rng.u8(..4) {
        0 => EngineFault::LoseAnswer(Code::Unavailable),
        1 => EngineFault::AnswerLate(Duration::from_secs(12)),
        2 => EngineFault::Silence,
        _ => EngineFault::Close,
    };
    faults.add(rpc, 1, fault)
}

/// Back-pressure on a few calls. Gives the fault's number.
pub(crate) fn be_busy(faults: &EngineFaults, rng: &mut Rng) -> usize {
    let rpcs = [Rpc::Complete, Rpc::Poll, Rpc::Extend, Rpc::Fail, Rpc::Stream, Rpc::SetVariables];
    let rpc = rpcs[rng.usize(..rpcs.len())];
    let busy = Status::resource_exhausted("back-pressure");
    faults.add(rpc, rng.usize(1..4), EngineFault::Refuse(busy))
}
