//! A table's field -> the property that fills it.
#![deny(clippy::disallowed_types)]

use super::{
    model::{Binding, Choice, Kind, Property},
    parts::input,
    table::{Field, FieldChoice, FieldKind},
};

/// The field is not written, on purpose: null would be a warning of the result.
pub(super) const NOT_WRITTEN: &str = "={}";

/// The property for a field; one for each value of the field that its choices depend on.
pub(super) fn properties(field: &Field, suffix: &str) -> Vec<Property> {
    match &field.dependent_on {
        Some(decisive) => dependent(field, decisive, suffix),
        None => vec![property(field, &format!("{}{suffix}", field.name))],
    }
}

/// The one property for a field; its choices are those of every value it depends on.
pub(super) fn only(field: &Field) -> Property {
    property(field, &field.name)
}

/// The same, red when empty: a choice starts without a value.
pub(super) fn demanded(field: &Field) -> Property {
    let mut property = only(field).required();
    if let Kind::Choice(choices) = &mut property.kind {
        choices.retain(|choice| choice.value != NOT_WRITTEN);
        property.value = None;
    }
    property
}

/// The property, and in its place what leaves the field out while it does not apply.
pub(super) fn or_not_written(property: Property) -> [Property; 2] {
    let none = Property::instead_of(&property, NOT_WRITTEN);
    [property, none]
}

/// The field for all others.
pub(super) fn others() -> Property {
    Property::expression("otherFields", input("otherFields"), "Other fields")
        .help("{u_cost: cost}; these win, \"\" clears, {} leaves a field")
}

fn property(field: &Field, id: &str) -> Property {
    let binding = binding(field);
    let line = |placeholder: &str| {
        Property::line(id, binding.clone(), &field.label).placeholder(placeholder)
    };
    let property = match field.kind {
        FieldKind::String => line("Text, or an expression with ="),
        FieldKind::Text => {
            Property::area(id, binding, &field.label).placeholder("Text, or an expression with =")
        }
        FieldKind::Journal => {
            Property::area(id, binding, &field.label).placeholder("An entry to add")
        }
        FieldKind::Choice => choice(field, id, field.choices.iter()),
        FieldKind::Boolean => yes_or_no(field, id),
        FieldKind::Integer => line("A whole number"),
        FieldKind::DateTime => line("2026-01-31T14:00:00Z"),
        FieldKind::Date => line("2026-01-31"),
        FieldKind::Reference => line(&format!("sys_id, table {}", refers_to(field))),
        FieldKind::List => line(&format!("sys_ids with commas, table {}", refers_to(field))),
    };
    property.help(field.hint.as_deref().unwrap_or_default())
}

fn refers_to(field: &Field) -> &str {
    field.reference.as_deref().unwrap_or("unknown")
}

fn binding(field: &Field) -> Binding {
    input(&format!("fields.{}", field.name))
}

fn choice<'a>(field: &Field, id: &str, choices: impl Iterator<Item = &'a FieldChoice>) -> Property {
    let known = choices.map(|choice| Choice::new(&choice.label, &choice.value));
    let choices = std::iter::once(Choice::new("(not set)", NOT_WRITTEN)).chain(known);
    Property::choice(id, binding(field), &field.label, choices.collect())
}

fn yes_or_no(field: &Field, id: &str) -> Property {
    let choices = [("(not set)", NOT_WRITTEN), ("Yes", "true"), ("No", "false")]
        .map(|(l, v)| Choice::new(l, v));
    Property::choice(id, binding(field), &field.label, choices.into())
}

fn dependent(field: &Field, decisive: &str, suffix: &str) -> Vec<Property> {
    let mut values: Vec<&str> = Vec::new();
    for value in field.choices.iter().filter_map(|choice| choice.dependent_value.as_deref()) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let of = |value: &str| {
        let own = field.choices.iter();
        let own = own.filter(|choice| choice.dependent_value.as_deref() == Some(value));
        choice(field, &format!("{}_{value}{suffix}", field.name), own)
            .help(field.hint.as_deref().unwrap_or_default())
            .when(decisive, &[value])
    };
    values.into_iter().map(of).collect()
}
