//! Table API, reading: one record, or a page of a list.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Shared,
    answer::Answer,
    call::{Call, Version},
    caller::Caller,
    failure,
    links::{self, Page},
    query::{Query, Scene},
    render::Shape,
    schema::Table,
    store::Store,
};

/// `sysparm_limit` when none is given.
const DEFAULT_LIMIT: u64 = 10_000;

/// One record.
pub(crate) fn one(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
    sys_id: &str,
) -> Result<Answer, Answer> {
    let store = shared.read();
    let table = store.table(table).ok_or_else(|| failure::invalid_table(table))?;
    let record = store.find(table, sys_id).ok_or_else(failure::no_record)?;
    let shown = Shape::new(&store, caller, table, call).record(table, record);
    Ok(Answer::json(StatusCode::OK, json!({ "result": shown })))
}

/// A page of the records that match.
pub(crate) fn list(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
) -> Result<Answer, Answer> {
    let (offset, limit) = window(call)?;
    let store = shared.read();
    let table = store.table(table).ok_or_else(|| failure::invalid_table(table))?;
    let query = query_of(shared, &store, table, call, caller);
    let found = if query.has_invalid_part && shared.config.invalid_query_returns_no_rows {
        Vec::new()
    } else {
        query.select(&store, table)
    };
    let shape = Shape::new(&store, caller, table, call);
    let page: Vec<Value> = found
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .map(|record| shape.record(table, record))
        .collect();
    if page.is_empty() && call.version == Version::V1 {
        return Err(failure::no_match());
    }
    let total = (!call.flag("sysparm_no_count")).then_some(found.len() as u64);
    let place = Page { offset, limit, shown: page.len() as u64, total };
    Ok(links::add(Answer::json(StatusCode::OK, json!({ "result": page })), call, place))
}

/// Reads `sysparm_offset` and `sysparm_limit`; what is no number counts as absent.
fn window(call: &Call) -> Result<(u64, u64), Answer> {
    let number = |name| call.parameter(name).and_then(|text| text.trim().parse::<i64>().ok());
    let offset = number("sysparm_offset").unwrap_or(0);
    let offset = u64::try_from(offset).map_err(|_| failure::negative_offset())?;
    let limit = number("sysparm_limit").and_then(|limit| u64::try_from(limit).ok());
    Ok((offset, limit.unwrap_or(DEFAULT_LIMIT)))
}

/// The query of a call: encoded, or else plain `field=value` pairs.
pub(crate) fn query_of(
    shared: &Shared,
    store: &Store,
    table: &Table,
    call: &Call,
    caller: &Caller,
) -> Query {
    if call.twist.ignores_query {
        return Query::default();
    }
    let scene = Scene {
        now: shared.config.clock.now(),
        zone: &caller.zone,
        user_id: &caller.sys_id,
        user_name: &caller.user_name,
    };
    if let Some(text) = call.parameter("sysparm_query") {
        return Query::parse(text, store, table, &scene);
    }
    let is_plain = |name: &str| !name.starts_with("sysparm_") && name != "x-sn-apikey";
    let pairs: Vec<(&str, &str)> = call
        .query
        .iter()
        .filter(|(name, _)| is_plain(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Query::of_pairs(&pairs, store, table)
}
