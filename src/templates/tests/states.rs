//! What a modeler may choose, and what is there then.

use std::{collections::BTreeMap, fmt};

use super::super::{Condition, Kind, Property, Template};

/// A template under one choice for each decisive property.
pub(super) struct State<'a> {
    template: &'a Template,
    chosen: BTreeMap<&'a str, &'a str>,
}

impl fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chosen.fmt(f)
    }
}

impl<'a> State<'a> {
    /// Every state, those that differ in nothing once; the first is how a template comes.
    pub(super) fn of(template: &'a Template) -> Vec<Self> {
        let mut states = vec![Self { template, chosen: BTreeMap::new() }];
        for property in template.properties().filter(|property| is_decisive(template, property)) {
            let Kind::Choice(choices) = &property.kind else { continue };
            let mut more = Vec::new();
            for state in states {
                if !state.is_active(property) {
                    more.push(state);
                    continue;
                }
                let with = |value: &'a str| {
                    let mut chosen = state.chosen.clone();
                    chosen.insert(property.id.as_str(), value);
                    Self { template, chosen }
                };
                more.extend(choices.iter().map(|choice| with(choice.value.as_str())));
            }
            states = more;
        }
        states
    }

    /// What applies: its group's id, its place in the group, the property.
    pub(super) fn active(&self) -> impl Iterator<Item = (&'a str, usize, &'a Property)> {
        self.template.groups.iter().flat_map(|group| {
            let active = group.properties.iter().filter(|property| self.is_active(property));
            active.enumerate().map(|(place, property)| (group.id, place, property))
        })
    }

    /// The chosen value of a decisive property.
    pub(super) fn chosen(&self, id: &str) -> Option<&'a str> {
        self.chosen.get(id).copied()
    }

    fn is_active(&self, property: &Property) -> bool {
        property.conditions.iter().all(|condition| match condition {
            Condition::OneOf(id, values) => {
                self.chosen(id).is_some_and(|chosen| values.iter().any(|value| value == chosen))
            }
            Condition::Inactive(id) => {
                let other = self.template.properties().find(|other| other.id == *id);
                other.is_none_or(|other| !self.is_active(other))
            }
        })
    }
}

fn is_decisive(template: &Template, property: &Property) -> bool {
    template
        .properties()
        .flat_map(|other| &other.conditions)
        .any(|condition| matches!(condition, Condition::OneOf(id, _) if *id == property.id))
}
