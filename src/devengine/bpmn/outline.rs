//! The outline of a process: which elements and flows it has, in which sub-process, before
//! any of them is read. It fixes the indices.

use std::collections::HashMap;

use super::model::ElementIndex;
use super::reader::Reader;
use super::xml::{self, Node};

/// The deepest nesting of sub-processes.
const NESTING: usize = 32;

/// Parts of a process or activity that have no effect on a run, or are read elsewhere.
const PASSED_OVER: &[&str] = &[
    "association",
    "auditing",
    "completionQuantity",
    "correlationSubscription",
    "dataInputAssociation",
    "dataObject",
    "dataObjectReference",
    "dataOutputAssociation",
    "dataStoreReference",
    "documentation",
    "extensionElements",
    "group",
    "humanPerformer",
    "incoming",
    "ioBinding",
    "ioSpecification",
    "laneSet",
    "monitoring",
    "multiInstanceLoopCharacteristics",
    "outgoing",
    "performer",
    "potentialOwner",
    "property",
    "resourceRole",
    "standardLoopCharacteristics",
    "supportedInterfaceRef",
    "supports",
    "textAnnotation",
];

/// The nodes of a process.
#[derive(Default)]
pub(super) struct Outline<'x> {
    /// The elements, by index.
    pub(super) elements: Vec<Found<'x>>,
    /// The sequence flows.
    pub(super) flows: Vec<Found<'x>>,
    by_id: HashMap<&'x str, ElementIndex>,
}

/// A node and the sub-process around it.
#[derive(Clone, Copy)]
pub(super) struct Found<'x> {
    /// The node.
    pub(super) node: Node<'x>,
    /// The sub-process; `None` for the process itself.
    pub(super) scope: Option<ElementIndex>,
}

impl<'x> Outline<'x> {
    /// The outline of a process.
    pub(super) fn of(process: Node<'x>, reader: &mut Reader<'_>) -> Self {
        let mut outline = Self::default();
        outline.enter(Found { node: process, scope: None }, 0, reader);
        outline
    }

    /// The element of that id.
    pub(super) fn find(&self, id: &str) -> Option<ElementIndex> {
        self.by_id.get(id).copied()
    }

    /// The elements right inside a sub-process, or the process.
    pub(super) fn inside(
        &self,
        scope: Option<ElementIndex>,
    ) -> impl Iterator<Item = (ElementIndex, Node<'x>)> + '_ {
        self.elements
            .iter()
            .enumerate()
            .filter(move |(_, found)| found.scope == scope)
            .map(|(index, found)| (index, found.node))
    }

    /// Takes up what is inside a process or sub-process.
    fn enter(&mut self, around: Found<'x>, depth: usize, reader: &mut Reader<'_>) {
        if depth > NESTING {
            let reason = format!("sub-processes are nested more than {NESTING} deep; flatten them");
            return reader.report(around.node, reason);
        }
        for node in xml::children(around.node) {
            let found = Found { node, scope: around.scope };
            match xml::name(node) {
                "sequenceFlow" => self.flows.push(found),
                name if PASSED_OVER.contains(&name) => {}
                name => {
                    let index = self.add(found, reader);
                    if name == "subProcess" {
                        self.enter(Found { node, scope: Some(index) }, depth + 1, reader);
                    }
                }
            }
        }
    }

    fn add(&mut self, found: Found<'x>, reader: &mut Reader<'_>) -> ElementIndex {
        let index = self.elements.len();
        self.elements.push(found);
        match xml::filled(found.node, "id") {
            Some(id) => {
                self.by_id.insert(id, index);
            }
            None => reader.report(found.node, "it has no id; give it one"),
        }
        index
    }
}
