//! Who is next: messages in the order of the commits, none before an earlier one of the
//! same rule about the same record has ended.

use std::collections::{HashSet, VecDeque};

use tokio_util::sync::CancellationToken;

use super::message::Message;

/// What keeps its order: a rule and a record.
type Lane = (String, String);

/// The messages that wait and the lanes under way.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: VecDeque<Message>,
    busy: HashSet<Lane>,
    /// What all deliveries of now look at.
    pub(super) era: Era,
    /// How many listeners serve.
    pub(super) listeners: usize,
}

/// The time from a start or reset to the next stop or reset.
#[derive(Clone, Debug, Default)]
pub(super) struct Era {
    /// No further try begins.
    pub(super) closing: CancellationToken,
    /// Calls in progress end too.
    pub(super) cut: CancellationToken,
}

fn lane(message: &Message) -> Lane {
    (message.installed.rule.name.clone(), message.sys_id.clone())
}

impl Line {
    pub(super) fn push(&mut self, message: Message) {
        self.waiting.push_back(message);
    }

    /// Whether a message could start now.
    pub(super) fn has_next(&self) -> bool {
        self.waiting.iter().any(|message| !self.busy.contains(&lane(message)))
    }

    /// Takes the first message whose lane is free, and the lane with it.
    pub(super) fn next(&mut self) -> Option<Message> {
        let free = |message: &Message| !self.busy.contains(&lane(message));
        let at = self.waiting.iter().position(free)?;
        let message = self.waiting.remove(at)?;
        self.busy.insert(lane(&message));
        Some(message)
    }

    /// Frees the lane of a message that has ended.
    pub(super) fn ended(&mut self, message: &Message) {
        self.busy.remove(&lane(message));
    }

    /// Takes all that wait out.
    pub(super) fn drain(&mut self) -> Vec<Message> {
        self.waiting.drain(..).collect()
    }
}
