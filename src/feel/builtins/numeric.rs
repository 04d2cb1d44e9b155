//! Functions of numbers.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
