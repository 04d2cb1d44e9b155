//! FEEL expressions of the headers: parsed once, kept, evaluated over what they may see.
#![deny(clippy::disallowed_types)]

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{functions, input::invalid};
use crate::{feel, outcome::cut, servicenow::Error};

/// Parsed expressions kept.
const MAX_CACHED: usize = 1_024;
/// Warnings kept of one evaluation.
const MAX_WARNINGS: usize = 20;

/// Parses expressions, and keeps the parsed ones.
#[derive(Debug)]
pub(crate) struct Expressions {
    cache: feel::Cache,
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Arc<feel::Expression>);

/// The names that an expression sees, with their values. Values are shared, so that the
/// same records may stand under several names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope(Vec<(Arc<str>, feel::Value)>);

impl Expressions {
    pub(crate) fn new() -> Self {
        Self { cache: feel::Cache::new(MAX_CACHED) }
    }

    /// Parses the value of a header.
    pub(crate) fn parse(&self, header: &str, text: &str) -> Result<Expression, Error> {
        self.cache.parse(text).map(Expression).map_err(|error| {
            let why = cut(&error.to_string(), 300);
            invalid(format!("header {header} is no FEEL expression: {why}"))
        })
    }
}

impl Expression {
    /// Evaluates; adds to `warnings` what was missing on the way.
    pub(crate) fn evaluate(
        &self,
        scope: Scope,
        now: jiff::Timestamp,
        warnings: &mut Vec<String>,
    ) -> Result<Value, String> {
        let environment = functions::environment(now);
        let evaluation = self
            .0
            .evaluate(&scope.into_value(), &environment)
            .map_err(|error| cut(&error.to_string(), 300))?;
        let shown = evaluation.warnings.iter().take(MAX_WARNINGS);
        warnings.extend(shown.map(|warning| cut(&warning.to_string(), 300)));
        Ok(evaluation.value.to_json())
    }
}

impl Scope {
    /// Sets a name.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<feel::Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// Sets a name for each entry.
    pub(crate) fn extend(&mut self, entries: &Map<String, Value>) {
        for (name, value) in entries {
            self.set(name, value);
        }
    }

    /// The value under a name, to set it under another.
    pub(crate) fn get(&self, name: &str) -> feel::Value {
        let found = self.0.iter().rev().find(|(key, _)| &**key == name);
        found.map_or(feel::Value::Null, |(_, value)| value.clone())
    }

    /// Everything as one context.
    pub(crate) fn into_value(self) -> feel::Value {
        feel::Value::context(self.0)
    }
}
