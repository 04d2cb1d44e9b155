//! The warnings of a run.

use std::fmt::{self, Write as _};

use super::Run;
use crate::feel::error::Warning;
use crate::feel::value::{Context, Value};

/// Warnings kept; what comes after is only counted.
const KEPT: usize = 50;
/// What a warning costs.
const STEPS: u64 = 32;
/// Longest warning, in bytes.
const LENGTH: usize = 512;
/// Keys named in a warning.
const KEYS: usize = 20;

impl Run {
    /// Records a mistake that answers null; equal ones once.
    #[cold]
    #[inline(never)]
    pub(in crate::feel) fn warn(&mut self, text: impl fmt::Display) {
        if self.has_all_warnings() {
            self.pass_warning();
            return;
        }
        self.budget.steps_if_any(STEPS);
        let warning = Warning::new(cut(text));
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Whether no further warning is kept.
    pub(super) fn has_all_warnings(&self) -> bool {
        self.warnings.len() >= KEPT
    }

    /// A warning that is not written.
    pub(super) fn pass_warning(&mut self) {
        self.budget.steps_if_any(STEPS);
        self.dropped += usize::from(self.has_all_warnings());
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

/// The text as far as it fits. Formatting ends there, so that long keys cost nothing.
fn cut(text: impl fmt::Display) -> String {
    let mut room = Room(String::new());
    if write!(room, "{text}").is_err() {
        room.0.push('…');
    }
    room.0
}

/// Takes text up to [`LENGTH`] bytes.
struct Room(String);

impl fmt::Write for Room {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let left = LENGTH - self.0.len();
        self.0.push_str(&piece[..piece.floor_char_boundary(left)]);
        if piece.len() > left { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The keys of a context, as far as they fit.
pub(super) struct Keys<'a>(pub(super) &'a Context);

impl fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there are no keys");
        }
        for (index, key) in self.0.keys().take(KEYS).enumerate() {
            let separator = if index == 0 { "keys: " } else { ", " };
            write!(f, "{separator}{key}")?;
        }
        if self.0.len() > KEYS { write!(f, " and {} more", self.0.len() - KEYS) } else { Ok(()) }
    }
}
