//! What happens in a campaign, and in which order.

use std::time::Duration;

use fastrand::Rng;

use super::{proxy::NetFault, servicenow::CallFault};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// In ServiceNow, to one call.
    Call(CallFault),
    /// In ServiceNow, to the writing of a work note.
    Note(CallFault),
    /// Between a worker and ServiceNow.
    Servicenow(NetFault),
    /// Between a worker and the engine.
    Gateway(NetFault),
    /// The same, to the announcement of a work note.
    Announcement(NetFault),
    /// A worker gets a SIGKILL and is started again.
    Kill,
    /// The same while it is about to write a work note.
    KillAtNote,
    /// A worker is stopped for longer than its locks last, and goes on.
    Stop,
    /// The same while it is about to write a work note.
    StopAtNote,
    /// A worker gets a SIGTERM and is started again.
    Terminate,
    /// The broker gets a SIGKILL and is started again.
    BrokerKill,
}

/// Of how many events each kind makes up how many.
fn weights() -> Vec<(Event, usize)> {
    use CallFault as C;
    use Event::{
        Announcement, Call, Gateway, Kill, KillAtNote, Note, Servicenow, Stop, StopAtNote,
        Terminate,
    };
    use NetFault as N;
    let ms = Duration::from_millis;
    vec![
        (Call(C::FailedAfterCommit(500)), 4),
        (Call(C::FailedAfterCommit(502)), 4),
        (Call(C::FailedAfterCommit(503)), 4),
        (Call(C::FailedAfterCommit(504)), 4),
        (Call(C::BusyAndBlabbing), 4),
        (Call(C::RateLimited), 3),
        (Call(C::QueueFull), 3),
        (Call(C::Hibernating), 3),
        (Call(C::Accepted), 3),
        (Call(C::Truncated), 4),
        (Call(C::CommittedLate), 2),
        (Call(C::ForbiddenAfterInsert), 3),
        (Call(C::CutBefore), 2),
        (Call(C::CutAfter), 3),
        (Call(C::CutInHead), 2),
        (Note(C::FailedAfterCommit(503)), 2),
        (Note(C::FailedAfterCommit(504)), 2),
        (Note(C::Truncated), 1),
        (Note(C::Accepted), 1),
        (Note(C::RateLimited), 1),
        (Note(C::CommittedLate), 2),
        (Note(C::CutBefore), 1),
        (Note(C::CutAfter), 2),
        (Note(C::CutInHead), 1),
        (Servicenow(N::Latency(ms(400))), 3),
        (Servicenow(N::Refused(ms(700))), 1),
        (Servicenow(N::ResetRequest), 3),
        (Servicenow(N::LostAnswer), 4),
        (Servicenow(N::Truncated), 3),
        (Servicenow(N::Drip), 2),
        (Servicenow(N::Blackhole(ms(8_000))), 2),
        (Servicenow(N::Garbage), 2),
        (Servicenow(N::Partition(ms(4_000))), 1),
        (Gateway(N::Latency(ms(800))), 2),
        (Gateway(N::Refused(ms(1_500))), 1),
        (Gateway(N::ResetRequest), 2),
        (Gateway(N::LostAnswer), 2),
        (Gateway(N::Truncated), 1),
        (Gateway(N::Blackhole(ms(15_000))), 1),
        (Gateway(N::Garbage), 1),
        (Gateway(N::Partition(ms(9_000))), 1),
        (Announcement(N::Latency(ms(800))), 2),
        (Announcement(N::ResetRequest), 2),
        (Announcement(N::LostAnswer), 2),
        (Announcement(N::Blackhole(ms(8_000))), 1),
        (Kill, 26),
        (KillAtNote, 6),
        (Stop, 4),
        (StopAtNote, 2),
        (Terminate, 3),
    ]
}

/// So many events and a few more, in case some find nothing to strike: every kind in its
/// share, at least once, shuffled; the broker's deaths spread over the whole.
pub(crate) fn deck(random: &mut Rng, faults: usize) -> Vec<Event> {
    let weights = weights();
    let all: usize = weights.iter().map(|(_, weight)| weight).sum();
    let share = |weight: usize| (faults * weight * 11).div_ceil(all * 10);
    let events = weights.iter();
    let mut deck: Vec<_> =
        events.flat_map(|(event, weight)| std::iter::repeat_n(*event, share(*weight))).collect();
    random.shuffle(&mut deck);
    let deaths = 1 + faults / 250;
    for death in (1..=deaths).rev() {
        deck.insert(deck.len() * death / (deaths + 1), Event::BrokerKill);
    }
    deck
}

#[test]
fn a_deck_has_enough_of_everything_and_is_the_same_for_the_same_seed() {
    let deal = |faults| deck(&mut Rng::with_seed(7), faults);
    for faults in [66, 1_000] {
        let deck = deal(faults);
        assert!((faults..faults * 13 / 10 + 35).contains(&deck.len()), "{}", deck.len());
        assert!(weights().iter().all(|(event, _)| deck.contains(event)));
        assert_eq!(deck, deal(faults));
    }
    let kills = deal(1_000).iter().filter(|event| **event == Event::Kill).count();
    assert!(kills >= 200, "{kills}");
}
