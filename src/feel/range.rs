//! Ranges: two ends, each in or out.

use super::value::Value;

/// All values between two ends.
#[derive(Clone, Debug)]
pub struct Range {
    /// The lower end.
    pub start: Value,
    /// Whether the lower end belongs to the range.
    pub start_included: bool,
    /// The upper end.
    pub end: Value,
    /// Whether the upper end belongs to the range.
    pub end_included: bool,
}

/// Whether there is a range in a value; a plain loop, for its small frame.
pub(super) fn holds_range(value: &Value) -> bool {
    match value {
        Value::Range(_) => true,
        Value::List(items) => {
            for item in items.iter() {
                if holds_range(item) {
                    return true;
                }
            }
            false
        }
        Value::Context(context) => {
            for (_, value) in context.iter() {
                if holds_range(value) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}
