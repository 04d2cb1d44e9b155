//! Element templates: what modelers drop into a diagram.
//!
//! One description in code ([`Template`]) of the inputs, labels, groups and conditions of
//! each template, rendered to the JSON that Camunda's modelers read. The files are
//! committed under `element-templates/`; a test fails when they differ from the code.
//!
//! Three rules come from how the properties panel works. A field that is not there must
//! not leave room for a variable of the same name ([`Property::or_null`]). A text field
//! never takes the place of another one within its group. A field that the operation needs
//! is required under that operation, and left out of the BPMN file otherwise.
#![deny(clippy::disallowed_types)]

mod field;
mod model;
mod parts;
mod preconfigured;
mod record;
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

/// Every template.
pub fn all() -> Result<Vec<Template>, InvalidTable> {
    Ok([record::templates(), preconfigured::templates()?].into_iter().flatten().collect())
}
