//! The groups that every task has: where and who, what comes back, what if it fails.
#![deny(clippy::disallowed_types)]

use super::model::{Binding, Choice, Group, Property};

const MODE: &str = "connectionMode";

/// A duration in ISO 8601.
const DURATION: &str = r"^P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d{1,9})?S)?)?$";

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
    )
    .help("A number is looked up first, by a call of its own");
    let sys_id = Property::line("sysId", input("sysId"), "sys_id")
        .placeholder("=serviceNow.sysId")
        .matching("^[0-9a-fA-F]{32}$", "must be 32 hexadecimal digits, or an expression")
        .when("findBy", &["sysId"]);
    let number = Property::line("number", input("number"), "Number")
        .placeholder(&format!("{prefix}0010001"))
        .required()
        .when("findBy", &["number"]);
    std::iter::once(find_by).chain(sys_id.or_null()).chain(number.or_null()).collect()
}

/// Ways to an instance that the task names itself, by authentication type.
const INLINE: &[&str] = &["basic", "oauthClientCredentials", "apiKey", "bearer"];

/// A configured connection, or an instance and credentials of the task's own.
pub(super) fn connection() -> Group {
    let mode = Property::choice(
        MODE,
        Binding::Metadata("servicenow-worker.connection"),
        "Connect by",
        choices(&[
            ("Connection of the worker", "configured"),
            ("Instance, user and password", INLINE[0]),
            ("Instance, OAuth client", INLINE[1]),
            ("Instance, API key", INLINE[2]),
            ("Instance, bearer token", INLINE[3]),
        ]),
    )
    .help("Connections are in the worker's configuration");
    let name = Property::line("connection", input("connection"), "Connection")
        .starting("default")
        .placeholder("default")
        .required()
        .when(MODE, &["configured"]);
    // Not plain `instance`: engines refuse it, a reserved word of FEEL, as an input's name.
    let instance = Property::line("instance", input("authentication.instance"), "Instance")
        .placeholder("dev12345, a host, or a URL")
        .required()
        .when(MODE, INLINE);
    let types = INLINE.iter().map(|kind| {
        let id = format!("authentication_{kind}");
        Property::fixed(&id, input("authentication.type"), kind).when(MODE, &[kind])
    });
    let properties = std::iter::once(mode)
        .chain(name.or_null())
        .chain([instance])
        .chain(types)
        .chain(credentials());
    Group::closed("connection", "ServiceNow connection", properties.collect())
}

fn credentials() -> [Property; 6] {
    [
        ("username", "User", "SERVICENOW_USERNAME", INLINE[0]),
        ("password", "Password", "SERVICENOW_PASSWORD", INLINE[0]),
        ("clientId", "Client id", "SERVICENOW_CLIENT_ID", INLINE[1]),
        ("clientSecret", "Client secret", "SERVICENOW_CLIENT_SECRET", INLINE[1]),
        ("key", "API key", "SERVICENOW_API_KEY", INLINE[2]),
        ("token", "Token", "SERVICENOW_TOKEN", INLINE[3]),
    ]
    .map(|(name, label, secret, mode)| credential(name, label, secret).when(MODE, &[mode]))
}

/// A text that is to be the name of a secret. It is no expression: those are evaluated by
/// the engine, and secrets are none of its business.
fn credential(name: &str, label: &str, secret: &str) -> Property {
    Property::plain(name, input(&format!("authentication.{name}")), label)
        .placeholder(&format!("{{{{secrets.{secret}}}}}"))
        .tooltip("The name of a secret, as in {{secrets.NAME}}")
        .required()
}

/// Which fields to answer with.
pub(super) fn select() -> Property {
    Property::line("select", input("select"), "Fields to return")
        .placeholder("number, state, caller_id.name")
        .tooltip("Names with commas; empty: all when reading, what was written otherwise")
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

/// What comes back, and what if it fails. One group: each heading makes the panel longer.
pub(super) fn outcome(result: &str) -> Group {
    let properties = self::result(result).into_iter().chain(errors());
    Group::closed("outcome", "Result, errors and retries", properties.collect())
}

fn result(result: &str) -> [Property; 2] {
    let variable =
        Property::plain("resultVariable", Binding::Header("resultVariable"), "Result variable")
            .starting("serviceNow")
            .help(&format!("Receives {result}"));
    let expression = Property::expression(
        "resultExpression",
        Binding::Header("resultExpression"),
        "Result expression",
    )
    .tooltip("Picks variables out of the result, e.g. {ticket: number, id: sysId}");
    [variable, expression]
}

fn errors() -> [Property; 5] {
    let thrown =
        Property::plain("bpmnErrors", Binding::Header("bpmnErrors"), "Throw as BPMN errors")
            .placeholder("SN_RECORD_NOT_FOUND, SN_DATA_POLICY")
            .tooltip("Reasons with commas, for error events to catch; * for every final failure");
    let expression = Property::expression(
        "errorExpression",
        Binding::Header("errorExpression"),
        "Error expression",
    )
    .tooltip("E.g. if error.code = \"404\" then bpmnError(\"GONE\", error.message) else null");
    let retries = Property::line("retries", Binding::Retries, "Retries")
        .starting("3")
        .tooltip("Rate limits and outages of ServiceNow use none of them")
        .matching(r"^\d+$", "must be a whole number or an expression");
    let backoff =
        Property::plain("retryBackoff", Binding::Header("retryBackoff"), "Retry back-off")
            .starting("PT30S")
            .tooltip("Time between retries, e.g. PT30S or PT5M")
            .matching(DURATION, "must be a duration like PT30S, PT5M or P1D");
    let timeout = Property::plain("jobTimeout", Binding::Header("jobTimeout"), "Job timeout")
        .placeholder("PT5M")
        .tooltip("How long the job is locked for the worker; empty: the worker's own setting");
    [thrown, expression, retries, backoff, timeout]
}
