//! What an instance does to a record by itself: defaults, the twin of `state`, priority
//! from impact and urgency, resolving, closing and reopening, and the data policies.

use super::{definition::Policy, record::Record, schema::Table, store::Store};

/// When a change happens, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// Raw time.
    pub(crate) now: String,
    /// `sys_id` of the user.
    pub(crate) user: String,
    /// Login of the user.
    pub(crate) user_name: String,
}

/// Fills what the client left out of a new record. `class_table` is the record's own table.
pub(crate) fn fill_defaults(store: &mut Store, table: &Table, record: &mut Record, stamp: &Stamp) {
    for column in table
        .columns
        .iter()
        .filter(|column| record.get(&column.name).is_empty())
        .collect::<Vec<_>>()
    {
        let value = match column.default.as_str() {
            "@now" => stamp.now.clone(),
            "@caller" => stamp.user.clone(),
            "@number" => continue,
            other => other.to_owned(),
        };
        record.set(&column.name, value);
    }
    record.fill_in(table, "sys_class_name", &*table.name);
    number(store, table, record);
}

fn number(store: &mut Store, table: &Table, record: &mut Record) {
    if let Some(prefix) = &table.rules.prefix {
        if record.get("number").is_empty() {
            let number = store.numbers.draw(prefix);
            record.set_in(table, "number", number);
        }
        let number = record.get("number").to_owned();
        record.fill_in(table, "task_effective_number", number);
    }
}

/// Notes who made a record and when, where it does not say so yet.
pub(crate) fn mark_created(table: &Table, record: &mut Record, stamp: &Stamp) {
    for (field, value) in [
        ("sys_created_on", &stamp.now),
        ("sys_created_by", &stamp.user_name),
        ("sys_updated_on", &stamp.now),
        ("sys_updated_by", &stamp.user_name),
    ] {
        record.fill_in(table, field, value.as_str());
    }
}

/// Brings the fields that depend on others in line after a change.
pub(crate) fn follow(table: &Table, old: Option<&Record>, record: &mut Record, stamp: &Stamp) {
    twin(table, old, record);
    priority(table, old, record);
    life(table, old, record, stamp);
    user_name(table, old, record);
    let moved = old.is_some_and(|old| {
        !old.get("assignment_group").is_empty()
            && old.get("assignment_group") != record.get("assignment_group")
    });
    if moved {
        add_one(table, record, "reassignment_count");
    }
}

/// `state` and its twin follow each other; `state` wins when both change.
fn twin(table: &Table, old: Option<&Record>, record: &mut Record) {
    let Some(twin) = table.rules.twin.as_deref() else { return };
    let default = table.column("state").map_or("", |column| &column.default);
    let before = |field: &str| old.map_or(default, |old| old.get(field)).to_owned();
    let state_changed = record.get("state") != before("state");
    let twin_changed = record.get(twin) != before(twin);
    let (from, to) = if twin_changed && !state_changed { (twin, "state") } else { ("state", twin) };
    let value = record.get(from).to_owned();
    record.set_in(table, to, value);
}

fn priority(table: &Table, old: Option<&Record>, record: &mut Record) {
    let changed = |field: &str| old.is_none_or(|old| old.get(field) != record.get(field));
    if table.rules.priority_matrix && (changed("impact") || changed("urgency")) {
        let priority = match (record.get("impact"), record.get("urgency")) {
            ("1", "1") => "1",
            ("1", "2") | ("2", "1") => "2",
            ("1", "3") | ("2", "2") | ("3", "1") => "3",
            ("2", "3") | ("3", "2") => "4",
            _ => "5",
        };
        record.set_in(table, "priority", priority);
    }
}

fn life(table: &Table, old: Option<&Record>, record: &mut Record, stamp: &Stamp) {
    let rules = &table.rules;
    let is_in = |states: &[String], state: &str| states.iter().any(|known| known == state);
    let state = record.get("state").to_owned();
    let before = old.map_or("", |old| old.get("state"));
    if state == before || (rules.closed.is_empty() && rules.resolved.is_empty()) {
        return;
    }
    if is_in(&rules.resolved, &state) {
        record.fill_in(table, "resolved_at", stamp.now.as_str());
        record.fill_in(table, "resolved_by", stamp.user.as_str());
    }
    let closed = is_in(&rules.closed, &state);
    if closed {
        record.fill_in(table, "closed_at", stamp.now.as_str());
        record.fill_in(table, "closed_by", stamp.user.as_str());
    }
    record.set_in(table, "active", if closed { "false" } else { "true" });
    let was_over = is_in(&rules.resolved, before) || is_in(&rules.closed, before);
    if was_over && !closed && !is_in(&rules.resolved, &state) {
        reopen(table, record, stamp);
    }
}

fn reopen(table: &Table, record: &mut Record, stamp: &Stamp) {
    for field in ["resolved_at", "resolved_by", "closed_at", "closed_by"] {
        record.set_in(table, field, "");
    }
    record.set_in(table, "reopened_time", stamp.now.as_str());
    record.set_in(table, "reopened_by", stamp.user.as_str());
    add_one(table, record, "reopen_count");
}

/// A user's name is first and last name.
fn user_name(table: &Table, old: Option<&Record>, record: &mut Record) {
    let changed = |field: &str| old.is_none_or(|old| old.get(field) != record.get(field));
    if &*table.name == "sys_user" && (changed("first_name") || changed("last_name")) {
        let name = format!("{} {}", record.get("first_name"), record.get("last_name"));
        record.set_in(table, "name", name.trim());
    }
}

fn add_one(table: &Table, record: &mut Record, field: &str) {
    let count: u64 = record.get(field).parse().unwrap_or(0);
    record.set_in(table, field, (count + 1).to_string());
}

/// The labels of the fields that a data policy misses. ServiceNow names labels, not fields.
pub(crate) fn missing(table: &Table, record: &Record) -> Vec<String> {
    let applies =
        |policy: &&Policy| policy.values.iter().any(|value| value == record.get(&policy.field));
    let fields = table.rules.policies.iter().filter(applies).flat_map(|policy| &policy.mandatory);
    let empty = fields.filter(|field| record.get(field).is_empty());
    empty.filter_map(|field| table.column(field)).map(|column| column.label.clone()).collect()
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
