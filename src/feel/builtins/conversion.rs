//! Functions that turn values into others.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
