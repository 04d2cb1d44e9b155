//! Functions of lists.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
