//! Events: what ServiceNow starts and what a process waits for.
//!
//! The worker's inbound endpoint publishes; a BPMN file only says which message or signal
//! it waits for. So there is nothing here for a connector runtime in the same cluster to
//! pick up: a property `inbound.type` would make it report a connector that is not there.
#![deny(clippy::disallowed_types)]

use super::{
    MESSAGES, SIGNALS,
    model::{Binding, Element, Group, Property, Template},
};

pub(super) fn templates() -> Vec<Template> {
    vec![
        start(),
        message(
            "message-catch",
            "Wait for a ServiceNow record",
            "Goes on when ServiceNow reports on the record",
            Element::MessageCatchEvent,
        ),
        message(
            "message-receive",
            "Wait for a ServiceNow record (task)",
            "A task that waits, for boundary events",
            Element::ReceiveTask,
        ),
        message(
            "message-boundary",
            "ServiceNow record reported",
            "Leaves a task when ServiceNow reports on the record",
            Element::MessageBoundaryEvent,
        ),
        signal(),
    ]
}

/// The start of a process: without a correlation key, since there are no variables yet that
/// it could come from. Only the start of an event sub-process would need one.
fn start() -> Template {
    let template = event(
        "message-start",
        "Started by ServiceNow",
        "Starts a process when ServiceNow says so",
        Element::MessageStartEvent,
        Group::open("message", "Message", vec![name_of_message("servicenow.incident.created")]),
    );
    Template { version: 2, ..template }
}

fn name_of_message(placeholder: &str) -> Property {
    Property::line("messageName", Binding::MessageName, "Message name")
        .placeholder(placeholder)
        .help("The same name as in the flow or business rule")
        .required()
}

fn message(name: &str, label: &str, description: &str, element: Element) -> Template {
    let key = Property::expression("correlationKey", Binding::CorrelationKey, "Correlation key")
        .starting("=serviceNow.sysId")
        .help("The sys_id that ServiceNow sends; must be there when the process gets here")
        .required();
    let properties = vec![name_of_message("servicenow.incident.resolved"), key];
    event(name, label, description, element, Group::open("message", "Message", properties))
}

fn signal() -> Template {
    let name = Property::line("signalName", Binding::SignalName, "Signal name")
        .placeholder("servicenow.maintenance.begins")
        .help("Starts every process that waits for it")
        .required();
    event(
        "signal-start",
        "Started by a ServiceNow signal",
        "Starts a process on a signal, along with others",
        Element::SignalStartEvent,
        Group::open("signal", "Signal", vec![name]),
    )
}

fn event(name: &str, label: &str, description: &str, element: Element, group: Group) -> Template {
    let is_signal = element == Element::SignalStartEvent;
    Template {
        name: name.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        version: 1,
        documentation: if is_signal { SIGNALS } else { MESSAGES },
        keywords: vec!["servicenow", "inbound", "webhook", "correlate", "trigger"],
        element,
        groups: vec![group],
    }
}
