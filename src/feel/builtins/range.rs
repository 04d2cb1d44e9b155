//! Functions that compare ranges and points.

use super::Builtin;

pub(super) const BUILTINS: &[Builtin] = &[];
