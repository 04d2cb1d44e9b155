//! A process in words, an element a line, so that expectations can be read.

use serde_json::json;

use crate::devengine::bpmn::model::{
    Boundary, BoundaryTrigger, Element, EndTrigger, ErrorCatch, JobWork, Kind, Mapping,
    MessageSubscription, MultiInstance, Process, StartTrigger, Text, Timer,
};
use crate::feel::{Environment, Expression, Value};

/// All elements.
pub(super) fn process(process: &Process) -> Vec<String> {
    process.elements.iter().map(|each| element(each, process)).collect()
}

fn element(element: &Element, process: &Process) -> String {
    let id = |index: usize| process.elements[index].id.as_str();
    let mut words = vec![format!("{}: {}", element.id, kind(element, process))];
    words.extend(mappings("in", &element.inputs));
    words.extend(mappings("out", &element.outputs));
    words.extend(element.multi_instance.as_ref().map(multi_instance));
    if !element.boundary.is_empty() {
        let ids: Vec<_> = element.boundary.iter().map(|index| id(*index)).collect();
        words.push(format!("with {}", ids.join(" ")));
    }
    words.extend(element.scope.map(|scope| format!("in {}", id(scope))));
    for index in &element.outgoing {
        let flow = &process.flows[*index];
        words.push(format!("-> {}", id(flow.target)));
        words.extend(flow.condition.as_ref().map(|condition| format!("[{}]", value(condition))));
    }
    words.join(" ")
}

fn kind(element: &Element, process: &Process) -> String {
    let id = |index: usize| process.elements[index].id.clone();
    match &element.kind {
        Kind::Start(trigger) => start(trigger),
        Kind::End(trigger) => end(trigger),
        Kind::Pass => "pass".to_owned(),
        Kind::Job(work) => job(work),
        Kind::User(None) => "user".to_owned(),
        Kind::User(Some(work)) => format!("user, {}", job(work)),
        Kind::Message(message) => subscription(message),
        Kind::Timer(each) => timer(each),
        Kind::Signal(name) => format!("signal {}", text(name)),
        Kind::BroadcastSignal(name) => format!("broadcast {}", text(name)),
        Kind::Exclusive { default } => format!("exclusive{}", otherwise(*default, process)),
        Kind::Inclusive { default } => format!("inclusive{}", otherwise(*default, process)),
        Kind::Parallel => "parallel".to_owned(),
        Kind::EventBased => "event-based".to_owned(),
        Kind::SubProcess => "sub-process".to_owned(),
        Kind::EventSubProcess { start, interrupting } => {
            format!("event sub-process by {}{}", id(*start), goes_on(*interrupting))
        }
        Kind::Call(called) => {
            let all_in = if called.propagate_all_parent_variables { " all in" } else { "" };
            let all_out = if called.propagate_all_child_variables { " all out" } else { "" };
            format!("call {}{all_in}{all_out}", text(&called.process_id))
        }
        Kind::Boundary(each) => boundary(each, &id(each.attached_to)),
    }
}

fn start(trigger: &StartTrigger) -> String {
    match trigger {
        StartTrigger::None => "start".to_owned(),
        StartTrigger::Message(message) => {
            format!("start by {}", subscription(message))
        }
        StartTrigger::Signal(name) => format!("start by signal {}", text(name)),
        StartTrigger::Timer(each) => format!("start by {}", timer(each)),
        StartTrigger::Error(catch) => format!("start by {}", error(catch)),
    }
}

fn end(trigger: &EndTrigger) -> String {
    match trigger {
        EndTrigger::None => "end".to_owned(),
        EndTrigger::Error(code) => format!("end, error {}", text(code)),
        EndTrigger::Terminate => "end, terminate".to_owned(),
        EndTrigger::Job(work) => format!("end, {}", job(work)),
        EndTrigger::Signal(name) => format!("end, signal {}", text(name)),
    }
}

fn boundary(boundary: &Boundary, attached_to: &str) -> String {
    let trigger = match &boundary.trigger {
        BoundaryTrigger::Message(message) => subscription(message),
        BoundaryTrigger::Timer(each) => timer(each),
        BoundaryTrigger::Signal(name) => format!("signal {}", text(name)),
        BoundaryTrigger::Error(catch) => error(catch),
    };
    format!("boundary of {attached_to}{}, {trigger}", goes_on(boundary.interrupting))
}

fn goes_on(interrupting: bool) -> &'static str {
    if interrupting { "" } else { ", goes on" }
}

fn otherwise(default: Option<usize>, process: &Process) -> String {
    default.map(|index| format!(" else {}", process.flows[index].id)).unwrap_or_default()
}

fn error(catch: &ErrorCatch) -> String {
    catch.code.as_ref().map_or_else(|| "error any".to_owned(), |code| format!("error '{code}'"))
}

fn job(work: &JobWork) -> String {
    let headers: Vec<_> =
        work.headers.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let retries = text(&work.retries);
    let retries = retries.trim_matches('\'');
    format!("job {} x{retries} {{{}}}", text(&work.job_type), headers.join(", "))
}

fn subscription(message: &MessageSubscription) -> String {
    let key = message.correlation_key.as_ref();
    let key = key.map(|key| format!(" key {}", value(key))).unwrap_or_default();
    format!("message {}{key}", text(&message.name))
}

fn timer(timer: &Timer) -> String {
    match timer {
        Timer::Duration(each) => format!("timer duration {}", text(each)),
        Timer::Date(each) => format!("timer date {}", text(each)),
        Timer::Cycle(each) => format!("timer cycle {}", text(each)),
    }
}

fn multi_instance(each: &MultiInstance) -> String {
    let mut words = vec![format!("each of {}", value(&each.input_collection))];
    words.extend(each.sequential.then(|| "one by one".to_owned()));
    words.extend(each.input_element.as_ref().map(|name| format!("as {name}")));
    if let (Some(name), Some(result)) = (&each.output_collection, &each.output_element) {
        words.push(format!("into {name} {}", value(result)));
    }
    let until = each.completion_condition.as_ref();
    words.extend(until.map(|condition| format!("until {}", value(condition))));
    words.join(" ")
}

fn mappings(way: &str, mappings: &[Mapping]) -> Option<String> {
    let each = |mapping: &Mapping| {
        let source = text(&mapping.source);
        format!(" {}={}", mapping.target.join("."), source.trim_matches(['(', ')', '=']))
    };
    let all: String = mappings.iter().map(each).collect();
    (!all.is_empty()).then(|| format!("{way}{all}"))
}

fn text(text: &Text) -> String {
    match text {
        Text::Fixed(fixed) => format!("'{fixed}'"),
        Text::Expression(expression) => value(expression),
    }
}

/// What an expression gives.
fn value(expression: &Expression) -> String {
    let variables = Value::from(json!({"key": "K", "n": 3, "items": [1, 2]}));
    let result =
        expression.evaluate(&variables, &Environment::new(jiff::Timestamp::UNIX_EPOCH)).unwrap();
    format!("(={})", result.value.to_json())
}
