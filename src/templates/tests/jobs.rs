//! The core itself reads what the templates make: a task with nothing filled but what is
//! red gets as far as the first request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{State, each_state};
use crate::{
    connector::{AuthenticationTemplate, Config, Connection, Connector, Secrets, Step, functions},
    feel,
    job::{Job, Variables},
    outcome::Outcome,
    servicenow::{Instance, Request},
    templates::{Binding, Kind, Property},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

#[test]
fn a_task_with_what_is_demanded_reaches_servicenow() {
    let mut states = 0;
    each_state(|template, state| {
        if template.is_job() {
            states += 1;
            let request = sent(state, None)
                .or_else(|why| {
                    // No one field of an update is demanded, but at least one is.
                    assert!(why.contains("give at least one field a value"), "{why}");
                    sent(state, Some("short_description"))
                })
                .unwrap_or_else(|why| panic!("{}: {why} in {state:?}", template.name));
            assert!(request.path.starts_with(&["api".to_owned()]), "{:?}", request.path);
        }
    });
    assert!(states > 200, "{states}");
}

#[test]
fn variables_of_the_process_do_not_come_in_by_their_names() {
    let around = json!({
        "sysId": "x", "number": 7, "connection": 7, "instance": "https://elsewhere.example",
        "fields": {"u_stray": "stray"}, "templateData": 7,
        "payload": {"u_stray": "stray"}, "payloadTemplate": "{{", "headers": 7,
        "queryParameters": 7, "query": "u_stray=stray", "limit": "many", "method": "STRAY",
        "operation": "stray", "table": "u_stray", "path": "/stray", "matchOn": "u_stray",
    });
    each_state(|template, state| {
        if template.is_job() {
            let request = sent_amid(around.as_object().unwrap(), state, Some("short_description"))
                .unwrap_or_else(|why| panic!("{}: {why} in {state:?}", template.name));
            let text = format!("{request:?}");
            assert!(!text.to_lowercase().contains("stray"), "{}: {text}", template.name);
        }
    });
}

#[test]
fn actions_write_the_state_and_what_it_needs() {
    let mut resolved = Vec::new();
    each_state(|template, state| {
        if template.name == "incident-resolve" && state.chosen("findBy") == Some("sysId") {
            resolved.push(sent(state, None).unwrap());
        }
    });
    let body = resolved[0].body.clone().unwrap();
    assert_eq!(body["state"], "6");
    assert_eq!(body["close_notes"], "text");
    assert_eq!(body["close_code"], "Duplicate");
}

#[test]
fn an_incident_from_an_error_says_which_and_where() {
    let mut described = Vec::new();
    each_state(|template, state| {
        if template.name == "incident-from-error" {
            let body = sent(state, None).unwrap().body.unwrap();
            described.push(body["description"].as_str().unwrap().to_owned());
        }
    });
    let (plain, linked) = (described.first().unwrap(), described.last().unwrap());
    assert!(plain.starts_with("It \"broke\"\n\nError code: E1\nProcess: process\n"), "{plain}");
    assert!(plain.ends_with("Process instance: 2"), "{plain}");
    assert!(linked.ends_with("/processes/2"), "{linked}");
}

/// The first request of a task in this state, with only what is red filled in, and another
/// field of the table if one is named.
fn sent(state: &State<'_>, other: Option<&str>) -> Result<Request, String> {
    sent_amid(&Map::new(), state, other)
}

/// The same amid variables of the process.
fn sent_amid(
    around: &Variables,
    state: &State<'_>,
    other: Option<&str>,
) -> Result<Request, String> {
    let mut job = Job { variables: around.clone(), ..crate::job::tests::job() };
    let mut inputs = Variables::new();
    for (_, _, property) in state.active() {
        let other = other.map(|name| format!("fields.{name}"));
        let is_other = matches!(&property.binding, Binding::Input(n) if Some(n) == other.as_ref());
        let Some(value) = value(state, property, is_other) else { continue };
        match &property.binding {
            Binding::Input(target) => set(&mut inputs, target, evaluated(&value)),
            Binding::Header(key) => {
                job.custom_headers.insert((*key).to_owned(), value.into());
            }
            Binding::JobType => job.job_type = value,
            _ => {}
        }
    }
    // An input mapping hides what the process has under its name.
    job.variables.extend(inputs);
    first_request(job)
}

fn value(state: &State<'_>, property: &Property, is_wanted: bool) -> Option<String> {
    if let Some(chosen) = state.chosen(&property.id) {
        return Some(chosen.to_owned());
    }
    if let Some(value) = &property.value {
        return Some(value.clone());
    }
    (property.is_required() || is_wanted).then(|| filled(property))
}

/// What a modeler could write into a field.
fn filled(property: &Property) -> String {
    if let Kind::Choice(choices) = &property.kind {
        return choices[0].value.clone();
    }
    match property.id.as_str() {
        "sysId" => ID,
        "table" => "incident",
        "instance" => "dev1",
        "path" => "/api/x_acme/start",
        "fields" => "={correlation_id: \"7\"}",
        "fieldsTemplate" | "payloadTemplate" => "{\"correlation_id\": \"{{name}}\"}",
        "templateData" | "payload" => "={name: \"7\"}",
        "matchOn" => "correlation_id",
        "query" => "active=true",
        id if property.placeholder.contains("{{secrets.") => {
            return format!("{{{{secrets.{id}}}}}");
        }
        _ => "text",
    }
    .to_owned()
}

/// A mapping's source as the engine reads it.
fn evaluated(source: &str) -> Value {
    let Some(expression) = source.strip_prefix('=') else { return source.into() };
    let variables = json!({"errorCode": "E1", "errorMessage": "It \"broke\""});
    let environment = functions::environment("2026-06-01T12:00:00Z".parse().unwrap());
    let parsed = feel::Expression::parse(expression).unwrap();
    let evaluation = parsed.evaluate(&feel::Value::from(variables), &environment).unwrap();
    evaluation.value.to_json()
}

fn set(variables: &mut Variables, target: &str, value: Value) {
    match target.split_once('.') {
        None => {
            variables.insert(target.to_owned(), value);
        }
        Some((outer, inner)) => {
            let context = variables.entry(outer).or_insert_with(|| json!({}));
            context.as_object_mut().unwrap().insert(inner.to_owned(), value);
        }
    }
}

fn first_request(job: Job) -> Result<Request, String> {
    let authentication = json!({"type": "bearer", "token": "t"});
    let authentication = AuthenticationTemplate::try_from(authentication).unwrap();
    let connection = Connection::new(Instance::parse("dev1", false).unwrap(), authentication);
    let connections = [("default".to_owned(), connection)].into();
    let connector = Connector::new(Config { connections, ..Config::default() });
    let message = |outcome: Outcome| match outcome {
        Outcome::Fail { message, .. } => message,
        other => format!("{other:?}"),
    };
    let plan = connector.plan(Arc::new(job)).map_err(|finished| message(finished.outcome))?;
    let names = plan.secret_names().iter();
    let secrets: Secrets = names.map(|name| (name.clone(), "hush".into())).collect();
    match plan.start(secrets, "2026-06-01T12:00:00Z".parse().unwrap()).1 {
        Step::Send(call) => Ok(call.request),
        Step::Done(finished) => Err(message(finished.outcome)),
    }
}
