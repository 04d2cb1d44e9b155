//! How a job ends for the engine: one enum, three commands.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use crate::job::Variables;

/// The command that ends a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `CompleteJob`: the process goes on with these variables.
    Complete {
        /// Variables handed to the element's output mappings.
        variables: Variables,
    },
    /// `FailJob`: the engine offers the job again, or raises an incident at 0 retries.
    Fail {
        /// The retries to set, not a difference.
        retries: i32,
        /// Shown in Operate; cut to [`MAX_MESSAGE_CHARS`].
        message: String,
        /// How long the engine waits before it offers the job again.
        retry_backoff: Duration,
        /// Variables put into the local scope of the element.
        variables: Variables,
    },
    /// `ThrowError`: a BPMN error that a boundary event may catch.
    ThrowError {
        /// The BPMN error code.
        code: String,
        /// Text for people; cut to [`MAX_MESSAGE_CHARS`].
        message: String,
        /// Variables for the catch event.
        variables: Variables,
    },
}

/// Longest message sent to the engine, in characters (Camunda's connectors cut here too).
pub const MAX_MESSAGE_CHARS: usize = 6_000;

/// `text`, cut to at most `max` characters with an ellipsis in place of the rest.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}
