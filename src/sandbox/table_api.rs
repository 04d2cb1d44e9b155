//! The Table API: which verb on which path does what.

use axum::http::Method;

use super::{Shared, answer::Answer, call::Call, caller::Caller, failure, table_read, table_write};

/// Answers a call to `/{table}` or `/{table}/{sys_id}`.
pub(crate) fn answer(
    shared: &Shared,
    call: &Call,
    caller: &Caller,
    table: &str,
    sys_id: Option<&str>,
) -> Answer {
    let answer = match (&call.method, sys_id) {
        (&Method::GET | &Method::HEAD, None) => table_read::list(shared, call, caller, table),
        (&Method::GET | &Method::HEAD, Some(id)) => {
            table_read::one(shared, call, caller, table, id)
        }
        (&Method::POST, None) => table_write::insert(shared, call, caller, table),
        (&Method::PUT | &Method::PATCH, Some(id)) => {
            table_write::update(shared, call, caller, table, id)
        }
        (&Method::DELETE, Some(id)) => table_write::delete(shared, caller, table, id),
        (method, _) => Err(failure::method_not_supported(method.as_str())),
    };
    answer.unwrap_or_else(|refusal| refusal)
}
