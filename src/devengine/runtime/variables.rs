//! Variables, scope by scope, as JSON and as FEEL sees them.
//!
//! Reading looks from the element outwards. Writing puts a variable where it is defined
//! already, else at the process itself; local writing puts it at the scope that is named.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value as Json;

use super::{Runtime, instance::Instance, json::json};
use crate::{
    devengine::record::{Key, Variables},
    feel::Value,
};

/// A variable in both its forms; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    json: Arc<Json>,
    value: Value,
}

/// The variables of a scope, or those that a command brings.
pub(super) type Document = BTreeMap<Arc<str>, Variable>;

impl Variable {
    pub(super) fn new(json: Json) -> Self {
        Self { value: Value::from(&json), json: Arc::new(json) }
    }

    pub(super) fn null() -> Self {
        Self::new(Json::Null)
    }

    pub(super) fn json(&self) -> &Json {
        &self.json
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }
}

/// What FEEL answered, kept as a broker keeps it.
impl From<&Value> for Variable {
    fn from(value: &Value) -> Self {
        Self::new(json(value))
    }
}

/// Reads the variables of a command.
pub(super) fn document(variables: Variables) -> Document {
    variables.into_iter().map(|(name, json)| (name.into(), Variable::new(json))).collect()
}

/// Writes variables out.
pub(super) fn variables(document: &Document) -> Variables {
    let entries = document.iter();
    entries.map(|(name, variable)| (name.to_string(), variable.json().clone())).collect()
}

/// As an expression's input.
pub(super) fn input(document: &Document) -> Value {
    let entries = document.iter();
    Value::context(entries.map(|(name, variable)| (Arc::clone(name), variable.value().clone())))
}

impl Runtime {
    /// All variables that a scope sees; the nearest of a name wins.
    pub(super) fn visible(&self, scope: Key) -> Document {
        let mut seen = Document::new();
        let mut at = Some(scope);
        while let Some(instance) = at.and_then(|key| self.instances.get(&key)) {
            for (name, variable) in &instance.variables {
                seen.entry(Arc::clone(name)).or_insert_with(|| variable.clone());
            }
            at = instance.parent;
        }
        seen
    }

    /// Sets variables at this scope.
    pub(super) fn set_local(&mut self, scope: Key, document: Document) {
        if let Some(instance) = self.instances.get_mut(&scope) {
            instance.variables.extend(document);
        }
    }

    /// Sets variables where they are defined, looking outwards from this scope, and the rest
    /// at the process.
    pub(super) fn merge(&mut self, scope: Key, document: Document) {
        let mut rest = document;
        let mut at = scope;
        while let Some(instance) = self.instances.get_mut(&at) {
            let Some(parent) = instance.parent else {
                instance.variables.extend(rest);
                return;
            };
            rest = keep_unknown(instance, rest);
            at = parent;
        }
    }
}

/// Takes what the scope defines; hands back the rest. What is as it was goes on outwards, too:
/// a broker only stops at a variable that it changes.
fn keep_unknown(instance: &mut Instance, document: Document) -> Document {
    let mut rest = Document::new();
    for (name, variable) in document {
        match instance.variables.get_mut(&name) {
            Some(known) if known.json() != variable.json() => *known = variable,
            _ => {
                rest.insert(name, variable);
            }
        }
    }
    rest
}
