//! Table API, writing: insert, update, delete.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{
    DuplicateIdAnswer, Shared,
    answer::Answer,
    call::Call,
    caller::Caller,
    failure,
    journal::{self, Note},
    outbound::{Change, Operation},
    record::Record,
    render::Shape,
    rules,
    schema::{Kind, Table},
    store::Store,
    time,
    values::{Input, Reading, text_of},
};
use crate::servicenow::SysId;

/// A record being written and what goes to its journals.
#[derive(Debug)]
struct Draft {
    record: Record,
    notes: Vec<Note>,
}

/// Inserts a record.
pub(crate) fn insert(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
) -> Result<Answer, Answer> {
    let fields = call.record()?;
    let stamp = caller.stamp(time::raw(shared.config.clock.now()));
    let mut store = shared.write();
    let table = store.table(table).cloned().ok_or_else(|| failure::invalid_table(table))?;
    if !caller.has_one_of(&table.rules.write) {
        return Err(failure::acl("Insert"));
    }
    let chosen = chosen_id(&fields).filter(|_| !call.twist.ignores_id);
    if let Some(id) = &chosen
        && let Some(existing) = store.find_in(&table.root, id).cloned()
    {
        shared.tally.repeated();
        return duplicate(shared, &mut store, call, caller, &table, &existing);
    }
    let id = chosen.unwrap_or_else(|| store.new_id());
    let mut draft = Draft { record: Record::new(&table.name), notes: Vec::new() };
    draft.record.set_in(&table, "sys_id", id.as_str());
    draft.assign(&store, &table, &fields, input_of(call), &caller.zone);
    rules::fill_defaults(&mut store, &table, &mut draft.record, &stamp);
    rules::follow(&table, None, &mut draft.record, &stamp);
    check_policy(&table, &draft.record)?;
    rules::mark_created(&table, &mut draft.record, &stamp);
    let record = store.insert(draft.record);
    shared.tally.inserted(&table.name);
    journal::append(&mut store, &record, &draft.notes, &stamp.now, &stamp.user_name);
    committed(shared, &mut store, caller, None, &record, &draft.notes);
    let location = format!("{}{}/table/{}/{id}", call.origin, call.version.prefix(), table.name);
    Ok(echo(StatusCode::CREATED, &store, call, caller, &table, &record)
        .with(header::LOCATION, location))
}

/// Updates a record: only the fields sent change, and only a change counts.
pub(crate) fn update(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
    sys_id: &str,
) -> Result<Answer, Answer> {
    let fields = call.record()?;
    let mut store = shared.write();
    let table = store.table(table).cloned().ok_or_else(|| failure::invalid_table(table))?;
    let old = store.find(&table, sys_id).cloned().ok_or_else(failure::no_record)?;
    let record = change(shared, &mut store, call, caller, &table, &old, &fields)?;
    Ok(echo(StatusCode::OK, &store, call, caller, &table, &record))
}

fn change(
    shared: &Shared,
    store: &mut Store,
    call: &Call,
    caller: &Caller,
    table: &Table,
    old: &Arc<Record>,
    fields: &Map<String, Value>,
) -> Result<Arc<Record>, Answer> {
    if !caller.has_one_of(&table.rules.write) {
        return Err(failure::acl("Update"));
    }
    let stamp = caller.stamp(time::raw(shared.config.clock.now()));
    let own_table = store.table(&old.class).cloned();
    let own_table = own_table.as_deref().unwrap_or(table);
    let mut draft = Draft { record: Record::clone(old), notes: Vec::new() };
    draft.assign(store, table, fields, input_of(call), &caller.zone);
    rules::follow(own_table, Some(old), &mut draft.record, &stamp);
    check_policy(own_table, &draft.record)?;
    if draft.record == **old && draft.notes.is_empty() {
        return Ok(old.clone());
    }
    if !call.flag("sysparm_suppress_auto_sys_field") {
        let count: u64 = old.get("sys_mod_count").parse().unwrap_or(0);
        draft.record.set_in(table, "sys_mod_count", (count + 1).to_string());
        draft.record.set_in(table, "sys_updated_on", stamp.now.as_str());
        draft.record.set_in(table, "sys_updated_by", stamp.user_name.as_str());
    }
    let record = store.replace(draft.record);
    journal::append(store, &record, &draft.notes, &stamp.now, &stamp.user_name);
    committed(shared, store, caller, Some(old), &record, &draft.notes);
    Ok(record)
}

/// Lets the business rules see a record that was written.
fn committed(
    shared: &Shared,
    store: &mut Store,
    caller: &Caller,
    old: Option<&Record>,
    new: &Record,
    notes: &[Note],
) {
    let operation = if old.is_some() { Operation::Update } else { Operation::Insert };
    let now = shared.config.clock.now();
    shared.courier.fire(store, &Change { operation, old, new, notes, caller, now });
}

/// Deletes a record.
pub(crate) fn delete(
    shared: &Shared,
    caller: &Caller,
    table: &str,
    sys_id: &str,
) -> Result<Answer, Answer> {
    let mut store = shared.write();
    let table = store.table(table).cloned().ok_or_else(|| failure::invalid_table(table))?;
    let record = store.find(&table, sys_id).cloned().ok_or_else(failure::no_record)?;
    if !caller.has_one_of(&table.rules.delete) {
        return Err(failure::acl("Delete"));
    }
    store.remove(&record);
    let change = Change {
        operation: Operation::Delete,
        old: Some(&record),
        new: &record,
        notes: &[],
        caller,
        now: shared.config.clock.now(),
    };
    shared.courier.fire(&mut store, &change);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What an instance answers to a second insert with the same `sys_id` is not known for
/// sure, so the sandbox can give each of the answers that were seen or are likely.
fn duplicate(
    shared: &Shared,
    store: &mut Store,
    call: &Call,
    caller: &Caller,
    table: &Table,
    existing: &Arc<Record>,
) -> Result<Answer, Answer> {
    let status = match shared.config.duplicate_id_answer {
        DuplicateIdAnswer::Forbidden => StatusCode::FORBIDDEN,
        DuplicateIdAnswer::Conflict => StatusCode::CONFLICT,
        DuplicateIdAnswer::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        DuplicateIdAnswer::Update => {
            let fields = call.record()?;
            let record = change(shared, store, call, caller, table, existing, &fields)?;
            return Ok(echo(StatusCode::OK, store, call, caller, table, &record));
        }
    };
    Err(failure::duplicate(status, existing.sys_id()))
}

impl Draft {
    /// Takes over what the client sent: known, writable fields with values they can hold.
    fn assign(
        &mut self,
        store: &Store,
        table: &Table,
        fields: &Map<String, Value>,
        input: Input,
        zone: &TimeZone,
    ) {
        let reading = Reading { store, zone, input };
        for (field, value) in fields {
            let Some(column) = table.column(field).filter(|column| !column.read_only) else {
                continue;
            };
            if column.kind == Kind::Journal {
                let text = text_of(value);
                if !text.is_empty() {
                    self.notes.push(Note { element: column.name.clone(), text });
                }
            } else if let Some(raw) = reading.accept(column, value) {
                self.record.set(&column.name, raw);
            }
        }
    }
}

/// A `sys_id` that the client chose; any other text is not taken.
fn chosen_id(fields: &Map<String, Value>) -> Option<String> {
    let id = text_of(fields.get("sys_id")?);
    SysId::parse(&id).ok().filter(|parsed| parsed.as_str() == id).map(|_| id)
}

fn input_of(call: &Call) -> Input {
    if call.flag("sysparm_input_display_value") { Input::Display } else { Input::Raw }
}

fn check_policy(table: &Table, record: &Record) -> Result<(), Answer> {
    let missing = rules::missing(table, record);
    if missing.is_empty() { Ok(()) } else { Err(failure::data_policy(&missing)) }
}

/// The written record, read back; nothing with `X-no-response-body`.
fn echo(
    status: StatusCode,
    store: &Store,
    call: &Call,
    caller: &Caller,
    table: &Table,
    record: &Record,
) -> Answer {
    if call.header("x-no-response-body").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Answer::empty(status);
    }
    let shown = Shape::new(store, caller, table, call).record(table, record);
    Answer::json(status, json!({ "result": shown }))
}
