//! What a modeler sees in the properties panel.

use std::collections::{BTreeMap, BTreeSet};

use super::{State, each_state, templates};
use crate::templates::{Binding, Feel, Kind, Template};

/// How the panel edits a property that can be an expression. Fields of one kind at one place
/// are one field to it, in whatever mode it was.
fn editor(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Line(Feel::Required) | Kind::Area(Feel::Required) => Some("expression"),
        Kind::Line(Feel::Optional) => Some("line"),
        Kind::Area(Feel::Optional) => Some("area"),
        Kind::Line(Feel::No) | Kind::Area(Feel::No) | Kind::Choice(_) | Kind::Fixed => None,
    }
}

#[test]
fn a_text_field_keeps_its_place_so_that_none_comes_up_as_an_expression() {
    for template in &templates() {
        let mut places: BTreeMap<_, BTreeSet<&Binding>> = BTreeMap::new();
        for state in State::of(template) {
            for (group, place, property) in state.active() {
                if let Some(editor) = editor(&property.kind) {
                    places.entry((group, place, editor)).or_default().insert(&property.binding);
                }
            }
        }
        for (place, bindings) in places {
            assert!(bindings.len() == 1, "{}: {place:?} {bindings:?}", template.name);
        }
    }
}

#[test]
fn the_first_group_is_open_and_holds_what_decides() {
    for template in templates().iter().filter(|template| template.is_job()) {
        let first = &template.groups[0];
        assert!(first.is_open, "{}", template.name);
        let has = |name: &str| {
            first.properties.iter().any(|p| p.binding == Binding::Input(name.to_owned()))
        };
        assert!(has("operation") && (has("table") || has("path")), "{}", template.name);
    }
}

#[test]
fn what_is_demanded_and_empty_is_in_sight_at_first() {
    each_state(|template, state| {
        // Whoever chooses an instance of the task's own is in that group already.
        let is_configured = state.chosen("connectionMode") != Some("basic");
        for (group, _, property) in state.active().filter(|_| is_configured) {
            let is_red = property.is_field() && property.is_required() && property.value.is_none();
            let group = template.groups.iter().find(|g| g.id == group).unwrap();
            let is_own = matches!(&property.binding, Binding::Input(name)
                if name.starts_with("authentication.") || name == "templateData.operate");
            assert!(!is_red || group.is_open || is_own, "{}: {}", template.name, property.id);
        }
    });
}

#[test]
fn creating_an_incident_shows_eight_fields_before_the_optional_groups() {
    let templates = templates();
    let template = templates.iter().find(|template| template.name == "incident").unwrap();
    let state = &State::of(template)[0];
    assert_eq!(state.chosen("operation"), Some("create"));
    let is_open = |id: &str| template.groups.iter().any(|g| g.id == id && g.is_open);
    let shown: Vec<_> = state
        .active()
        .filter(|(group, _, property)| is_open(group) && property.is_field())
        .map(|(_, _, property)| property.label.as_str())
        .collect();
    assert!(shown.len() <= 8, "{shown:?}");
}

/// Measured in the panel at 380 pixels' width: a field takes about 75 with its help, and
/// 2,300 hold these.
#[test]
fn no_choice_makes_the_panel_endless() {
    each_state(|template, state| {
        let fields = state.active().filter(|(_, _, property)| property.is_field()).count();
        assert!(fields <= 26, "{}: {fields} fields in {state:?}", template.name);
    });
}

#[test]
fn every_field_has_help_and_those_of_the_modeler_have_it_in_sight() {
    for template in templates() {
        for group in &template.groups {
            for property in group.properties.iter().filter(|property| property.is_field()) {
                assert!(!property.label.is_empty(), "{}: {}", template.name, property.id);
                let is_in_sight = !property.help.is_empty() || !property.placeholder.is_empty();
                let is_plumbing = group.id == "outcome";
                let has_some = is_in_sight || (is_plumbing && !property.tooltip.is_empty());
                assert!(has_some, "{}: {} has no help", template.name, property.id);
            }
        }
    }
}

#[test]
fn texts_are_short_enough_for_the_panel() {
    let is_short = |template: &Template| template.description.len() <= 56;
    for template in templates() {
        assert!(is_short(&template), "{}: {}", template.name, template.description);
        for property in template.properties() {
            assert!(property.help.len() <= 76, "{}: {}", template.name, property.help);
        }
    }
}
