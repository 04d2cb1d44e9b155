//! What an evaluation is given besides its input: the time and functions of the host.

use std::fmt;

use jiff::Timestamp;

use super::error::Error;
use super::value::Value;

/// The surroundings of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// The time that `now()` and `today()` answer.
    pub now: Timestamp,
    /// Functions besides the built-in ones; theirs come first.
    pub functions: &'static [HostFunction],
}

impl Environment {
    /// Surroundings without host functions.
    pub const fn new(now: Timestamp) -> Self {
        Self { now, functions: &[] }
    }
}

/// A function of the host, one entry for each number of parameters.
#[derive(Clone, Copy)]
pub struct HostFunction {
    /// The name as expressions write it.
    pub name: &'static str,
    /// The parameters: their number and names choose among entries of one name.
    pub parameters: &'static [&'static str],
    /// What it does; an error ends the evaluation.
    pub call: fn(&[Value]) -> Result<Value, Error>,
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.parameters.join(", "))
    }
}
