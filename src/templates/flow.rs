//! `servicenow-worker.flow`: starts a flow by its REST trigger or a scripted endpoint.
#![deny(clippy::disallowed_types)]

use super::{
    FLOW_API,
    model::{Binding, Element, Group, Property, Template},
    parts::{self, choices, input},
};

/// An expression that stands for nothing: it keeps out a variable of the same name.
const EMPTY: &str = "={}";

pub(super) fn template() -> Template {
    Template {
        name: "flow".to_owned(),
        label: "ServiceNow flow".to_owned(),
        description: "Start a flow or call a scripted endpoint".to_owned(),
        version: 2,
        documentation: FLOW_API,
        keywords: vec!["servicenow", "flow", "start", "trigger", "subflow", "workflow", "rest"],
        element: Element::ServiceTask,
        groups: vec![
            flow(),
            request(),
            parts::connection(),
            parts::outcome("serviceNow.executionId and what the flow answers"),
        ],
    }
}

fn flow() -> Group {
    let path = Property::line("path", input("path"), "Path")
        .placeholder("/api/x_acme/start_onboarding")
        .help("As the REST trigger in Workflow Studio shows it")
        .matching("^/?api/[^/?#%]+/[^?#%]+$", "must be /api/<namespace>/… without ?, # and %");
    let mut properties = parts::fixed("servicenow:flow:1", &[("operation", "start")]);
    properties.push(path);
    properties.extend(payload());
    properties.push(delivery());
    Group::open("flow", "Flow", properties)
}

fn payload() -> Vec<Property> {
    const KIND: &str = "payloadKind";
    let kind = Property::choice(
        KIND,
        Binding::Metadata("servicenow-worker.payload"),
        "Send with it",
        choices(&[
            ("Nothing", "none"),
            ("A FEEL context", "context"),
            ("A JSON template (Handlebars)", "template"),
        ]),
    )
    .help("The flow's inputs, as the JSON body of the request");
    let payload = Property::expression("payload", input("payload"), "Inputs")
        .help("{user: employee.name, start: startDate}")
        .required()
        .when(KIND, &["context"]);
    let template = Property::text("payloadTemplate", input("payloadTemplate"), "JSON template")
        .placeholder("{\"user\": \"{{name}}\"}")
        .help("{{name}} for a text, {{json name}} for any value")
        .required()
        .when(KIND, &["template"]);
    let data = Property::expression("templateData", input("templateData"), "Data of the template")
        .help("{name: employee.name}")
        .required()
        .when(KIND, &["template"]);
    let parts = [payload, template, data].into_iter().flat_map(Property::or_null);
    std::iter::once(kind).chain(parts).collect()
}

fn delivery() -> Property {
    let values = [
        ("Start again, with the same key", "at_least_once"),
        ("Never start twice: raise an incident", "at_most_once"),
    ];
    Property::choice("delivery", input("delivery"), "When the answer is lost", choices(&values))
        .help("The key: header Idempotency-Key, and idempotencyKey among the inputs")
}

fn request() -> Group {
    let method = Property::choice(
        "method",
        input("method"),
        "Method",
        choices(&[
            ("POST", "POST"),
            ("PUT", "PUT"),
            ("PATCH", "PATCH"),
            ("GET, without inputs", "GET"),
            ("DELETE", "DELETE"),
        ]),
    )
    .help("Triggers of flows take POST");
    let headers = Property::expression("headers", input("headers"), "Headers")
        .starting(EMPTY)
        .help("{\"x-source\": \"camunda\"}; secrets as \"{{secrets.NAME}}\"")
        .required();
    let parameters =
        Property::expression("queryParameters", input("queryParameters"), "Query parameters")
            .starting(EMPTY)
            .help("{dryRun: true}")
            .required();
    Group::closed("request", "Request", vec![method, headers, parameters])
}
