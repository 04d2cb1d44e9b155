//! Template -> the JSON that modelers read.
#![deny(clippy::disallowed_types)]

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::model::{
    Binding, Choice, Condition, Constraint, Element, Feel, Group, Kind, Property, Template,
};

const SCHEMA: &str =
    "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json";
/// The oldest engine that runs what the templates make.
const ENGINES: &str = "^8.6";
const ICON: &str = include_str!("icon.svg");

/// The template as JSON.
pub fn render(template: &Template) -> Value {
    let (applies_to, element_type) = element(template.element);
    json!({
        "$schema": SCHEMA,
        "name": template.label,
        "id": template.id(),
        "version": template.version,
        "description": template.description,
        "keywords": template.keywords,
        "documentationRef": template.documentation,
        "category": {"id": "servicenow", "name": "ServiceNow"},
        "appliesTo": applies_to,
        "elementType": element_type,
        "engines": {"camunda": ENGINES},
        "icon": {"contents": format!("data:image/svg+xml;base64,{}", STANDARD.encode(ICON.trim()))},
        "groups": template.groups.iter().filter(|group| group.properties.iter().any(Property::is_field)).map(heading).collect::<Vec<_>>(),
        "properties": template.groups.iter().flat_map(properties).collect::<Vec<_>>(),
    })
}

/// The text of the template's file.
pub fn text(json: &Value) -> String {
    format!("{json:#}\n")
}

fn element(element: Element) -> (Vec<&'static str>, Value) {
    let message = "bpmn:MessageEventDefinition";
    match element {
        Element::ServiceTask => (vec!["bpmn:Task"], json!({"value": "bpmn:ServiceTask"})),
        Element::ReceiveTask => (vec!["bpmn:Task"], json!({"value": "bpmn:ReceiveTask"})),
        Element::MessageStartEvent => (
            vec!["bpmn:StartEvent"],
            json!({"value": "bpmn:StartEvent", "eventDefinition": message}),
        ),
        Element::MessageCatchEvent => (
            vec!["bpmn:IntermediateCatchEvent", "bpmn:IntermediateThrowEvent"],
            json!({"value": "bpmn:IntermediateCatchEvent", "eventDefinition": message}),
        ),
        Element::MessageBoundaryEvent => (
            vec!["bpmn:BoundaryEvent"],
            json!({"value": "bpmn:BoundaryEvent", "eventDefinition": message}),
        ),
        Element::SignalStartEvent => (
            vec!["bpmn:StartEvent"],
            json!({"value": "bpmn:StartEvent", "eventDefinition": "bpmn:SignalEventDefinition"}),
        ),
    }
}

fn heading(group: &Group) -> Value {
    let mut heading = json!({"id": group.id, "label": group.label});
    if group.is_open {
        heading["openByDefault"] = true.into();
    }
    heading
}

fn properties(group: &Group) -> impl Iterator<Item = Value> {
    group.properties.iter().map(|property| self::property(group.id, property))
}

fn property(group: &str, property: &Property) -> Value {
    let (kind, feel) = kind(&property.kind);
    let mut json = Map::new();
    let mut set = |key: &str, value: Value| json.insert(key.to_owned(), value);
    set("id", property.id.as_str().into());
    for (key, text) in [
        ("label", &property.label),
        ("description", &property.help),
        ("tooltip", &property.tooltip),
        ("placeholder", &property.placeholder),
    ] {
        if !text.is_empty() {
            set(key, text.as_str().into());
        }
    }
    set("type", kind.into());
    if let Kind::Choice(choices) = &property.kind {
        set("choices", choices.iter().map(choice).collect());
    }
    if let Some(value) = &property.value {
        set("value", value.as_str().into());
    }
    if let Some(feel) = feel {
        set("feel", feel.into());
    }
    if is_left_out_when_empty(property) {
        set("optional", true.into());
    }
    if let Some(constraints) = constraints(property) {
        set("constraints", constraints);
    }
    set("group", group.into());
    set("binding", binding(&property.binding));
    if let Some(condition) = condition(&property.conditions) {
        set("condition", condition);
    }
    Value::Object(json)
}

fn kind(kind: &Kind) -> (&'static str, Option<&'static str>) {
    let word = |feel: &Feel| match feel {
        Feel::No => None,
        Feel::Optional => Some("optional"),
        Feel::Required => Some("required"),
    };
    match kind {
        Kind::Line(feel) => ("String", word(feel)),
        Kind::Area(feel) => ("Text", word(feel)),
        Kind::Choice(_) => ("Dropdown", None),
        Kind::Fixed => ("Hidden", None),
    }
}

fn choice(choice: &Choice) -> Value {
    json!({"name": choice.label, "value": choice.value})
}

/// An empty mapping would not get past the linter, nor does the worker want it.
fn is_left_out_when_empty(property: &Property) -> bool {
    let can_be = matches!(property.binding, Binding::Input(_) | Binding::Header(_));
    can_be && property.is_field() && !property.is_required()
}

fn constraints(property: &Property) -> Option<Value> {
    match property.constraint {
        Constraint::Optional => None,
        Constraint::Required => Some(json!({"notEmpty": true})),
        Constraint::Pattern(value, message) => {
            Some(json!({"notEmpty": true, "pattern": {"value": value, "message": message}}))
        }
    }
}

fn binding(binding: &Binding) -> Value {
    match binding {
        Binding::Input(name) => json!({"type": "zeebe:input", "name": name}),
        Binding::Header(key) => json!({"type": "zeebe:taskHeader", "key": key}),
        Binding::JobType => json!({"type": "zeebe:taskDefinition", "property": "type"}),
        Binding::Retries => json!({"type": "zeebe:taskDefinition", "property": "retries"}),
        Binding::Metadata(name) => json!({"type": "zeebe:property", "name": name}),
        Binding::MessageName => json!({"type": "bpmn:Message#property", "name": "name"}),
        Binding::CorrelationKey => {
            json!({"type": "bpmn:Message#zeebe:subscription#property", "name": "correlationKey"})
        }
        Binding::SignalName => json!({"type": "bpmn:Signal#property", "name": "name"}),
    }
}

fn condition(conditions: &[Condition]) -> Option<Value> {
    match conditions {
        [] => None,
        [one] => Some(simple(one)),
        all => Some(json!({"allMatch": all.iter().map(simple).collect::<Vec<_>>()})),
    }
}

fn simple(condition: &Condition) -> Value {
    match condition {
        Condition::OneOf(property, values) => match values.as_slice() {
            [one] => json!({"property": property, "equals": one, "type": "simple"}),
            several => json!({"property": property, "oneOf": several, "type": "simple"}),
        },
        Condition::Inactive(property) => {
            json!({"property": property, "isActive": false, "type": "simple"})
        }
    }
}
