//! What one evaluation may use.
//!
//! Limits keep a hostile or mistaken expression from taking the worker with it: each is
//! an ordinary error. Work is charged before it is done.

use super::compare::weight;
use super::error::Error;
use super::value::Value;

/// Elementary steps of one evaluation: about a tenth of a second, up to twice that where an
/// operation is slower than [`cost`](super::cost) tells.
const STEPS: u64 = 6_000_000;
/// List items and context entries built in one evaluation.
const ITEMS: u64 = 4_000_000;
/// Bytes of text built in one evaluation.
const BYTES: u64 = 64 << 20;
/// Weight of the result: each value takes two bytes of JSON at least, and 4 MiB is the most
/// that a command may carry.
const RESULT: usize = 2 << 20;
/// Lists, contexts and functions nested in each other: as deep as readers of JSON go.
const NESTING: u32 = 128;
/// Expressions and calls nested in each other, weighed by the stack they take.
pub(super) const DEPTH: u32 = 160;

/// What is left for the running evaluation.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    items: u64,
    bytes: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { steps: STEPS, items: ITEMS, bytes: BYTES }
    }

    /// The steps taken so far.
    #[cfg(test)]
    pub(super) fn spent(&self) -> u64 {
        STEPS - self.steps
    }

    /// Pays for elementary steps, such as the comparison of two items.
    pub(crate) fn steps(&mut self, count: usize) -> Result<(), Error> {
        take(&mut self.steps, count, "the expression takes too many steps; shorten its loops")
    }

    /// Pays as far as there is something left, for what cannot be refused.
    pub(super) fn steps_if_any(&mut self, count: u64) {
        self.steps = self.steps.saturating_sub(count);
    }

    /// Pays for list items or context entries about to be built.
    pub(crate) fn items(&mut self, count: usize) -> Result<(), Error> {
        take(&mut self.items, count, "the expression builds too many list items")
    }

    /// Whether that many items could still be built.
    pub(super) fn room_for_items(&self, count: usize) -> Result<(), Error> {
        let mut left = self.items;
        take(&mut left, count, "the expression builds too many list items")
    }

    /// Pays for bytes of text about to be built.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Error> {
        take(&mut self.bytes, count, "the expression builds too much text")
    }
}

fn take(left: &mut u64, count: usize, limit: &'static str) -> Result<(), Error> {
    *left = left.checked_sub(count as u64).ok_or(Error::Limit(limit))?;
    Ok(())
}

/// Refuses a result that is larger, written out, than anything the engine takes: parts that
/// it shares are many then.
pub(super) fn writable(value: Value) -> Result<Value, Error> {
    if weight(&value) > RESULT {
        return Err(Error::Limit("the expression's result is too large; pick fewer values"));
    }
    Ok(value)
}

/// Refuses a value that nests deeper than any walk may go.
pub(super) fn checked(value: Value) -> Result<Value, Error> {
    if value.depth() > NESTING {
        return Err(Error::Limit("the expression nests lists and contexts too deeply"));
    }
    Ok(value)
}
