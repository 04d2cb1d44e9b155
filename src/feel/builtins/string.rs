//! Functions of text.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
