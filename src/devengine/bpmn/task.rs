//! Tasks and call activities.

use std::collections::BTreeMap;

use super::mapping;
use super::model::{Assignment, CalledProcess, Element, JobWork, Kind, Mapping, Text};
use super::reader::Reader;
use super::xml::{self, Node};

/// What header keys of the engine itself begin with.
const RESERVED: &str = "io.camunda.zeebe:";

/// A job, as service and send tasks and message throw events have it.
pub(super) fn job(node: Node<'_>, reader: &mut Reader<'_>) -> Option<JobWork> {
    let Some(definition) = xml::extension(node, "taskDefinition") else {
        return reader.refuse(node, "it has no job type; add a zeebe:taskDefinition with a type");
    };
    let remedy = "it has no job type; set the type of its zeebe:taskDefinition";
    let job_type = reader
        .required(node, definition, "type", remedy)
        .and_then(|text| reader.text(node, "job type", text));
    let retries = retries(node, definition, reader);
    let headers = headers(node, reader);
    Some(JobWork { job_type: job_type?, retries: retries?, headers, assignment: Vec::new() })
}

fn retries(node: Node<'_>, definition: Node<'_>, reader: &mut Reader<'_>) -> Option<Text> {
    let text = xml::filled(definition, "retries").unwrap_or("3").trim();
    match reader.text(node, "retries", text)? {
        Text::Fixed(fixed) if fixed.parse::<i32>().is_err() => {
            reader.refuse(node, format!("retries: '{fixed}' is no number; write e.g. 3"))
        }
        text => Some(text),
    }
}

/// The task headers; a key may stand there once.
fn headers(node: Node<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(list) = xml::extension(node, "taskHeaders") else { return headers };
    for entry in xml::zeebe_children(list, "header") {
        // The engine drops headers without a key or value.
        let value = entry.attribute("value").filter(|value| !value.is_empty());
        let (Some(key), Some(value)) = (xml::filled(entry, "key"), value) else { continue };
        if key.starts_with(RESERVED) {
            reader.report(node, format!("header '{key}' is the engine's own; rename it"));
        }
        if headers.insert(key.to_owned(), value.to_owned()).is_some() {
            reader.report(node, format!("header '{key}' is there twice; remove one"));
        }
    }
    headers
}

/// A business-rule task, which must be a job.
pub(super) fn business_rule(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Kind> {
    if xml::extension(node, "calledDecision").is_some() {
        let reason = "the dev engine does not evaluate decisions (zeebe:calledDecision); \
                      use a zeebe:taskDefinition or a Camunda cluster";
        return reader.refuse(node, reason);
    }
    job(node, reader).map(Kind::Job)
}

/// A script task: a job, or a FEEL script, which [`add_script`] reads.
pub(super) fn script(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Kind> {
    match (xml::extension(node, "script"), xml::extension(node, "taskDefinition")) {
        (Some(_), None) => Some(Kind::Pass),
        (None, Some(_)) => job(node, reader).map(Kind::Job),
        _ => {
            reader.refuse(node, "set either a FEEL script (zeebe:script) or a zeebe:taskDefinition")
        }
    }
}

/// Reads a FEEL script as a mapping: its result is a variable of the task, which output
/// mappings may pick up, and which goes up as it is when there are none.
pub(super) fn add_script(node: Node<'_>, element: &mut Element, reader: &mut Reader<'_>) {
    if xml::name(node) != "scriptTask" {
        return;
    }
    let Some(script) = xml::extension(node, "script") else { return };
    let Some(mapping) = script_mapping(node, script, reader) else { return };
    if element.outputs.is_empty() {
        element.outputs.push(mapping);
    } else {
        element.inputs.push(mapping);
    }
}

fn script_mapping(node: Node<'_>, script: Node<'_>, reader: &mut Reader<'_>) -> Option<Mapping> {
    let expression = reader
        .required(node, script, "expression", "its script has no expression; write one after '='")
        .and_then(|text| reader.expression(node, "script", text));
    let variable = reader
        .required(node, script, "resultVariable", "its script has no result variable; name one")
        .and_then(|name| mapping::path(node, "result variable", name, reader));
    Some(Mapping { source: Text::Expression(expression?), target: variable? })
}

/// The job of a user task, which Camunda's task list would take; a native one has none.
pub(super) fn user(node: Node<'_>, reader: &mut Reader<'_>) -> Option<JobWork> {
    let headers = headers(node, reader);
    if xml::extension(node, "userTask").is_some() {
        return None;
    }
    let job_type = Text::Fixed(format!("{RESERVED}userTask"));
    let retries = Text::Fixed("1".to_owned());
    let mut work = JobWork { job_type, retries, headers, assignment: assignment(node, reader) };
    let form = xml::extension(node, "formDefinition");
    if let Some(key) = form.and_then(|form| xml::filled(form, "formKey")) {
        work.headers.insert(format!("{RESERVED}formKey"), key.to_owned());
    }
    Some(work)
}

/// Who is to do a user task, and by when.
fn assignment(node: Node<'_>, reader: &mut Reader<'_>) -> Vec<(String, Assignment)> {
    let mut all = Vec::new();
    for (extension, attribute) in [
        ("assignmentDefinition", "assignee"),
        ("assignmentDefinition", "candidateGroups"),
        ("assignmentDefinition", "candidateUsers"),
        ("taskSchedule", "dueDate"),
        ("taskSchedule", "followUpDate"),
    ] {
        let holder = xml::extension(node, extension);
        let Some(text) = holder.and_then(|holder| xml::filled(holder, attribute)) else { continue };
        let source =
            if attribute.starts_with("candidate") { listed(text) } else { text.to_owned() };
        let assignment = match (attribute, reader.text(node, attribute, &source)) {
            (_, None) => continue,
            ("dueDate" | "followUpDate", Some(text)) => Assignment::Date(text),
            (_, Some(Text::Expression(list))) if attribute != "assignee" => {
                Assignment::Candidates(list)
            }
            (_, Some(text)) => Assignment::Person(text),
        };
        all.push((format!("{RESERVED}{attribute}"), assignment));
    }
    all
}

/// Fixed names between commas, as an expression.
fn listed(text: &str) -> String {
    if text.trim_start().starts_with('=') {
        return text.to_owned();
    }
    let names = text.split(',').map(|name| format!("{:?}", name.trim()));
    format!("=[{}]", names.collect::<Vec<_>>().join(", "))
}

/// A call activity.
pub(super) fn call(node: Node<'_>, reader: &mut Reader<'_>) -> Option<CalledProcess> {
    let Some(called) = xml::extension(node, "calledElement") else {
        return reader.refuse(node, "it calls nothing; add a zeebe:calledElement with a processId");
    };
    if called.attribute("bindingType") == Some("versionTag") {
        let reason = "the dev engine knows no version tags; \
                      bind to the latest version or use a Camunda cluster";
        reader.report(node, reason);
    }
    let remedy = "it calls nothing; set the processId of its zeebe:calledElement";
    let id = reader.required(node, called, "processId", remedy)?;
    Some(CalledProcess {
        process_id: reader.text(node, "processId", id)?,
        propagate_all_child_variables: xml::flag(called, "propagateAllChildVariables", true),
        propagate_all_parent_variables: xml::flag(called, "propagateAllParentVariables", true),
    })
}
