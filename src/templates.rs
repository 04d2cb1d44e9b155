//! Element templates: what modelers drop into a diagram.
//!
//! One description in code ([`Template`]) of the inputs, labels, groups and conditions of
//! each template, rendered to the JSON that Camunda's modelers read. The files are
//! committed under `element-templates/`; a test fails when they differ from the code, or
//! when a template has changed and its version has not ([`release`]).
//!
//! Three rules come from how the properties panel works. A field that is not there must
//! not leave room for a variable of the same name ([`Property::or_null`]). A text field
//! never takes the place of another one within its group. A field that the operation needs
//! is required under that operation, and left out of the BPMN file otherwise.
#![deny(clippy::disallowed_types)]

mod event;
mod field;
mod flow;
mod incident;
mod model;
mod parts;
mod preconfigured;
mod record;
pub mod release;
mod render;
mod table;

pub use model::{
    Binding, Choice, Condition, Constraint, Element, Feel, Group, Kind, Property, Template,
};
pub use render::{render, text};
pub use table::{Field, FieldChoice, FieldKind, InvalidTable, Table};

/// ServiceNow's page on the API that reads and writes records.
const TABLE_API: &str =
    "https://www.servicenow.com/docs/csh?topicname=c_TableAPI.html&version=latest";

/// ServiceNow's page on starting flows over REST.
const FLOW_API: &str =
    "https://www.servicenow.com/docs/csh?topicname=flow-triggers.html&version=latest";
/// Camunda's page on messages.
const MESSAGES: &str = "https://docs.camunda.io/docs/components/concepts/messages/";
/// Camunda's page on signals.
const SIGNALS: &str = "https://docs.camunda.io/docs/components/concepts/signals/";

/// Every template.
pub fn all() -> Result<Vec<Template>, InvalidTable> {
    let mut templates = vec![record::template()];
    templates.extend(preconfigured::templates()?);
    templates.extend(incident::templates()?);
    templates.push(flow::template());
    templates.extend(event::templates());
    Ok(templates)
}

#[cfg(test)]
mod tests;
