//! The warnings of a run.

use std::fmt;

use super::Run;
use crate::feel::error::Warning;
use crate::feel::value::{Context, Value};

/// Warnings kept; what comes after is only counted.
const KEPT: usize = 50;
/// What a warning costs.
const STEPS: u64 = 32;
/// Keys named in a warning.
const KEYS: usize = 20;

impl Run {
    /// Records a mistake that answers null; equal ones once.
    #[cold]
    #[inline(never)]
    pub(in crate::feel) fn warn(&mut self, text: impl fmt::Display) {
        self.budget.steps_if_any(STEPS);
        if self.warnings.len() >= KEPT {
            self.dropped += 1;
            return;
        }
        let warning = Warning::new(text.to_string());
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Records that a value lacks something, unless that is being asked.
    #[cold]
    #[inline(never)]
    pub(super) fn warn_absent(&mut self, text: impl fmt::Display) {
        if self.quiet == 0 {
            self.warn(text);
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn warn_no_variable(&mut self, name: &str) {
        if self.quiet > 0 {
            return;
        }
        match self.root.clone() {
            Value::Context(root) => {
                self.warn(format_args!("no variable '{name}'; {}", Keys(&root)));
            }
            _ => self.warn(format_args!("no variable '{name}'")),
        }
    }
}

/// The keys of a context, as far as they fit.
pub(super) struct Keys<'a>(pub(super) &'a Context);

impl fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there are no keys");
        }
        let shown: Vec<&str> = self.0.keys().take(KEYS).map(AsRef::as_ref).collect();
        write!(f, "keys: {}", shown.join(", "))?;
        if self.0.len() > KEYS { write!(f, " and {} more", self.0.len() - KEYS) } else { Ok(()) }
    }
}
