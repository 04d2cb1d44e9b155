//! Input and output mappings, and what becomes of variables without them.
//!
//! Mappings run in order and see what those before them have set. With output mappings only
//! their results leave the element; without, everything a job, message or called process
//! handed in does.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json};

use super::{
    Runtime,
    expression::evaluate,
    incident::{Failure, Trouble},
    instance::Role,
    variables::{Document, Variable},
};
use crate::{
    devengine::{
        bpmn::model::{BoundaryTrigger, Element, Kind, Mapping, Text},
        record::Key,
    },
    feel::Value,
};

impl Runtime {
    /// Sets the variables of the input mappings at the element.
    pub(super) fn map_inputs(&mut self, key: Key) -> Result<(), Failure> {
        let Some(place) = self.place(key) else { return Ok(()) };
        let Some(index) = place.role.element() else { return Ok(()) };
        let inputs = &place.definition.element(index).inputs;
        if inputs.is_empty() {
            return Ok(());
        }
        let scope = self.mapping_scope(key);
        let results = self.map(key, scope, inputs, Existing::Replaced)?;
        self.set_local(key, results);
        Ok(())
    }

    /// Places what the element brings to its scope.
    pub(super) fn map_outputs(&mut self, key: Key) -> Result<(), Failure> {
        let Some(place) = self.place(key) else { return Ok(()) };
        let Some(index) = place.role.element() else { return Ok(()) };
        let element = place.definition.element(index);
        let payload = self.instances.get_mut(&key).and_then(|instance| instance.payload.take());
        let scope = self.mapping_scope(key);
        if !element.outputs.is_empty() {
            self.set_local(key, payload.unwrap_or_default());
            let results = self.map(key, key, &element.outputs, Existing::MergedFrom(scope))?;
            self.merge(scope, results);
        } else if let Some(payload) = payload {
            self.merge(key, payload);
        } else if self.hands_on_its_variables(key, element) {
            let local = self.instances.get(&key).map(|instance| instance.variables.clone());
            self.merge(scope, local.unwrap_or_default());
        }
        Ok(())
    }

    /// Events that hold what came with them as their own variables.
    fn hands_on_its_variables(&self, key: Key, element: &Element) -> bool {
        match &element.kind {
            // What a thrown error brings stays with its boundary event, as on the broker.
            Kind::Boundary(boundary) => !matches!(boundary.trigger, BoundaryTrigger::Error(_)),
            Kind::Start(_) => true,
            _ => self.instances.get(&key).is_some_and(|instance| instance.happened),
        }
    }

    /// Where mappings read and write: around the element; a run of a multi-instance activity
    /// keeps to itself.
    fn mapping_scope(&self, key: Key) -> Key {
        match self.instances.get(&key) {
            Some(instance) if !matches!(instance.role, Role::Inner(_)) => {
                instance.parent.unwrap_or(key)
            }
            _ => key,
        }
    }

    fn map(
        &mut self,
        key: Key,
        scope: Key,
        mappings: &[Mapping],
        existing: Existing,
    ) -> Result<Document, Failure> {
        let mut seen: BTreeMap<Arc<str>, Value> = self
            .visible(scope)
            .iter()
            .map(|(name, variable)| (Arc::clone(name), variable.value().clone()))
            .collect();
        let mut results = Document::new();
        for mapping in mappings {
            let Some((name, path)) = mapping.target.split_first() else { continue };
            let value = self.source(key, &mapping.source, &seen)?;
            let known = results.get(name.as_str()).cloned();
            let variable = match (path, known, existing) {
                ([], _, _) => Variable::from(&value),
                (path, Some(known), _) => put(Some(&known), path, &value),
                (path, None, Existing::Replaced) => put(None, path, &value),
                (path, None, Existing::MergedFrom(scope)) => {
                    put(self.lookup(scope, name), path, &value)
                }
            };
            let name: Arc<str> = name.as_str().into();
            seen.insert(Arc::clone(&name), variable.value().clone());
            results.insert(name, variable);
        }
        Ok(results)
    }

    fn source(
        &mut self,
        key: Key,
        source: &Text,
        seen: &BTreeMap<Arc<str>, Value>,
    ) -> Result<Value, Failure> {
        let expression = match source {
            Text::Fixed(text) => return Ok(text.as_str().into()),
            Text::Expression(expression) => expression,
        };
        let entries = seen.iter().map(|(name, value)| (Arc::clone(name), value.clone()));
        let input = Value::context(entries);
        let evaluation = evaluate(expression, &input, self.now, Trouble::Mapping)?;
        self.warn(key, &evaluation.warnings);
        Ok(evaluation.value)
    }
}

/// What a path is merged into that no mapping before it has set.
#[derive(Clone, Copy)]
enum Existing {
    Replaced,
    /// The variable as this scope sees it.
    MergedFrom(Key),
}

/// Sets a value inside a variable; what is not an object on the way becomes one.
fn put(variable: Option<&Variable>, path: &[String], value: &Value) -> Variable {
    let mut root = variable.map_or(Json::Null, |variable| variable.json().clone());
    let mut at = &mut root;
    for step in path {
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        at = &mut at[step.as_str()];
    }
    *at = value.to_json();
    Variable::new(root)
}
