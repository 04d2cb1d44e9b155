//! Events, by what triggers them.

mod trigger;

use super::element::Site;
use super::flow;
use super::model::{
    Boundary, BoundaryTrigger, EndTrigger, Kind, MessageSubscription, StartTrigger,
};
use super::reader::Reader;
use super::task;
use super::xml::{self, Node};
use trigger::{Correlation, Trigger};

/// What a start event starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// The process.
    Process,
    /// An embedded sub-process.
    SubProcess,
    /// An event sub-process.
    EventSubProcess,
}

/// A start event.
pub(super) fn start<'x>(
    node: Node<'x>,
    around: Around,
    reader: &mut Reader<'x>,
) -> Option<StartTrigger> {
    let trigger = Trigger::of(node, reader)?;
    let inside = around == Around::EventSubProcess;
    match (trigger.kind, around) {
        ("none", Around::EventSubProcess) => reader.refuse(
            node,
            "it starts an event sub-process by nothing; add a message, timer or error",
        ),
        ("none", _) => Some(StartTrigger::None),
        (_, Around::SubProcess) => {
            reader.refuse(node, "an embedded sub-process starts by its token; remove the trigger")
        }
        ("message", _) => {
            let correlation = if inside { Correlation::Needed } else { Correlation::None };
            let mut message = trigger.message(correlation, reader)?;
            if !inside {
                message.name = reader.constant(node, "message name", message.name)?;
            }
            Some(StartTrigger::Message(message))
        }
        ("signal", Around::Process) => {
            let name = trigger.signal(reader)?;
            reader.constant(node, "signal name", name).map(StartTrigger::Signal)
        }
        ("signal", _) => trigger.signal(reader).map(StartTrigger::Signal),
        ("timer", Around::Process) => trigger.constant_timer(reader).map(StartTrigger::Timer),
        ("timer", _) => trigger.timer_unless("isInterrupting", reader).map(StartTrigger::Timer),
        ("error", Around::EventSubProcess) => {
            trigger.error_catch("isInterrupting", reader).map(StartTrigger::Error)
        }
        _ => trigger.unknown("start", reader),
    }
}

/// An end event.
pub(super) fn end<'x>(node: Node<'x>, reader: &mut Reader<'x>) -> Option<EndTrigger> {
    let trigger = Trigger::of(node, reader)?;
    match trigger.kind {
        "none" => Some(EndTrigger::None),
        "terminate" => Some(EndTrigger::Terminate),
        "error" => trigger.thrown_error(reader).map(EndTrigger::Error),
        "message" => task::job(node, reader).map(EndTrigger::Job),
        "signal" => trigger.signal(reader).map(EndTrigger::Signal),
        _ => trigger.unknown("end", reader),
    }
}

/// An intermediate catch event.
pub(super) fn catch<'x>(node: Node<'x>, reader: &mut Reader<'x>) -> Option<Kind> {
    let trigger = Trigger::of(node, reader)?;
    match trigger.kind {
        "none" => reader
            .refuse(node, "it waits for nothing; add a message, timer or signal, or remove it"),
        "message" => trigger.message(Correlation::Needed, reader).map(Kind::Message),
        "signal" => trigger.signal(reader).map(Kind::Signal),
        "timer" => trigger.single_timer(reader).map(Kind::Timer),
        _ => trigger.unknown("intermediate catch", reader),
    }
}

/// An intermediate throw event.
pub(super) fn throw<'x>(node: Node<'x>, reader: &mut Reader<'x>) -> Option<Kind> {
    let trigger = Trigger::of(node, reader)?;
    match trigger.kind {
        "none" => Some(Kind::Pass),
        "message" => task::job(node, reader).map(Kind::Job),
        "signal" => trigger.signal(reader).map(Kind::BroadcastSignal),
        _ => trigger.unknown("intermediate throw", reader),
    }
}

/// A receive task.
pub(super) fn receive<'x>(node: Node<'x>, reader: &mut Reader<'x>) -> Option<MessageSubscription> {
    Trigger::of_receive_task(node).message(Correlation::Needed, reader)
}

/// A boundary event.
pub(super) fn boundary<'x>(site: &Site<'_, 'x>, reader: &mut Reader<'x>) -> Option<Boundary> {
    let node = site.node();
    let attached_to = attached_to(site, reader);
    let trigger = Trigger::of(node, reader)?;
    let caught = match trigger.kind {
        "none" => {
            reader.refuse(node, "it waits for nothing; add a message, timer, signal or error")
        }
        "message" => trigger.message(Correlation::Needed, reader).map(BoundaryTrigger::Message),
        "signal" => trigger.signal(reader).map(BoundaryTrigger::Signal),
        "timer" => trigger.timer_unless("cancelActivity", reader).map(BoundaryTrigger::Timer),
        "error" => trigger.error_catch("cancelActivity", reader).map(BoundaryTrigger::Error),
        _ => trigger.unknown("boundary", reader),
    };
    let interrupting = xml::flag(node, "cancelActivity", true);
    Some(Boundary { attached_to: attached_to?, interrupting, trigger: caught? })
}

/// The activity a boundary event hangs on.
fn attached_to(site: &Site<'_, '_>, reader: &mut Reader<'_>) -> Option<usize> {
    let node = site.node();
    let found = xml::reference(node, "attachedToRef").and_then(|id| site.outline.find(id));
    let Some(index) = found else {
        return reader.refuse(node, "it hangs on nothing; attach it to an activity");
    };
    let activity = site.outline.elements[index];
    if activity.scope == site.found().scope && is_activity(activity.node) {
        return Some(index);
    }
    reader.refuse(node, "it hangs on something other than an activity beside it; attach it to one")
}

fn is_activity(node: Node<'_>) -> bool {
    let name = xml::name(node);
    (name.ends_with("Task") || name.ends_with("Process") || matches!(name, "task" | "callActivity"))
        && !flow::is_event_sub_process(node)
}
