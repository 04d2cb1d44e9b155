//! Functions of contexts. Keys keep their order; a new key comes last.

use std::sync::Arc;

use super::{Builtin, Call};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::value::{Context, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("get entries", &["context"], get_entries),
    Builtin::new("get entries", &["m"], get_entries),
    Builtin::new("get value", &["context", "key"], get_value),
    Builtin::new("get value", &["m", "key"], get_value),
    Builtin::new("get value", &["context", "keys"], get_value),
    Builtin::new("context put", &["context", "key", "value"], context_put),
    Builtin::new("context put", &["context", "keys", "value"], context_put),
    Builtin::new("put", &["context", "key", "value"], context_put),
    Builtin::variadic("context merge", &["contexts"], context_merge),
    Builtin::variadic("put all", &["contexts"], context_merge),
    Builtin::new("context", &["entries"], context),
];

/// Keys that lead into a value at most.
const KEYS: usize = 100;

/// What an entry costs that finds its place among others.
const MERGED: usize = 6;

fn get_entries(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::Context(context)] = arguments else { return call.mismatch(arguments) };
    call.budget().items(context.len().saturating_mul(3))?;
    let (key_name, value_name) = (Arc::from("key"), Arc::from("value"));
    let entries = context.iter().map(|(key, value)| {
        let entry = vec![
            (Arc::clone(&key_name), Value::String(Arc::clone(key))),
            (Arc::clone(&value_name), value.clone()),
        ];
        Value::Context(Arc::new(Context::from_distinct(entry)))
    });
    Ok(Value::list(entries.collect::<Vec<_>>()))
}

/// The value of a key, or at the end of several; what is not there is null.
fn get_value(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Context(context), Value::String(key)] => {
            call.budget().steps(cost::lookup(context, key))?;
            Ok(context.get(key).cloned().unwrap_or(Value::Null))
        }
        [context @ Value::Context(_), Value::List(keys)] => {
            call.budget().steps(keys.len())?;
            let Some(keys) = texts(keys).filter(|keys| !keys.is_empty()) else {
                return call.null("the keys must be texts, at least one");
            };
            let mut found = Some(context);
            for key in keys {
                found = match found.and_then(Value::as_context) {
                    Some(context) => {
                        call.budget().steps(cost::lookup(context, key))?;
                        context.get(key)
                    }
                    None => None,
                };
            }
            Ok(found.cloned().unwrap_or(Value::Null))
        }
        _ => call.mismatch(arguments),
    }
}

fn texts(values: &[Value]) -> Option<Vec<&Arc<str>>> {
    let texts = values.iter().map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn context_put(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Context(context), Value::String(key), value] => {
            put(call, Some(context), &[key], value)
        }
        [Value::Context(context), Value::List(keys), value] => match texts(keys) {
            Some(keys) if (1..=KEYS).contains(&keys.len()) => {
                put(call, Some(context), &keys, value)
            }
            _ => call.null(format!("the keys must be texts, from 1 to {KEYS}")),
        },
        _ => call.mismatch(arguments),
    }
}

/// Puts a value where the keys lead; what is no context on the way becomes one.
fn put(
    call: &mut Call<'_>,
    context: Option<&Context>,
    keys: &[&Arc<str>],
    value: &Value,
) -> Result<Value, Error> {
    let [key, rest @ ..] = keys else { return Ok(value.clone()) };
    let size = context.map_or(0, Context::len) + 1;
    call.budget().items(size)?;
    call.budget().steps(3 * size + cost::search(size, key))?;
    let nested = context.and_then(|context| context.get(key)).and_then(Value::as_context);
    let inner = put(call, nested, rest, value)?;
    let mut entries: Vec<_> = context.into_iter().flatten().cloned().collect();
    match entries.iter_mut().find(|(name, _)| name == *key) {
        Some((_, old)) => *old = inner,
        None => entries.push((Arc::clone(key), inner)),
    }
    Ok(Value::Context(Arc::new(Context::from_distinct(entries))))
}

/// The entries of all contexts; of equal keys the last wins.
fn context_merge(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let contexts = match arguments {
        [] => return call.null("needs a list, or contexts"),
        [Value::List(list)] => list,
        contexts => contexts,
    };
    let mut entries = Vec::new();
    for context in contexts {
        let Value::Context(context) = context else {
            return call.null(format!("cannot merge a {}", context.type_name()));
        };
        call.budget().items(context.len() + 1)?;
        call.budget().steps(context.keys().map(|key| MERGED + cost::key(key)).sum())?;
        entries.extend(context.iter().cloned());
    }
    Ok(Value::context(entries))
}

/// The context of a list of keys and values, the opposite of `get entries`.
fn context(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    call.budget().items(list.len())?;
    let mut entries = Vec::with_capacity(list.len());
    for item in list.iter() {
        let Some((key, value)) = entry(call, item)? else {
            return call.null("every entry must be a context of a key (a text) and a value");
        };
        entries.push((key, value));
    }
    Ok(Value::context(entries))
}

/// The key and the value of an entry, paid for.
fn entry(call: &mut Call<'_>, item: &Value) -> Result<Option<(Arc<str>, Value)>, Error> {
    let Some(entry) = item.as_context() else { return Ok(None) };
    call.budget().steps(2 * cost::lookup(entry, "value"))?;
    let (Some(Value::String(key)), Some(value)) = (entry.get("key"), entry.get("value")) else {
        return Ok(None);
    };
    call.budget().steps(MERGED + cost::key(key))?;
    Ok(Some((Arc::clone(key), value.clone())))
}
