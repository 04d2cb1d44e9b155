//! Sequence flows: from where to where, and on what condition.

use std::collections::HashMap;

use super::model::{ElementIndex, Flow, FlowIndex};
use super::outline::{Found, Outline};
use super::reader::Reader;
use super::xml::{self, Node};

/// The flows of a process.
pub(super) struct Flows<'x> {
    /// Those that are sound, in the order of the file.
    pub(super) flows: Vec<Flow>,
    /// All of them; those that were refused have no index.
    by_id: HashMap<&'x str, Option<FlowIndex>>,
}

/// What a look-up by id found.
pub(super) enum Lookup {
    /// A sound flow.
    Flow(FlowIndex),
    /// A flow that was refused already.
    Refused,
    /// Nothing.
    Unknown,
}

impl<'x> Flows<'x> {
    /// Reads all flows.
    pub(super) fn of(outline: &Outline<'x>, reader: &mut Reader<'_>) -> Self {
        let mut flows = Self { flows: Vec::new(), by_id: HashMap::new() };
        for found in &outline.flows {
            let flow = read(*found, outline, reader);
            let index = flow.is_some().then_some(flows.flows.len());
            flows.flows.extend(flow);
            flows.by_id.insert(xml::filled(found.node, "id").unwrap_or_default(), index);
        }
        flows
    }

    /// The flow of that id.
    pub(super) fn find(&self, id: &str) -> Lookup {
        match self.by_id.get(id) {
            Some(Some(index)) => Lookup::Flow(*index),
            Some(None) => Lookup::Refused,
            None => Lookup::Unknown,
        }
    }
}

fn read(found: Found<'_>, outline: &Outline<'_>, reader: &mut Reader<'_>) -> Option<Flow> {
    let node = found.node;
    let source = end(found, "sourceRef", outline, reader);
    let target = end(found, "targetRef", outline, reader);
    let (source, target) = (source?, target?);
    leaves(node, outline.elements[source].node, reader)?;
    enters(node, outline.elements[target].node, reader)?;
    let condition = match xml::child(node, "conditionExpression") {
        Some(text) => {
            conditional(node, outline.elements[source].node, reader)?;
            Some(reader.expression(node, "condition", &xml::text(text))?)
        }
        None => None,
    };
    let id = xml::filled(node, "id").unwrap_or_default().to_owned();
    Some(Flow { id, source, target, condition })
}

/// The element at one end, which must be in the flow's own scope.
fn end(
    found: Found<'_>,
    attribute: &str,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) -> Option<ElementIndex> {
    let node = found.node;
    let Some(id) = xml::reference(node, attribute) else {
        return reader.refuse(node, format!("it has no {attribute}; connect it or remove it"));
    };
    let Some(index) = outline.find(id) else {
        let reason = format!("its {attribute} '{id}' is no element; connect it or remove it");
        return reader.refuse(node, reason);
    };
    if outline.elements[index].scope == found.scope {
        return Some(index);
    }
    let reason = format!("its {attribute} '{id}' is in another sub-process; connect it within one");
    reader.refuse(node, reason)
}

fn leaves(flow: Node<'_>, source: Node<'_>, reader: &mut Reader<'_>) -> Option<()> {
    match xml::name(source) {
        "endEvent" => reader.refuse(flow, "it leaves an end event; end the path there"),
        _ if is_event_sub_process(source) => reader.refuse(
            flow,
            "it leaves an event sub-process; put what follows inside, before its end",
        ),
        _ => Some(()),
    }
}

fn enters(flow: Node<'_>, target: Node<'_>, reader: &mut Reader<'_>) -> Option<()> {
    match xml::name(target) {
        "startEvent" => reader.refuse(flow, "it enters a start event; lead it to what follows"),
        "boundaryEvent" => reader.refuse(flow, "it enters a boundary event; lead it elsewhere"),
        _ if is_event_sub_process(target) => reader
            .refuse(flow, "it enters an event sub-process, which starts by its own event alone"),
        _ => Some(()),
    }
}

fn conditional(flow: Node<'_>, source: Node<'_>, reader: &mut Reader<'_>) -> Option<()> {
    match xml::name(source) {
        "exclusiveGateway" | "inclusiveGateway" => Some(()),
        _ => reader.refuse(
            flow,
            "it has a condition but leaves no exclusive or inclusive gateway; put one in between",
        ),
    }
}

/// Whether an element is an event sub-process.
pub(super) fn is_event_sub_process(node: Node<'_>) -> bool {
    xml::name(node) == "subProcess" && xml::flag(node, "triggeredByEvent", false)
}
