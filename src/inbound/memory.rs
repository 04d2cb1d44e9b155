//! What is remembered of recent keys: the digest of their payload and the answer.
//!
//! It is bounded and dies with the process, so nothing that must hold rests on it. It turns
//! a repetition into the same answer with the same keys in it, and finds a key that was used
//! for two different things.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::answer::Answer;

/// Largest answer that is kept.
const MAX_ANSWER: usize = 4 * 1024;

/// SHA-256 of a payload.
pub(crate) type Digest = [u8; 32];

/// Recent keys.
#[derive(Debug)]
pub(crate) struct Memory {
    capacity: usize,
    window: Duration,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    /// Oldest first.
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Entry {
    digest: Digest,
    /// Absent while its outcome is unknown, or when it was too large to keep.
    answer: Option<Answer>,
    since: Instant,
}

/// What is remembered of a key.
#[derive(Debug)]
pub(crate) enum Recall {
    /// Nothing.
    Unknown,
    /// The same request came before, with this answer if it is known.
    Repeated(Option<Answer>),
    /// Another request had this key.
    Conflicting,
}

impl Memory {
    pub(crate) fn new(capacity: usize, window: Duration) -> Self {
        Self { capacity, window, entries: Mutex::default() }
    }

    /// What is remembered of a key.
    pub(crate) fn recall(&self, key: &str, digest: &Digest) -> Recall {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.by_key.get(key).filter(|entry| entry.since.elapsed() < self.window) {
            None => Recall::Unknown,
            Some(entry) if entry.digest == *digest => Recall::Repeated(entry.answer.clone()),
            Some(_) => Recall::Conflicting,
        }
    }

    /// Remembers a key. An answer replaces a missing one, never the other way round.
    pub(crate) fn keep(&self, key: &str, digest: Digest, answer: Option<&Answer>) {
        if self.capacity == 0 {
            return;
        }
        let answer = answer.filter(|answer| size(answer) <= MAX_ANSWER).cloned();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.by_key.get_mut(key) {
            if known.since.elapsed() >= self.window {
                *known = Entry { digest, answer, since: Instant::now() };
            } else if known.digest == digest && known.answer.is_none() {
                known.answer = answer;
            }
            return;
        }
        if entries.order.len() >= self.capacity
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_key.remove(&oldest);
        }
        entries.order.push_back(key.to_owned());
        entries.by_key.insert(key.to_owned(), Entry { digest, answer, since: Instant::now() });
    }
}

fn size(answer: &Answer) -> usize {
    answer.body.as_ref().map_or(0, |body| body.to_string().len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Answer {
        Answer::json(json!({"messageKey": "1"}))
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_known_with_its_payload_and_answer_until_the_window_ends() {
        let memory = Memory::new(10, Duration::from_mins(1));
        assert!(matches!(memory.recall("k", &[1; 32]), Recall::Unknown));
        memory.keep("k", [1; 32], None);
        assert!(matches!(memory.recall("k", &[1; 32]), Recall::Repeated(None)));
        memory.keep("k", [1; 32], Some(&answer()));
        memory.keep("k", [2; 32], None);
        assert!(matches!(memory.recall("k", &[1; 32]), Recall::Repeated(Some(_))));
        assert!(matches!(memory.recall("k", &[2; 32]), Recall::Conflicting));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(matches!(memory.recall("k", &[2; 32]), Recall::Unknown));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_key_makes_room() {
        let memory = Memory::new(2, Duration::from_mins(1));
        for key in ["a", "b", "c"] {
            memory.keep(key, [1; 32], Some(&answer()));
        }
        assert!(matches!(memory.recall("a", &[1; 32]), Recall::Unknown));
        assert!(matches!(memory.recall("b", &[1; 32]), Recall::Repeated(Some(_))));
        let large = Answer::json(json!({"x": "y".repeat(5_000)}));
        memory.keep("d", [1; 32], Some(&large));
        assert!(matches!(memory.recall("d", &[1; 32]), Recall::Repeated(None)));
    }
}
