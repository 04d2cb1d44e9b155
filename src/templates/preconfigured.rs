//! One template a table: create, update or get, with the table's fields as typed inputs.
//!
//! What a field is called and which values it has comes from the table's metadata; which
//! fields are shown, in which order, is decided here.
#![deny(clippy::disallowed_types)]

use super::{
    TABLE_API, field,
    model::{Element, Group, Property, Template},
    parts::{self, choices, input},
    table::{Field, InvalidTable, Table},
};

const OPERATION: &str = "operation";

use Shown::{Both, Change, New};

/// A field, and when it is shown.
#[derive(Clone, Copy)]
enum Shown {
    /// For a new record and for one that is changed.
    Both(&'static str),
    /// For a new record.
    New(&'static str),
    /// For one that is changed.
    Change(&'static str),
}

/// Which fields of a table are shown. Two text fields must not come to stand at one place
/// of a group under different operations: see [`Property::or_null`].
struct Layout {
    table: &'static str,
    metadata: &'static str,
    /// The template's name.
    name: &'static str,
    keywords: &'static [&'static str],
    /// The fields that are in sight.
    main: &'static [Shown],
    /// The fields of the closed group.
    more: &'static [Shown],
}

const LAYOUTS: [Layout; 7] = [
    Layout {
        table: "incident",
        metadata: include_str!("tables/incident.json"),
        name: "incident",
        keywords: &["incident", "ticket", "itsm"],
        main: &[
            Both("short_description"),
            New("description"),
            New("caller_id"),
            Both("assignment_group"),
            Both("impact"),
            Both("urgency"),
            New("category"),
        ],
        more: &[New("subcategory"), Change("state"), Change("work_notes")],
    },
    Layout {
        table: "problem",
        metadata: include_str!("tables/problem.json"),
        name: "problem",
        keywords: &["problem", "root cause", "itsm"],
        main: &[
            Both("short_description"),
            New("description"),
            New("cmdb_ci"),
            Both("assignment_group"),
            Both("impact"),
            Both("urgency"),
            New("category"),
        ],
        more: &[Change("state"), Change("workaround"), New("work_notes")],
    },
    Layout {
        table: "change_request",
        metadata: include_str!("tables/change_request.json"),
        name: "change-request",
        keywords: &["change", "rfc", "itsm"],
        main: &[
            Both("short_description"),
            New("description"),
            New("type"),
            Both("assignment_group"),
            Both("start_date"),
            Both("end_date"),
        ],
        more: &[
            Change("assigned_to"),
            Change("state"),
            New("implementation_plan"),
            Change("work_notes"),
        ],
    },
    Layout {
        table: "change_task",
        metadata: include_str!("tables/change_task.json"),
        name: "change-task",
        keywords: &["change", "task", "ctask", "itsm"],
        main: &[
            New("change_request"),
            Both("short_description"),
            New("description"),
            New("change_task_type"),
            Both("assignment_group"),
            New("planned_start_date"),
            New("planned_end_date"),
        ],
        more: &[Both("assigned_to"), Change("state"), Change("close_code"), Change("close_notes")],
    },
    Layout {
        table: "sc_request",
        metadata: include_str!("tables/sc_request.json"),
        name: "request",
        keywords: &["request", "req", "catalog", "order"],
        main: &[
            Both("requested_for"),
            Both("short_description"),
            New("description"),
            New("special_instructions"),
            New("delivery_address"),
            Both("due_date"),
        ],
        more: &[
            Both("assignment_group"),
            Change("request_state"),
            Change("comments"),
            Both("work_notes"),
        ],
    },
    Layout {
        table: "sc_req_item",
        metadata: include_str!("tables/sc_req_item.json"),
        name: "request-item",
        keywords: &["requested item", "ritm", "catalog", "order"],
        main: &[
            New("request"),
            New("cat_item"),
            Both("short_description"),
            New("description"),
            New("quantity"),
            Both("due_date"),
            Both("assignment_group"),
        ],
        more: &[Change("state"), Change("approval"), Both("work_notes")],
    },
    Layout {
        table: "sc_task",
        metadata: include_str!("tables/sc_task.json"),
        name: "catalog-task",
        keywords: &["catalog task", "sctask", "fulfillment", "user task"],
        main: &[
            New("request_item"),
            Both("short_description"),
            New("description"),
            Both("assignment_group"),
            Both("assigned_to"),
            New("due_date"),
        ],
        more: &[New("cmdb_ci"), Change("state"), Change("close_notes"), Both("work_notes")],
    },
];

pub(super) fn templates() -> Result<Vec<Template>, InvalidTable> {
    LAYOUTS.iter().map(template).collect()
}

fn template(layout: &Layout) -> Result<Template, InvalidTable> {
    let table = Table::shipped(layout.table, layout.metadata)?;
    let mut keywords = vec!["servicenow", "create", "update", "get"];
    keywords.extend(layout.keywords);
    Ok(Template {
        name: layout.name.to_owned(),
        label: format!("ServiceNow {}", table.label.to_lowercase()),
        description: format!(
            "Create, update or get {} {}",
            article(&table.label),
            table.label.to_lowercase()
        ),
        version: 2,
        documentation: TABLE_API,
        keywords,
        element: Element::ServiceTask,
        groups: vec![
            main(layout, &table)?,
            more(layout, &table)?,
            answer(),
            parts::connection(),
            parts::outcome("serviceNow.sysId, .number, .record"),
        ],
    })
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

/// The operation, the record and the fields in sight: one group, so that the panel is short.
fn main(layout: &Layout, table: &Table) -> Result<Group, InvalidTable> {
    let mut properties = parts::fixed("servicenow:record:1", &[("table", &table.table)]);
    properties.push(operation(table));
    properties.extend(record(table));
    properties.extend(self::properties(layout.main, table)?);
    Ok(Group::open("operation", &table.label, properties))
}

fn operation(table: &Table) -> Property {
    let record = format!("{} {}", article(&table.label), table.label.to_lowercase());
    let choices = choices(&[
        (&format!("Create {record}"), "create"),
        (&format!("Update {record}"), "update"),
        (&format!("Get {record}"), "get"),
    ]);
    Property::choice(OPERATION, input("operation"), "Operation", choices)
        .help("One record a task, whatever crashes")
}

/// Which record; what stands for it when there is none yet keeps the fields' places.
fn record(table: &Table) -> Vec<Property> {
    let mut properties = parts::record(&table.prefix);
    let find_by = properties.remove(0);
    let none = Property::instead_of(&find_by, "none");
    let record = [find_by, none].into_iter().chain(properties);
    record
        .map(|item| if item.is_field() { item.when(OPERATION, &["get", "update"]) } else { item })
        .collect()
}

fn more(layout: &Layout, table: &Table) -> Result<Group, InvalidTable> {
    let mut properties = properties(layout.more, table)?;
    properties.push(field::others().when(OPERATION, &["create", "update"]));
    Ok(Group::closed("more", "More fields", properties))
}

fn properties(shown: &[Shown], table: &Table) -> Result<Vec<Property>, InvalidTable> {
    let mut properties = Vec::new();
    for shown in shown {
        properties.extend(match *shown {
            Both(name) => field(table.field(name)?, &["create", "update"], &[]),
            New(name) => field(table.field(name)?, &["create"], &["update"]),
            Change(name) => field(table.field(name)?, &["update"], &["create"]),
        });
    }
    Ok(properties)
}

/// The properties of a field that is shown under some operations; under the others a value
/// that is not written keeps its place.
fn field(field: &Field, shown: &[&str], absent: &[&str]) -> Vec<Property> {
    let mut properties = Vec::new();
    for operation in shown {
        let is_needed = field.mandatory && *operation == "create";
        // Two properties for one mapping: needed to create, not to change.
        let suffix = if field.mandatory { format!("_{operation}") } else { String::new() };
        let operations = if field.mandatory { std::slice::from_ref(operation) } else { shown };
        for property in field::properties(field, &suffix) {
            let property = if is_needed { property.required() } else { property };
            properties.push(property.when(OPERATION, operations));
        }
        if !field.mandatory {
            break;
        }
    }
    if !absent.is_empty() && field.dependent_on.is_none() {
        let null = Property::fixed(
            &format!("{}_none", field.name),
            input(&format!("fields.{}", field.name)),
            field::NOT_WRITTEN,
        );
        properties.push(null.when(OPERATION, absent));
    }
    properties
}

/// How the record comes back.
fn answer() -> Group {
    let properties = [parts::select(), parts::display_value(), parts::on_missing()];
    Group::closed("answer", "What to return", properties.into()).when(OPERATION, &["get"])
}
