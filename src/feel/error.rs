//! What ends an evaluation, and what is only recorded.
//!
//! Almost every mistake answers null and leaves a warning, as in Camunda's engine. Errors
//! are the few failures that engine reports, and the limits that keep an expression from
//! taking the worker down.

use std::fmt;

/// The failure of a whole evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A function refused its arguments.
    #[error("{0}")]
    Failed(String),
    /// The expression needs more than an evaluation may use.
    #[error("{0}")]
    Limit(&'static str),
}

impl Error {
    /// A failure with this text.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }
}

/// A mistake that answered null instead of ending the evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(String);

impl Warning {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
