//! What people do with incidents: report an error, resolve, close, reopen, put on hold,
//! assign, note.
//!
//! Each is an update of the table with the state fixed and the fields that this state
//! needs demanded, so that a data policy does not refuse it at run time.
#![deny(clippy::disallowed_types)]

use super::{
    TABLE_API, field,
    model::{Binding, Element, Group, Property, Template},
    parts::{self, choices, input},
    table::{InvalidTable, Table},
};

const METADATA: &str = include_str!("tables/incident.json");
/// Values of `state`.
const IN_PROGRESS: &str = "2";
const ON_HOLD: &str = "3";
const RESOLVED: &str = "6";
const CLOSED: &str = "7";

pub(super) fn templates() -> Result<Vec<Template>, InvalidTable> {
    let table = Table::shipped("incident", METADATA)?;
    Ok(vec![
        Template { version: 2, ..from_error(&table)? },
        resolve(&table)?,
        close(&table)?,
        reopen(&table)?,
        hold(&table)?,
        Template { version: 2, ..assign(&table)? },
        Template { version: 2, ..note() },
    ])
}

/// An action: which incident, and what to do with it.
fn action(
    name: &str,
    label: &str,
    description: &str,
    keyword: &'static str,
    properties: Vec<Property>,
) -> Template {
    let fixed = [("operation", "update"), ("table", "incident")];
    let mut record = parts::fixed("servicenow:record:1", &fixed);
    record.extend(parts::record("INC"));
    task(
        name,
        label,
        description,
        keyword,
        vec![Group::open("record", "Incident", record), Group::open("action", label, properties)],
    )
}

fn task(
    name: &str,
    label: &str,
    description: &str,
    keyword: &'static str,
    mut groups: Vec<Group>,
) -> Template {
    groups.extend([parts::connection(), parts::outcome("serviceNow.sysId, .number, .record")]);
    Template {
        name: format!("incident-{name}"),
        label: format!("ServiceNow incident: {}", label.to_lowercase()),
        description: description.to_owned(),
        version: 1,
        documentation: TABLE_API,
        keywords: vec!["servicenow", "incident", "ticket", keyword],
        element: Element::ServiceTask,
        groups,
    }
}

/// A field of the table, demanded.
fn needed(table: &Table, name: &'static str) -> Result<Property, InvalidTable> {
    Ok(field::demanded(table.field(name)?))
}

/// A field of the table, left to the modeler.
fn free(table: &Table, name: &'static str) -> Result<Vec<Property>, InvalidTable> {
    Ok(field::properties(table.field(name)?, ""))
}

fn state(value: &str) -> Property {
    Property::fixed("state", input("fields.state"), value)
}

fn resolve(table: &Table) -> Result<Template, InvalidTable> {
    let mut properties = vec![
        state(RESOLVED),
        needed(table, "close_code")?,
        needed(table, "close_notes")?.help("What was done; the caller reads it"),
    ];
    properties.extend(free(table, "work_notes")?);
    Ok(action("resolve", "Resolve", "Set an incident to Resolved", "solve", properties))
}

fn close(table: &Table) -> Result<Template, InvalidTable> {
    let mut properties = vec![
        state(CLOSED),
        needed(table, "close_code")?,
        needed(table, "close_notes")?.help("What was done; the caller reads it"),
    ];
    properties.extend(free(table, "work_notes")?);
    Ok(action("close", "Close", "Set an incident to Closed", "finish", properties))
}

fn reopen(table: &Table) -> Result<Template, InvalidTable> {
    let properties = vec![
        state(IN_PROGRESS),
        needed(table, "comments")?.help("Why it is open again; the caller reads it"),
    ];
    Ok(action("reopen", "Reopen", "Set a resolved incident to In Progress", "again", properties))
}

fn hold(table: &Table) -> Result<Template, InvalidTable> {
    let properties = vec![
        state(ON_HOLD),
        needed(table, "hold_reason")?,
        needed(table, "comments")?.help("What is needed; the caller reads it"),
    ];
    Ok(action("hold", "Put on hold", "Set an incident to On Hold", "wait", properties))
}

fn assign(table: &Table) -> Result<Template, InvalidTable> {
    const TO: &str = "assignTo";
    let to = Property::choice(
        TO,
        Binding::Metadata("servicenow-worker.assignTo"),
        "Assign to",
        choices(&[("A group", "group"), ("A person", "person"), ("A person of a group", "both")]),
    )
    .help("The other of the two stays as it is");
    let group = needed(table, "assignment_group")?.when(TO, &["group", "both"]);
    let person = needed(table, "assigned_to")?.when(TO, &["person", "both"]);
    let mut properties = vec![to];
    properties.extend(field::or_not_written(group));
    properties.extend(field::or_not_written(person));
    properties.extend(free(table, "work_notes")?);
    Ok(action("assign", "Assign", "Give an incident to a group or person", "dispatch", properties))
}

fn note() -> Template {
    const KIND: &str = "noteKind";
    let kind = Property::choice(
        KIND,
        Binding::Metadata("servicenow-worker.noteKind"),
        "Add",
        choices(&[("A work note", "work_notes"), ("A comment", "comments")]),
    )
    .help("The caller reads comments, the service desk both");
    let work_note = Property::area("work_notes", input("fields.work_notes"), "Work note")
        .placeholder("An entry to add")
        .required()
        .when(KIND, &["work_notes"]);
    let comment = Property::area("comments", input("fields.comments"), "Comment")
        .placeholder("An entry to add")
        .required()
        .when(KIND, &["comments"]);
    let properties = std::iter::once(kind)
        .chain(field::or_not_written(work_note))
        .chain(field::or_not_written(comment))
        .collect();
    action("note", "Add a note", "Add a comment or work note to an incident", "comment", properties)
}

/// The description of an incident that an error leads to. `job` is what the worker knows of
/// the task.
const ERROR_TEXT: &str = concat!(
    r#"{"description": "{{errorMessage}}\n\nError code: {{errorCode}}\n"#,
    r#"Process: {{job.bpmnProcessId}}\nProcess instance: {{job.processInstanceKey}}"#,
    r#"{{#if operate}}\n{{operate}}/processes/{{job.processInstanceKey}}{{/if}}"}"#,
);

/// A new incident about an error that a boundary event or event sub-process caught.
fn from_error(table: &Table) -> Result<Template, InvalidTable> {
    let fixed = [("operation", "create"), ("table", "incident"), ("fieldsTemplate", ERROR_TEXT)];
    let mut incident = parts::fixed("servicenow:record:1", &fixed);
    incident.extend([
        needed(table, "short_description")?,
        field::only(table.field("impact")?),
        field::only(table.field("urgency")?),
        field::only(table.field("assignment_group")?),
        field::others(),
    ]);
    Ok(task(
        "from-error",
        "Create from an error",
        "Report a BPMN error, with a link to the instance",
        "error",
        vec![Group::open("incident", "Incident", incident), error(), link()],
    ))
}

fn error() -> Group {
    let code = Property::line("errorCode", input("templateData.errorCode"), "Error code")
        .starting("=errorCode")
        .help("The error event's variable for the code")
        .required();
    let message =
        Property::area("errorMessage", input("templateData.errorMessage"), "Error message")
            .starting("=errorMessage")
            .help("The error event's variable for the message")
            .required();
    Group::open("error", "Error", vec![code, message])
}

fn link() -> Group {
    const LINK: &str = "link";
    let link = Property::choice(
        LINK,
        Binding::Metadata("servicenow-worker.link"),
        "Process instance",
        choices(&[("Its key", "key"), ("Its key and a link to Operate", "operate")]),
    )
    .help("What the incident says about where it comes from");
    let operate = Property::line("operate", input("templateData.operate"), "Operate")
        .placeholder("https://operate.example.com")
        .help("Its address, without a path")
        .required()
        .when(LINK, &["operate"]);
    let properties = std::iter::once(link).chain(operate.or_null()).collect();
    Group::closed("link", "Link", properties)
}
