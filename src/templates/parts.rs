//! The groups that every task has: where and who, what comes back, what if it fails.
#![deny(clippy::disallowed_types)]

use super::model::{Binding, Choice, Group, Property};

const MODE: &str = "connectionMode";
const TYPE: &str = "authenticationType";
const INLINE: &[&str] = &["inline"];

/// A duration in ISO 8601, or nothing.
const DURATION: &str = r"^(P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d{1,9})?S)?)?)?$";
const DURATION_MESSAGE: &str = "must be a duration like PT30S, PT5M or P1D";

/// An input.
pub(super) fn input(name: &str) -> Binding {
    Binding::Input(name.to_owned())
}

/// Choices from pairs of label and value.
pub(super) fn choices(pairs: &[(&str, &str)]) -> Vec<Choice> {
    pairs.iter().map(|(label, value)| Choice::new(label, value)).collect()
}

/// The fixed values of a task: its job type and what the modeler need not see.
pub(super) fn fixed(job_type: &str, inputs: &[(&str, &str)]) -> Vec<Property> {
    let inputs = inputs.iter().map(|(name, value)| Property::fixed(name, input(name), value));
    std::iter::once(Property::fixed("jobType", Binding::JobType, job_type)).chain(inputs).collect()
}

/// Which record is meant, by sys_id or number.
pub(super) fn record(prefix: &str) -> Vec<Property> {
    let find_by = Property::choice(
        "findBy",
        Binding::Metadata("servicenow-worker.findBy"),
        "Find the record by",
        choices(&[("sys_id", "sysId"), ("Number", "number")]),
    );
    let sys_id = Property::line("sysId", input("sysId"), "sys_id")
        .placeholder("=serviceNow.sysId")
        .help("32 characters; =serviceNow.sysId after a task that created the record")
        .required()
        .matching("^[0-9a-fA-F]{32}$", "must be 32 hexadecimal digits, or an expression")
        .when("findBy", &["sysId"]);
    let number = Property::line("number", input("number"), "Number")
        .placeholder(&format!("{prefix}0010001"))
        .help("The number that people see, as text or expression")
        .required()
        .when("findBy", &["number"]);
    std::iter::once(find_by).chain(sys_id.or_null()).chain(number.or_null()).collect()
}

/// A configured connection, or an instance of the task's own.
pub(super) fn connection() -> Group {
    let mode = Property::choice(
        MODE,
        Binding::Metadata("servicenow-worker.connection"),
        "Connect by",
        choices(&[("Connection of the worker", "configured"), ("Instance given here", "inline")]),
    )
    .help("Connections are in the worker's configuration, credentials included");
    let name = Property::line("connection", input("connection"), "Connection")
        .starting("default")
        .help("Its name in the worker's configuration")
        .required()
        .when(MODE, &["configured"]);
    let instance = Property::line("instance", input("instance"), "Instance")
        .placeholder("dev12345")
        .help("Short name, host, or URL")
        .required()
        .when(MODE, INLINE);
    let properties =
        std::iter::once(mode).chain(name.or_null()).chain([instance]).chain(authentication());
    Group::closed("connection", "ServiceNow connection", properties.collect())
}

fn authentication() -> Vec<Property> {
    let kind = Property::choice(
        TYPE,
        input("authentication.type"),
        "Authentication",
        choices(&[
            ("Basic: user and password", "basic"),
            ("OAuth: client credentials", "oauthClientCredentials"),
            ("OAuth: password grant", "oauthPassword"),
            ("API key", "apiKey"),
            ("Bearer token", "bearer"),
        ]),
    )
    .help("Credentials are names of secrets: write {{secrets.NAME}}")
    .when(MODE, INLINE);
    let client: &[&str] = &["oauthClientCredentials", "oauthPassword"];
    let user: &[&str] = &["basic", "oauthPassword"];
    let credentials = [
        ("clientId", "Client id", "SERVICENOW_CLIENT_ID", client),
        ("clientSecret", "Client secret", "SERVICENOW_CLIENT_SECRET", client),
        ("username", "User", "SERVICENOW_USERNAME", user),
        ("password", "Password", "SERVICENOW_PASSWORD", user),
        ("key", "API key", "SERVICENOW_API_KEY", &["apiKey"]),
        ("token", "Token", "SERVICENOW_TOKEN", &["bearer"]),
    ];
    let credentials =
        credentials.map(|(name, label, secret, types)| credential(name, label, secret, types));
    std::iter::once(kind).chain(credentials).collect()
}

/// A text that is to be the name of a secret. It is no expression: those are evaluated by
/// the engine, and secrets are none of its business.
fn credential(name: &str, label: &str, secret: &str, types: &[&str]) -> Property {
    Property::plain(name, input(&format!("authentication.{name}")), label)
        .placeholder(&format!("{{{{secrets.{secret}}}}}"))
        .required()
        .when(MODE, INLINE)
        .when(TYPE, types)
}

/// What comes back.
pub(super) fn result(example: &str, further: Vec<Property>) -> Group {
    let variable =
        Property::plain("resultVariable", Binding::Header("resultVariable"), "Result variable")
            .starting("serviceNow")
            .help(&format!("Receives the result: {example}"));
    let expression = Property::expression(
        "resultExpression",
        Binding::Header("resultExpression"),
        "Result expression",
    )
    .help("Picks variables out of the result: {ticket: number, id: sysId}");
    let properties = [variable, expression].into_iter().chain(further);
    Group::closed("result", "Result", properties.collect())
}

/// Which fields to answer with.
pub(super) fn select() -> Property {
    Property::line("select", input("select"), "Fields to return")
        .placeholder("state, caller_id.name")
        .help("Names with commas; empty: what was written, or all when reading")
}

/// How values come back.
pub(super) fn display_value() -> Property {
    let values = [("Values", "false"), ("Labels", "true"), ("Both", "all")];
    Property::choice("displayValue", input("displayValue"), "Return", choices(&values))
        .help("State 6, or Resolved, or both")
}

/// What a missing record means.
pub(super) fn on_missing() -> Property {
    let values = [("is an error", "error"), ("gives null", "null")];
    Property::choice("onMissing", input("onMissing"), "A missing record", choices(&values))
        .help("An error can be caught as SN_RECORD_NOT_FOUND")
}

/// What if it fails.
pub(super) fn errors() -> Group {
    let thrown =
        Property::plain("bpmnErrors", Binding::Header("bpmnErrors"), "Throw as BPMN errors")
            .placeholder("SN_RECORD_NOT_FOUND, SN_DATA_POLICY")
            .help("Reasons to catch by error events; * for every final failure");
    let expression = Property::expression(
        "errorExpression",
        Binding::Header("errorExpression"),
        "Error expression",
    )
    .help("if error.code = \"404\" then bpmnError(\"GONE\", error.message) else null");
    let retries = Property::line("retries", Binding::Retries, "Retries")
        .starting("3")
        .help("Rate limits and outages use none of them")
        .required()
        .matching(r"^\d+$", "must be a whole number or an expression");
    let backoff = duration("retryBackoff", "Retry back-off")
        .starting("PT30S")
        .help("Time between retries, e.g. PT30S");
    let timeout = duration("jobTimeout", "Job timeout")
        .help("Longest time for the job, e.g. PT5M; empty: the worker's own");
    Group::closed(
        "errors",
        "Errors and retries",
        vec![thrown, expression, retries, backoff, timeout],
    )
}

fn duration(name: &'static str, label: &str) -> Property {
    Property::plain(name, Binding::Header(name), label).matching(DURATION, DURATION_MESSAGE)
}
