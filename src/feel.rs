//! FEEL as Camunda speaks it.
//!
//! An [`Expression`] is parsed once and evaluated against a [`Value`]; the answer brings
//! [`Warning`]s about everything that was silently null. Names have no blanks and `-` is
//! always minus, so parsing never depends on the data. Where Camunda's engine and this one
//! part on purpose: numbers leave with all their digits, the keys of contexts keep their
//! order, and `x in [1, 2] and y` reads as the conjunction it looks like.
#![deny(clippy::disallowed_types)]

mod ast;
mod budget;
mod builtins;
mod cache;
mod compare;
mod cost;
mod environment;
mod error;
mod evaluate;
mod expression;
mod function;
mod near;
mod number;
mod operate;
mod parse;
mod range;
mod temporal;
#[cfg(test)]
mod tests;
mod value;

pub use cache::Cache;
pub use environment::{Environment, HostFunction};
pub use error::{Error, Warning};
pub use expression::{Evaluation, Expression};
pub use function::Function;
pub use number::{Number, Rounding};
pub use parse::SyntaxError;
pub use range::Range;
pub use temporal::{DateTime, Time, Zone};
pub use value::{Context, List, Value};

pub(crate) use near::nearest;
