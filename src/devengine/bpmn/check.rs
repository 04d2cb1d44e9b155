//! What must hold between elements, once all are read.

mod loops;
mod unique;

use super::flow;
use super::model::{Element, Kind, Process, StartTrigger};
use super::outline::Outline;
use super::reader::Reader;
use super::xml::{self, Node};

/// Checks a process.
pub(super) fn process(
    node: Node<'_>,
    process: &Process,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) {
    if process.id.is_empty() {
        reader.report(node, "it has no id; give it one, instances are started by it");
    }
    process_starts(node, process, outline, reader);
    for (index, element) in process.elements.iter().enumerate() {
        let node = outline.elements[index].node;
        match xml::name(node) {
            "subProcess" => sub_process_starts(index, node, outline, reader),
            "exclusiveGateway" => conditions(node, element, process, reader),
            "inclusiveGateway" => {
                conditions(node, element, process, reader);
                inclusive_join(node, element, reader);
            }
            "eventBasedGateway" => event_gateway(node, element, process, outline, reader),
            _ => {}
        }
    }
    unique::check(process, outline, reader);
    loops::check(process, outline, reader);
}

/// A process has a start event, and at most one without trigger.
fn process_starts(
    node: Node<'_>,
    process: &Process,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) {
    let starts: Vec<_> = starts(outline, None).collect();
    if starts.is_empty() {
        reader.report(node, "it has no start event; add one");
    }
    let is_none =
        |index: &usize| matches!(process.elements[*index].kind, Kind::Start(StartTrigger::None));
    for second in starts.into_iter().filter(is_none).skip(1) {
        let reason = "the process has another start event without trigger; keep one of them";
        reader.report(outline.elements[second].node, reason);
    }
}

/// Any sub-process has exactly one start event.
fn sub_process_starts(
    index: usize,
    node: Node<'_>,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) {
    let count = starts(outline, Some(index)).count();
    if count == 1 {
        return;
    }
    let kind = if flow::is_event_sub_process(node) { "event sub-process" } else { "sub-process" };
    let reason = format!("this {kind} has {count} start events; give it exactly one");
    reader.report(node, reason);
}

/// The start events right inside a process or sub-process.
fn starts(outline: &Outline<'_>, scope: Option<usize>) -> impl Iterator<Item = usize> {
    outline
        .inside(scope)
        .filter(|(_, node)| xml::name(*node) == "startEvent")
        .map(|(index, _)| index)
}

/// Of several flows out of a gateway, all but the default have a condition.
fn conditions(node: Node<'_>, element: &Element, process: &Process, reader: &mut Reader<'_>) {
    let (Kind::Exclusive { default } | Kind::Inclusive { default }) = &element.kind else { return };
    if element.outgoing.len() < 2 {
        return;
    }
    for index in &element.outgoing {
        let flow = &process.flows[*index];
        if flow.condition.is_none() && Some(*index) != *default {
            let id = &flow.id;
            let reason = format!(
                "its flow '{id}' has no condition; give it one or make it the default flow"
            );
            reader.report(node, reason);
        }
    }
}

fn inclusive_join(node: Node<'_>, element: &Element, reader: &mut Reader<'_>) {
    if element.incoming.len() > 1 {
        let reason = "the dev engine does not join at inclusive gateways; \
                      join at a parallel gateway or use a Camunda cluster";
        reader.report(node, reason);
    }
}

/// Behind an event-based gateway stand at least two catch events of its own.
fn event_gateway(
    node: Node<'_>,
    element: &Element,
    process: &Process,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) {
    if element.outgoing.len() < 2 {
        reader.report(node, "it has fewer than two ways out; add catch events behind it");
    }
    for index in &element.outgoing {
        let target = process.flows[*index].target;
        let id = &process.elements[target].id;
        if xml::name(outline.elements[target].node) != "intermediateCatchEvent" {
            let reason = format!(
                "it leads to '{id}', which is no intermediate catch event; put one in between"
            );
            reader.report(node, reason);
        } else if process.elements[target].incoming.len() > 1 {
            let reason = format!("the event '{id}' behind it has another flow in; remove that one");
            reader.report(node, reason);
        }
    }
}
