//! Functions that an expression defines, with the values they saw there.

use std::fmt;
use std::sync::Arc;

use super::ast::FunctionDefinition;
use super::value::Value;

/// A function of an expression.
pub struct Function {
    pub(super) definition: Arc<FunctionDefinition>,
    /// The names of the body that had a value where the function was written.
    pub(super) captured: Vec<(Arc<str>, Value)>,
    depth: u32,
}

impl Function {
    pub(super) fn new(
        definition: Arc<FunctionDefinition>,
        captured: Vec<(Arc<str>, Value)>,
    ) -> Self {
        let depth = captured.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        Self { definition, captured, depth: depth.saturating_add(1) }
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> &[Arc<str>] {
        &self.definition.parameters
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function({})", self.parameters().join(", "))
    }
}
