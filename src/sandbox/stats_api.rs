//! The Aggregate API: counts, and sums and the like, of the records that match, grouped if
//! asked for. `sysparm_having` and `sysparm_order_by` are not looked at.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Shared, answer::Answer, call::Call, caller::Caller, display, failure, query::path::Path,
    record::Record, render::Mode, schema::Table, store::Store, table_read::query_of,
};

/// Answers `/api/now/stats/{table}`.
pub(crate) fn answer(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
) -> Result<Answer, Answer> {
    let store = shared.read();
    let table = store.table(table).ok_or_else(|| failure::invalid_table(table))?;
    let query = query_of(shared, &store, table, call, caller);
    let found: Vec<&Record> = query.select(&store, table).into_iter().map(AsRef::as_ref).collect();
    let groups = paths(&store, table, call.parameter("sysparm_group_by"));
    let result = if groups.is_empty() {
        json!({"stats": stats(&store, table, call, &found)})
    } else {
        grouped(&store, table, call, caller, &groups, &found)
    };
    Ok(Answer::json(StatusCode::OK, json!({ "result": result })))
}

fn paths(store: &Store, table: &Table, list: Option<&str>) -> Vec<(String, Path)> {
    let names = list.unwrap_or_default().split(',').map(str::trim).filter(|n| !n.is_empty());
    names.filter_map(|n| Some((n.to_owned(), Path::resolve(store, table, n)?))).collect()
}

fn grouped(
    store: &Store,
    table: &Table,
    call: &Call,
    caller: &Caller,
    groups: &[(String, Path)],
    found: &[&Record],
) -> Value {
    let mut sorted: BTreeMap<Vec<&str>, Vec<&Record>> = BTreeMap::new();
    for record in found {
        let key = groups.iter().map(|(_, path)| path.value(store, record)).collect();
        sorted.entry(key).or_default().push(record);
    }
    let mode = Mode::of(call);
    let rows = sorted.into_iter().map(|(key, members)| {
        let fields = groups.iter().zip(&key).map(|((name, path), raw)| {
            let shown =
                path.last().map(|column| display::of_value(store, column, raw, &caller.zone));
            match mode {
                Mode::Raw => json!({"field": name, "value": raw}),
                Mode::Display => json!({"field": name, "value": shown}),
                Mode::Both => json!({"field": name, "display_value": shown, "value": raw}),
            }
        });
        let fields: Vec<Value> = fields.collect();
        json!({"stats": stats(store, table, call, &members), "groupby_fields": fields})
    });
    rows.collect()
}

fn stats(store: &Store, table: &Table, call: &Call, members: &[&Record]) -> Value {
    let mut stats = Map::new();
    if call.flag("sysparm_count") {
        stats.insert("count".to_owned(), Value::String(members.len().to_string()));
    }
    for kind in ["sum", "avg", "min", "max"] {
        let wanted = paths(store, table, call.parameter(&format!("sysparm_{kind}_fields")));
        if wanted.is_empty() {
            continue;
        }
        let values = wanted.into_iter().map(|(name, path)| {
            let raw = members.iter().map(|record| path.value(store, record));
            let numbers: Vec<f64> = raw.filter_map(|value| value.parse().ok()).collect();
            (name, Value::String(aggregate(kind, &numbers)))
        });
        stats.insert(kind.to_owned(), Value::Object(values.collect()));
    }
    Value::Object(stats)
}

fn aggregate(kind: &str, numbers: &[f64]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let sum: f64 = numbers.iter().sum();
    let result = match kind {
        // More than 2^52 records do not fit in memory.
        #[expect(clippy::cast_precision_loss, reason = "a count of records in memory")]
        "avg" => sum / numbers.len() as f64,
        "min" => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => sum,
    };
    result.to_string()
}
