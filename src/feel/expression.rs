//! Expressions: parsed once, evaluated often.

use std::sync::Arc;

use super::ast::Expr;
use super::environment::Environment;
use super::error::{Error, Warning};
use super::evaluate::Run;
use super::parse::{self, SyntaxError};
use super::value::Value;

/// A parsed expression; clones share the parsed form.
#[derive(Clone, Debug)]
pub struct Expression {
    parsed: Arc<Expr>,
    source: Arc<str>,
}

/// What an evaluation answers.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The result.
    pub value: Value,
    /// The mistakes that answered null.
    pub warnings: Vec<Warning>,
}

impl Expression {
    /// Parses a text; a leading `=` is taken off.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let source = text.strip_prefix('=').unwrap_or(text).trim();
        Ok(Self { parsed: Arc::new(parse::parse(text)?), source: source.into() })
    }

    /// The text it was parsed from, without the leading `=`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Evaluates against an input, whose keys are the variables.
    pub fn evaluate(&self, input: &Value, environment: &Environment) -> Result<Evaluation, Error> {
        let mut run = Run::new(input.clone(), *environment);
        let value = run.whole(&self.parsed)?;
        Ok(Evaluation { value, warnings: run.into_warnings() })
    }
}
