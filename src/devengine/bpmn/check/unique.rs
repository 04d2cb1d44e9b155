//! What may be waited for once: a message name or error code at one activity, in one scope,
//! behind one event-based gateway, or at the start of a process.

use std::collections::HashMap;

use super::starts;
use crate::devengine::bpmn::model::{
    BoundaryTrigger, Element, ElementIndex, ErrorCatch, Kind, Process, StartTrigger, Text,
};
use crate::devengine::bpmn::outline::Outline;
use crate::devengine::bpmn::reader::Reader;

/// Reports every event that waits for what another beside it waits for.
pub(super) fn check(process: &Process, outline: &Outline<'_>, reader: &mut Reader<'_>) {
    group(starts(outline, None), process, outline, reader);
    group(event_sub_processes(process, None), process, outline, reader);
    for (index, element) in process.elements.iter().enumerate() {
        match &element.kind {
            Kind::EventBased => {
                let targets = element.outgoing.iter().map(|flow| process.flows[*flow].target);
                group(targets, process, outline, reader);
            }
            Kind::SubProcess | Kind::EventSubProcess { .. } => {
                group(event_sub_processes(process, Some(index)), process, outline, reader);
            }
            _ => {}
        }
        let own = matches!(element.kind, Kind::Message(_)).then_some(index);
        group(own.into_iter().chain(element.boundary.iter().copied()), process, outline, reader);
    }
}

/// The start events of the event sub-processes in a scope.
fn event_sub_processes(
    process: &Process,
    scope: Option<ElementIndex>,
) -> impl Iterator<Item = ElementIndex> {
    let inside = process.elements.iter().filter(move |element| element.scope == scope);
    inside.filter_map(|element| match element.kind {
        Kind::EventSubProcess { start, .. } => Some(start),
        _ => None,
    })
}

fn group(
    events: impl Iterator<Item = ElementIndex>,
    process: &Process,
    outline: &Outline<'_>,
    reader: &mut Reader<'_>,
) {
    let mut first: HashMap<String, ElementIndex> = HashMap::new();
    for event in events {
        let Some(awaited) = awaited(&process.elements[event]) else { continue };
        if let Some(earlier) = first.get(&awaited) {
            let earlier = &process.elements[*earlier].id;
            let reason = format!("'{earlier}' waits for {awaited} already; keep one of them");
            reader.report(outline.elements[event].node, reason);
        } else {
            first.insert(awaited, event);
        }
    }
}

/// What an event waits for, in words; an expression shows at run time.
fn awaited(element: &Element) -> Option<String> {
    match &element.kind {
        Kind::Message(message) => fixed(&message.name),
        Kind::Start(StartTrigger::Message(start)) => fixed(&start.name),
        Kind::Start(StartTrigger::Error(catch)) => Some(caught(catch)),
        Kind::Boundary(boundary) => match &boundary.trigger {
            BoundaryTrigger::Message(message) => fixed(&message.name),
            BoundaryTrigger::Error(catch) => Some(caught(catch)),
            BoundaryTrigger::Timer(_) | BoundaryTrigger::Signal(_) => None,
        },
        _ => None,
    }
}

fn fixed(name: &Text) -> Option<String> {
    match name {
        Text::Fixed(name) => Some(format!("message '{name}'")),
        Text::Expression(_) => None,
    }
}

fn caught(catch: &ErrorCatch) -> String {
    catch.code.as_ref().map_or_else(|| "any error".to_owned(), |code| format!("error '{code}'"))
}
