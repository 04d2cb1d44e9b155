//! Input and output mappings, and what becomes of variables without them.
//!
//! Mappings are one FEEL context, as on the broker: they run in order and see what those
//! before them have set. Targets `o.a` and `o.b` are one entry `o` with entries of its own;
//! within it the names are `a` and `b`, and `o` is what it was. With output mappings only
//! their results leave the element; without, everything a job, message or called process
//! handed in does.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json};

use super::{
    Runtime,
    expression::evaluate,
    incident::{Failure, Trouble},
    instance::Role,
    json::json,
    variables::{Document, Variable},
};
use crate::{
    devengine::{
        bpmn::model::{BoundaryTrigger, Element, Kind, Mapping, Text},
        record::Key,
    },
    feel::Value,
};

/// How many names a target path may have; each is a level of JSON.
const LONGEST_PATH: usize = 64;

/// How deep a variable may nest: a loop of mappings must not grow what no worker could read,
/// and no walk could survive.
const DEEPEST: u32 = 120;

/// The targets as a tree: what is set, in the order of the first mention.
type Tree<'a> = Vec<(&'a str, Node<'a>)>;

/// A source, or entries below.
#[derive(Default)]
struct Node<'a> {
    source: Option<&'a Text>,
    entries: Tree<'a>,
}

/// What a path is merged into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    /// Nothing: inputs are new variables.
    Replaced,
    /// What the element sees under that name.
    Merged,
}

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
            let results = self.map(key, key, &element.outputs, Existing::Merged)?;
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
        let visible = self.visible(scope);
        let seen = visible.iter().map(|(name, it)| (Arc::clone(name), it.value().clone()));
        let mut mapper = Mapper { seen: seen.collect(), existing, key, runtime: self };
        let mut results = Document::new();
        for (name, node) in tree(mappings)? {
            let old = visible.get(name).map(Variable::json);
            let variable = Variable::new(mapper.json(&node, old)?);
            if variable.value().depth() > DEEPEST {
                return Err(Trouble::Mapping.because(format!(
                    "the variable '{name}' would nest more than {DEEPEST} levels"
                )));
            }
            let name: Arc<str> = name.into();
            mapper.seen.insert(Arc::clone(&name), variable.value().clone());
            results.insert(name, variable);
        }
        Ok(results)
    }
}

/// Evaluates the tree of an element's mappings.
struct Mapper<'a> {
    runtime: &'a mut Runtime,
    key: Key,
    existing: Existing,
    seen: BTreeMap<Arc<str>, Value>,
}

impl Mapper<'_> {
    fn json(&mut self, node: &Node<'_>, old: Option<&Json>) -> Result<Json, Failure> {
        match node.source {
            Some(source) => Ok(json(&self.value(source)?)),
            None => self.object(&node.entries, old),
        }
    }

    /// Paths nest no deeper than [`LONGEST_PATH`], and so does this. What is neither an object
    /// nor null cannot be merged into: the broker makes it null.
    fn object(&mut self, entries: &Tree<'_>, old: Option<&Json>) -> Result<Json, Failure> {
        let old = old.filter(|it| self.existing == Existing::Merged && !it.is_null());
        let is_mergeable = old.is_none_or(Json::is_object);
        let old = old.and_then(Json::as_object);
        let mut object = old.cloned().unwrap_or_default();
        let outside = self.seen.clone();
        for (name, node) in entries {
            let json = self.json(node, old.and_then(|old: &Map<_, _>| old.get(*name)))?;
            self.seen.insert((*name).into(), Value::from(&json));
            object.insert((*name).to_owned(), json);
        }
        self.seen = outside;
        Ok(if is_mergeable { Json::Object(object) } else { Json::Null })
    }

    fn value(&mut self, source: &Text) -> Result<Value, Failure> {
        let expression = match source {
            Text::Fixed(text) => return Ok(text.as_str().into()),
            Text::Expression(expression) => expression,
        };
        let entries = self.seen.iter().map(|(name, value)| (Arc::clone(name), value.clone()));
        let input = Value::context(entries);
        let evaluation = evaluate(expression, &input, self.runtime.now, Trouble::Mapping)?;
        self.runtime.warn(self.key, &evaluation.warnings);
        Ok(evaluation.value)
    }
}

fn tree(mappings: &[Mapping]) -> Result<Tree<'_>, Failure> {
    let mut tree = Tree::new();
    for Mapping { source, target } in mappings {
        if target.len() > LONGEST_PATH {
            return Err(Trouble::Mapping.because(format!(
                "the target of a mapping has {} names; {LONGEST_PATH} are the most",
                target.len()
            )));
        }
        let Some((first, path)) = target.split_first() else { continue };
        let mut node = node_of(&mut tree, first);
        for name in path {
            // A source that was there before is given up.
            node.source = None;
            node = node_of(&mut node.entries, name);
        }
        *node = Node { source: Some(source), entries: Tree::new() };
    }
    Ok(tree)
}

/// The node of a name among its siblings; it is added if it is new.
fn node_of<'t, 'a>(tree: &'t mut Tree<'a>, name: &'a str) -> &'t mut Node<'a> {
    let known = tree.iter().position(|(known, _)| *known == name);
    let at = known.unwrap_or(tree.len());
    if known.is_none() {
        tree.push((name, Node::default()));
    }
    &mut tree[at].1
}
