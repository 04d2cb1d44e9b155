//! FEEL expressions of the headers; this build refuses them.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use super::input::invalid;
use crate::servicenow::Error;

/// Parses expressions.
#[derive(Debug)]
pub(crate) struct Expressions;

impl Expressions {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Parses the value of a header.
    pub(crate) fn parse(&self, header: &str, text: &str) -> Result<Expression, Error> {
        let Self = self;
        Err(invalid(format!("header {header} '{text}': expressions are not supported yet")))
    }
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) enum Expression {}

impl Expression {
    /// Evaluates over a context.
    pub(crate) fn evaluate(
        &self,
        _: Map<String, Value>,
        _: jiff::Timestamp,
        _: &mut Vec<String>,
    ) -> Result<Value, String> {
        match *self {}
    }
}
