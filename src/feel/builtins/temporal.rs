//! Functions of dates, times and durations.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
