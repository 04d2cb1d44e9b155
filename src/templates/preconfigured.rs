//! One template a table: create, update or get, with the table's fields as typed inputs.
//!
//! What a field is called and which values it has comes from the table's metadata; which
//! fields are shown, in which order, is decided here.
#![deny(clippy::disallowed_types)]

use super::{
    TABLE_API, field,
    model::{Element, Group, Property, Template},
    parts::{self, choices, input},
    table::{InvalidTable, Table},
};

const OPERATION: &str = "operation";
const WRITING: &[&str] = &["create", "update"];

/// Which fields of a table are shown.
struct Layout {
    table: &'static str,
    metadata: &'static str,
    /// The template's name.
    name: &'static str,
    keywords: &'static [&'static str],
    /// What a modeler must know about the table before using it.
    note: &'static str,
    /// The fields that are in sight.
    main: &'static [&'static str],
    /// The fields of the closed group.
    more: &'static [&'static str],
}

const LAYOUTS: [Layout; 7] = [
    Layout {
        table: "incident",
        metadata: include_str!("tables/incident.json"),
        name: "incident",
        keywords: &["incident", "ticket", "itsm"],
        note: "",
        main: &[
            "short_description",
            "description",
            "caller_id",
            "assignment_group",
            "impact",
            "urgency",
            "category",
            "subcategory",
        ],
        more: &["assigned_to", "cmdb_ci", "state", "contact_type", "comments", "work_notes"],
    },
    Layout {
        table: "problem",
        metadata: include_str!("tables/problem.json"),
        name: "problem",
        keywords: &["problem", "root cause", "itsm"],
        note: "",
        main: &[
            "short_description",
            "description",
            "assignment_group",
            "cmdb_ci",
            "impact",
            "urgency",
            "category",
        ],
        more: &["assigned_to", "state", "known_error", "workaround", "cause_notes", "work_notes"],
    },
    Layout {
        table: "change_request",
        metadata: include_str!("tables/change_request.json"),
        name: "change-request",
        keywords: &["change", "rfc", "itsm"],
        note: "",
        main: &[
            "short_description",
            "description",
            "assignment_group",
            "start_date",
            "end_date",
            "type",
            "risk",
        ],
        more: &[
            "justification",
            "implementation_plan",
            "backout_plan",
            "cmdb_ci",
            "state",
            "work_notes",
        ],
    },
    Layout {
        table: "change_task",
        metadata: include_str!("tables/change_task.json"),
        name: "change-task",
        keywords: &["change", "task", "ctask", "itsm"],
        note: "",
        main: &[
            "change_request",
            "short_description",
            "description",
            "assignment_group",
            "planned_start_date",
            "planned_end_date",
            "change_task_type",
        ],
        more: &["assigned_to", "state", "close_code", "close_notes", "work_notes"],
    },
    Layout {
        table: "sc_request",
        metadata: include_str!("tables/sc_request.json"),
        name: "request",
        keywords: &["request", "req", "catalog", "order"],
        note: "; the record alone, without the catalog's items and flows",
        main: &[
            "requested_for",
            "short_description",
            "description",
            "special_instructions",
            "delivery_address",
            "due_date",
        ],
        more: &[
            "assignment_group",
            "assigned_to",
            "request_state",
            "approval",
            "comments",
            "work_notes",
        ],
    },
    Layout {
        table: "sc_req_item",
        metadata: include_str!("tables/sc_req_item.json"),
        name: "request-item",
        keywords: &["requested item", "ritm", "catalog", "order"],
        note: "; the record alone, without the catalog's variables and flow",
        main: &[
            "request",
            "cat_item",
            "short_description",
            "description",
            "quantity",
            "assignment_group",
            "due_date",
        ],
        more: &["assigned_to", "state", "stage", "approval", "comments", "work_notes"],
    },
    Layout {
        table: "sc_task",
        metadata: include_str!("tables/sc_task.json"),
        name: "catalog-task",
        keywords: &["catalog task", "sctask", "fulfillment", "user task"],
        note: "",
        main: &[
            "request_item",
            "short_description",
            "description",
            "assignment_group",
            "assigned_to",
            "due_date",
        ],
        more: &["state", "priority", "cmdb_ci", "close_notes", "comments", "work_notes"],
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
            "Create, update or get {} {}{}",
            article(&table.label),
            table.label.to_lowercase(),
            layout.note
        ),
        version: 1,
        documentation: TABLE_API,
        keywords,
        element: Element::ServiceTask,
        groups: vec![
            operation(&table),
            Group::open("record", "Record", parts::record(&table.prefix))
                .when(OPERATION, &["get", "update"]),
            fields(layout, &table)?,
            more(layout, &table)?,
            parts::result("serviceNow.sysId, .number, .record", answer()),
            parts::connection(),
            parts::errors(),
        ],
    })
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

fn operation(table: &Table) -> Group {
    let name = table.label.to_lowercase();
    let operation = Property::choice(
        OPERATION,
        input("operation"),
        "Operation",
        choices(&[
            (&format!("Create {} {name}", article(&table.label)), "create"),
            (&format!("Update {} {name}", article(&table.label)), "update"),
            (&format!("Get {} {name}", article(&table.label)), "get"),
        ]),
    )
    .help("A job never creates two records, whatever crashes");
    let mut properties = parts::fixed("servicenow:record:1", &[("table", &table.table)]);
    properties.push(operation);
    Group::open("operation", "Operation", properties)
}

fn fields(layout: &Layout, table: &Table) -> Result<Group, InvalidTable> {
    let mut properties = Vec::new();
    for name in layout.main {
        let found = table.field(name)?;
        if found.mandatory {
            // Two fields at one place for one mapping: needed to create, not to change.
            let needed = field::properties(found, "_new").into_iter().map(Property::required);
            properties.extend(needed.map(|item| item.when(OPERATION, &["create"])));
            let free = field::properties(found, "").into_iter();
            properties.extend(free.map(|item| item.when(OPERATION, &["update"])));
        } else {
            let found = field::properties(found, "").into_iter();
            properties.extend(found.map(|item| item.when(OPERATION, WRITING)));
        }
    }
    Ok(Group::open("fields", &table.label, properties))
}

fn more(layout: &Layout, table: &Table) -> Result<Group, InvalidTable> {
    let mut properties = Vec::new();
    for name in layout.more {
        properties.extend(field::properties(table.field(name)?, ""));
    }
    properties.push(field::others());
    Ok(Group::closed("more", "More fields", properties).when(OPERATION, WRITING))
}

fn answer() -> Vec<Property> {
    vec![parts::select(), parts::display_value(), parts::on_missing().when(OPERATION, &["get"])]
}
