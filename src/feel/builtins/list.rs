//! Functions of lists.
//!
//! Places count from one, negative ones from the end; what lies outside is cut to the
//! list. A function of any number of arguments takes one list or the items themselves.

mod aggregate;
mod build;
mod distinct;
mod sort;

use super::{Builtin, Call};
use crate::feel::compare::{same, weight};
use crate::feel::error::Error;
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("list contains", &["list", "element"], list_contains),
    Builtin::new("count", &["list"], count),
    Builtin::new("is empty", &["list"], is_empty),
    Builtin::new("index of", &["list", "match"], index_of),
    Builtin::new("string join", &["list"], string_join),
    Builtin::new("string join", &["list", "delimiter"], string_join),
    Builtin::new("string join", &["list", "delimiter", "prefix", "suffix"], string_join),
    Builtin::variadic("min", &["list"], aggregate::min),
    Builtin::variadic("max", &["list"], aggregate::max),
    Builtin::variadic("sum", &["list"], aggregate::sum),
    Builtin::variadic("product", &["list"], aggregate::product),
    Builtin::variadic("mean", &["list"], aggregate::mean),
    Builtin::variadic("median", &["list"], aggregate::median),
    Builtin::variadic("stddev", &["list"], aggregate::stddev),
    Builtin::variadic("mode", &["list"], aggregate::mode),
    Builtin::variadic("and", &["list"], aggregate::all),
    Builtin::variadic("all", &["list"], aggregate::all),
    Builtin::variadic("or", &["list"], aggregate::any),
    Builtin::variadic("any", &["list"], aggregate::any),
    Builtin::new("sublist", &["list", "start"], build::sublist),
    Builtin::new("sublist", &["list", "start", "length"], build::sublist),
    Builtin::named("append", &["list", "items"], build::append_all),
    Builtin::variadic("append", &[], build::append),
    Builtin::variadic("concatenate", &["lists"], build::concatenate),
    Builtin::new("insert before", &["list", "position", "newItem"], build::insert_before),
    Builtin::new("remove", &["list", "position"], build::remove),
    Builtin::new("reverse", &["list"], build::reverse),
    Builtin::new("flatten", &["list"], build::flatten),
    Builtin::new("partition", &["list", "size"], build::partition),
    Builtin::variadic("union", &["lists"], distinct::union),
    Builtin::new("distinct values", &["list"], distinct::distinct_values),
    Builtin::new("duplicate values", &["list"], distinct::duplicate_values),
    Builtin::new("sort", &["list", "precedes"], sort::sort),
];

/// The items of a call of any number of arguments; none with a warning without arguments.
fn items<'a>(call: &mut Call<'_>, arguments: &'a [Value]) -> Result<Option<&'a [Value]>, Error> {
    let items = match arguments {
        [] => {
            call.warn("needs a list, or items");
            return Ok(None);
        }
        [Value::List(list)] => list,
        items => items,
    };
    call.budget().steps(items.len())?;
    Ok(Some(items))
}

/// The items of all lists, where anything else is a list of itself.
fn joined<'a>(
    call: &mut Call<'_>,
    arguments: &'a [Value],
) -> Result<Option<Vec<&'a Value>>, Error> {
    let Some(lists) = items(call, arguments)? else { return Ok(None) };
    let mut joined = Vec::new();
    for value in lists {
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        call.budget().items(items.len())?;
        joined.extend(items);
    }
    Ok(Some(joined))
}

fn list_contains(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), element] = arguments else { return call.mismatch(arguments) };
    for item in list.iter() {
        if found(call, item, element)? {
            return Ok(Value::Boolean(true));
        }
    }
    Ok(Value::Boolean(false))
}

fn index_of(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), element] = arguments else { return call.mismatch(arguments) };
    let mut places = Vec::new();
    for (item, place) in list.iter().zip(1_i64..) {
        if found(call, item, element)? {
            call.budget().items(1)?;
            places.push(Value::from(place));
        }
    }
    Ok(Value::list(places))
}

/// Compares two values and pays for it.
fn found(call: &mut Call<'_>, item: &Value, element: &Value) -> Result<bool, Error> {
    call.budget().steps(weight(item).min(weight(element)))?;
    Ok(same(item, element))
}

fn count(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    Ok(Value::from(i64::try_from(list.len()).unwrap_or(i64::MAX)))
}

fn is_empty(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    Ok(Value::Boolean(list.is_empty()))
}

/// Joins texts, leaving out null; prefix and suffix are given both or not at all.
fn string_join(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (list, delimiter, ends) = match arguments {
        [Value::List(list)] | [Value::List(list), Value::Null] => (list, "", None),
        [Value::List(list), Value::String(delimiter)] => (list, &**delimiter, None),
        [
            Value::List(list),
            delimiter @ (Value::Null | Value::String(_)),
            Value::String(prefix),
            Value::String(suffix),
        ] => (list, delimiter.as_str().unwrap_or_default(), Some((prefix, suffix))),
        [
            Value::List(list),
            delimiter @ (Value::Null | Value::String(_)),
            Value::Null,
            Value::Null,
        ] => (list, delimiter.as_str().unwrap_or_default(), None),
        _ => return call.mismatch(arguments),
    };
    let Some(texts) = texts(call, list, delimiter)? else { return Ok(Value::Null) };
    let joined = texts.join(delimiter);
    let Some((prefix, suffix)) = ends else { return Ok(Value::from(joined)) };
    call.budget().bytes(joined.len() + prefix.len() + suffix.len())?;
    Ok(Value::from([&**prefix, &*joined, &**suffix].concat()))
}

/// The texts of a list, paid for; none with a warning if something else is in it.
fn texts<'a>(
    call: &mut Call<'_>,
    list: &'a [Value],
    delimiter: &str,
) -> Result<Option<Vec<&'a str>>, Error> {
    let mut texts = Vec::new();
    for (item, place) in list.iter().zip(1..) {
        match item {
            Value::String(text) => {
                call.budget().steps(1)?;
                call.budget().bytes(1 + text.len() + delimiter.len())?;
                texts.push(&**text);
            }
            Value::Null => call.budget().steps(1)?,
            other => {
                call.warn(odd_item(place, other, "text"));
                return Ok(None);
            }
        }
    }
    Ok(Some(texts))
}

fn odd_item(place: usize, item: &Value, expected: &str) -> String {
    format!("item {place} is a {}, no {expected}", item.type_name())
}
