//! What holds for every template, whatever a modeler chooses in it.

mod jobs;
mod panel;
mod releases;
mod states;

use std::collections::BTreeSet;

use states::State;

use super::{Binding, Condition, Constraint, Element, Feel, Kind, Property, Template, all, render};
use crate::connector::{HEADERS, job_types};

fn templates() -> Vec<Template> {
    all().unwrap()
}

/// A template and what it looks like for one set of choices.
fn each_state(mut look: impl FnMut(&Template, &State<'_>)) {
    for template in &templates() {
        for state in State::of(template) {
            look(template, &state);
        }
    }
}

fn named<'a>(template: &'a Template, id: &str) -> &'a Property {
    template.properties().find(|property| property.id == id).unwrap()
}

#[test]
fn ids_are_used_once() {
    let mut names = BTreeSet::new();
    for template in templates() {
        assert!(names.insert(template.id()), "{} twice", template.id());
        let mut ids = BTreeSet::new();
        for property in template.properties() {
            assert!(ids.insert(property.id.clone()), "{}: {} twice", template.name, property.id);
        }
    }
}

#[test]
fn conditions_ask_for_what_can_be_chosen() {
    for template in templates() {
        for condition in template.properties().flat_map(|property| &property.conditions) {
            match condition {
                Condition::Inactive(id) => assert_eq!(&named(&template, id).id, id),
                Condition::OneOf(id, values) => {
                    let Kind::Choice(choices) = &named(&template, id).kind else {
                        panic!("{}: {id} is no choice", template.name)
                    };
                    for value in values {
                        let is_there = choices.iter().any(|choice| choice.value == *value);
                        assert!(is_there, "{}: {id} is never {value}", template.name);
                    }
                }
            }
        }
    }
}

#[test]
fn no_property_is_dead() {
    for template in &templates() {
        let mut seen = BTreeSet::new();
        for state in State::of(template) {
            seen.extend(state.active().map(|(_, _, property)| property.id.clone()));
        }
        let dead: Vec<_> =
            template.properties().map(|p| p.id.clone()).filter(|id| !seen.contains(id)).collect();
        assert!(dead.is_empty(), "{}: {dead:?}", template.name);
    }
}

#[test]
fn nothing_is_bound_twice_at_a_time() {
    each_state(|template, state| {
        let mut bound = BTreeSet::new();
        for (_, _, property) in state.active() {
            let binding = &property.binding;
            assert!(bound.insert(binding.clone()), "{}: {binding:?}, {state:?}", template.name);
        }
    });
}

#[test]
fn inputs_and_headers_are_those_that_the_worker_reads() {
    for template in templates().iter().filter(|template| template.is_job()) {
        let job_type = named(template, "jobType").value.clone().unwrap();
        let known = job_types().into_iter().find(|known| known.name == job_type).unwrap();
        for property in template.properties() {
            match &property.binding {
                Binding::Input(target) => {
                    let variable = target.split('.').next().unwrap();
                    assert!(known.variables.contains(variable), "{}: {target}", template.name);
                }
                Binding::Header(key) => assert!(HEADERS.contains(key), "{}: {key}", template.name),
                Binding::Metadata(name) => {
                    assert!(name.starts_with("servicenow-worker."), "{name}");
                }
                Binding::JobType | Binding::Retries => {}
                other => panic!("{}: a task has no {other:?}", template.name),
            }
        }
    }
}

#[test]
fn events_have_nothing_that_a_connector_runtime_would_look_for() {
    for template in templates().iter().filter(|template| !template.is_job()) {
        for property in template.properties() {
            let is_of_the_event = matches!(
                property.binding,
                Binding::MessageName | Binding::CorrelationKey | Binding::SignalName
            );
            assert!(is_of_the_event, "{}: {:?}", template.name, property.binding);
        }
    }
}

/// What stands in text fields at first: what works as it is, and names nobody's data.
#[test]
fn no_field_starts_with_sample_data() {
    let harmless = [
        "default",
        "serviceNow",
        "3",
        "PT30S",
        "100",
        "={}",
        "=serviceNow.sysId",
        "=errorCode",
        "=errorMessage",
    ];
    for template in templates() {
        for property in template.properties() {
            let is_text = matches!(property.kind, Kind::Line(_) | Kind::Area(_));
            if let Some(value) = property.value.as_deref().filter(|_| is_text) {
                assert!(harmless.contains(&value), "{}: {value}", template.name);
            }
        }
    }
}

#[test]
fn credentials_ask_for_the_name_of_a_secret_and_are_no_expressions() {
    let mut credentials = 0;
    for template in templates() {
        for property in template.properties().filter(|property| property.is_field()) {
            let Binding::Input(target) = &property.binding else { continue };
            if target.starts_with("authentication.") && target != "authentication.instance" {
                credentials += 1;
                assert!(property.placeholder.starts_with("{{secrets."), "{target}");
                assert_eq!(property.kind, Kind::Line(Feel::No), "{target}");
                assert!(property.is_required(), "{target}");
            }
        }
    }
    assert!(credentials > 50, "{credentials}");
}

#[test]
fn a_modeler_gets_the_id_of_the_record_without_an_expression() {
    for template in templates().iter().filter(|template| template.is_job()) {
        let variable = named(template, "resultVariable");
        assert_eq!(variable.value.as_deref(), Some("serviceNow"), "{}", template.name);
    }
}

#[test]
fn a_choice_starts_with_a_value_or_is_demanded() {
    for template in templates() {
        for property in template.properties() {
            if let Kind::Choice(choices) = &property.kind {
                let start = property.value.as_ref();
                let is_known = start.is_some_and(|v| choices.iter().any(|c| c.value == *v));
                assert!(is_known || start.is_none(), "{}: {}", template.name, property.id);
                assert!(property.is_required(), "{}: {}", template.name, property.id);
            }
        }
    }
}

#[test]
fn what_may_be_empty_is_left_out_of_the_diagram() {
    for template in templates() {
        let json = render(&template);
        for property in json["properties"].as_array().unwrap() {
            let is_left_out = property["optional"] == true;
            let is_demanded = property["constraints"]["notEmpty"] == true;
            let is_fixed = property["type"] == "Hidden" && property["value"].is_string();
            assert!(
                is_left_out ^ (is_demanded || is_fixed),
                "{}: {}",
                template.name,
                property["id"]
            );
        }
    }
}

#[test]
fn a_pattern_is_a_regular_expression_and_takes_what_the_field_starts_with() {
    for template in templates() {
        for property in template.properties() {
            let Constraint::Pattern(pattern, message) = property.constraint else { continue };
            assert!(message.starts_with("must be "), "{message}");
            // Look-ahead is the modelers' and not this crate's.
            let pattern = pattern.replace("(?=.)", "").replace("(?=\\d)", "");
            let pattern = regex::Regex::new(&pattern).unwrap();
            for value in property.value.iter().filter(|value| !value.starts_with('=')) {
                assert!(pattern.is_match(value), "{}: {value}", property.id);
            }
        }
    }
}

#[test]
fn every_table_has_its_template_and_every_action_its_state() {
    let templates = templates();
    let of = |name: &str| templates.iter().find(|template| template.name == name).unwrap();
    for (name, table) in [
        ("incident", "incident"),
        ("problem", "problem"),
        ("change-request", "change_request"),
        ("change-task", "change_task"),
        ("request", "sc_request"),
        ("request-item", "sc_req_item"),
        ("catalog-task", "sc_task"),
    ] {
        assert_eq!(named(of(name), "table").value.as_deref(), Some(table));
    }
    for (name, state) in [("resolve", "6"), ("close", "7"), ("reopen", "2"), ("hold", "3")] {
        let template = of(&format!("incident-{name}"));
        assert_eq!(named(template, "state").value.as_deref(), Some(state));
    }
    let starts = templates.iter().filter(|t| t.element == Element::MessageStartEvent).count();
    assert_eq!(starts, 1);
}

/// Null would be a warning of every result.
#[test]
fn a_field_that_is_left_out_on_purpose_is_an_empty_context() {
    let mut left_out = 0;
    for template in templates() {
        for property in template.properties() {
            let Binding::Input(target) = &property.binding else { continue };
            if !target.starts_with("fields.") {
                continue;
            }
            let choices = match &property.kind {
                Kind::Choice(choices) => choices.as_slice(),
                _ => &[],
            };
            let values = choices.iter().map(|choice| &choice.value).chain(&property.value);
            for value in values {
                assert_ne!(value, "=null", "{}: {}", template.name, property.id);
                left_out += usize::from(value == "={}");
            }
        }
    }
    assert!(left_out > 20, "{left_out}");
}

/// A process that is being started has no variables that a key could come from.
#[test]
fn only_what_waits_in_a_running_process_has_a_correlation_key() {
    for template in templates().iter().filter(|template| !template.is_job()) {
        let waits =
            !matches!(template.element, Element::MessageStartEvent | Element::SignalStartEvent);
        let key = template.properties().find(|one| one.binding == Binding::CorrelationKey);
        assert_eq!(key.is_some_and(Property::is_required), waits, "{}", template.name);
        assert_eq!(key.is_some(), waits, "{}", template.name);
    }
}
