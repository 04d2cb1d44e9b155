//! `servicenow-worker.record`: any table, every operation.
#![deny(clippy::disallowed_types)]

use super::{
    TABLE_API,
    model::{Binding, Element, Group, Property, Template},
    parts::{self, choices, input},
};

const OPERATION: &str = "operation";

pub(super) fn template() -> Template {
    Template {
        name: "record".to_owned(),
        label: "ServiceNow record".to_owned(),
        description: "Read and write records of any table".to_owned(),
        version: 1,
        documentation: TABLE_API,
        keywords: vec![
            "servicenow",
            "table",
            "record",
            "create",
            "insert",
            "read",
            "get",
            "find",
            "query",
            "search",
            "update",
            "upsert",
            "delete",
            "count",
        ],
        element: Element::ServiceTask,
        groups: vec![
            operation(),
            fields(),
            answer(),
            parts::connection(),
            parts::outcome("serviceNow.sysId, .number, .record"),
        ],
    }
}

fn operation() -> Group {
    let operation = Property::choice(
        OPERATION,
        input("operation"),
        "Operation",
        choices(&[
            ("Create a record", "create"),
            ("Get a record", "get"),
            ("Find records", "find"),
            ("Update a record", "update"),
            ("Update or create a record", "upsert"),
            ("Delete a record", "delete"),
            ("Count records", "count"),
        ]),
    )
    .help("One record a task, whatever crashes");
    let table = Property::line("table", input("table"), "Table")
        .placeholder("incident, change_request, u_my_table")
        .matching(
            "^[a-z0-9_]+$",
            "must be a table's name, not its label: small letters, digits, _",
        );
    let record = parts::record("INC").into_iter();
    let record = record.map(|item| item.when(OPERATION, &["get", "update", "delete"]));
    let query = Property::area("query", input("query"), "Query")
        .placeholder("active=true^priority=1")
        .help("Encoded query, or as expression {active: true}")
        .required()
        .when(OPERATION, &["find", "count"]);
    let mut properties = parts::fixed("servicenow:record:1", &[]);
    properties.extend([operation, table]);
    properties.extend(record);
    properties.push(query);
    Group::open("operation", "Operation", properties)
}

fn fields() -> Group {
    const KIND: &str = "fieldsKind";
    let kind = Property::choice(
        KIND,
        Binding::Metadata("servicenow-worker.fields"),
        "Give the fields as",
        choices(&[("FEEL context", "context"), ("JSON template (Handlebars)", "template")]),
    )
    .help("A template suits long texts with values in them");
    let fields = Property::expression("fields", input("fields"), "Fields")
        .help("{short_description: title, urgency: 2}; null leaves a field as it is")
        .required()
        .when(KIND, &["context"]);
    let template = Property::text("fieldsTemplate", input("fieldsTemplate"), "JSON template")
        .placeholder("{\"short_description\": \"{{title}}\"}")
        .tooltip("{{name}} for a text, {{json name}} for any value of the data")
        .required()
        .when(KIND, &["template"]);
    let data = Property::expression("templateData", input("templateData"), "Data of the template")
        .help("{title: title, user: customer.name}")
        .required()
        .when(KIND, &["template"]);
    let match_on = Property::line("matchOn", input("matchOn"), "Match on")
        .placeholder("correlation_id")
        .help("Fields that tell which record, with commas")
        .required()
        .when(OPERATION, &["upsert"]);
    let properties = std::iter::once(kind)
        .chain(fields.or_null())
        .chain(template.or_null())
        .chain(data.or_null())
        .chain([match_on]);
    Group::open("fields", "Fields", properties.collect())
        .when(OPERATION, &["create", "update", "upsert"])
}

/// How records come back.
fn answer() -> Group {
    let records: &[&str] = &["create", "get", "find", "update", "upsert"];
    let select = parts::select().when(OPERATION, records);
    let display = parts::display_value().when(OPERATION, records);
    let missing = parts::on_missing().when(OPERATION, &["get"]);
    let order = Property::line("orderBy", input("orderBy"), "Order by")
        .placeholder("opened_at desc")
        .help("Fields with commas; desc turns one round")
        .when(OPERATION, &["find"]);
    let limit = Property::line("limit", input("limit"), "Limit")
        .starting("100")
        .help("Most records, up to 10000")
        .matching("^[1-9][0-9]{0,4}$", "must be a whole number from 1 to 10000")
        .when(OPERATION, &["find"]);
    Group::closed("answer", "What to return", vec![select, display, missing, order, limit])
}
