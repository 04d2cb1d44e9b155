//! Functions that make other lists of lists.

use super::joined;
use crate::feel::builtins::Call;
use crate::feel::builtins::string::whole;
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::value::Value;

pub(super) fn sublist(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (list, start, length) = match arguments {
        [Value::List(list), Value::Number(start)] => (list, start, i64::MAX),
        [Value::List(list), Value::Number(start), Value::Number(length)] => {
            (list, start, whole(length))
        }
        _ => return call.mismatch(arguments),
    };
    if start.is_zero() {
        return call.null("places in a list count from 1");
    }
    let from = index(list, whole(start));
    let (from, to) = (clamp(list, from), clamp(list, from.saturating_add(length)));
    let part = list.get(from..to).unwrap_or_default();
    call.budget().items(part.len())?;
    Ok(Value::list(part))
}

/// The index of a place; places outside of the list give indexes outside of it.
fn index(list: &[Value], place: i64) -> i64 {
    let size = i64::try_from(list.len()).unwrap_or(i64::MAX);
    if place > 0 { place - 1 } else { size.saturating_add(place) }
}

fn clamp(list: &[Value], index: i64) -> usize {
    usize::try_from(index.max(0)).map_or(list.len(), |index| index.min(list.len()))
}

pub(super) fn append(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), items @ ..] = arguments else { return call.mismatch(arguments) };
    if items.is_empty() {
        return call.null("needs an item to append");
    }
    call.budget().items(list.len() + items.len())?;
    Ok(Value::list([list, items].concat()))
}

/// With names, the items are a list.
pub(super) fn append_all(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), Value::List(items)] = arguments else {
        return call.mismatch(arguments);
    };
    call.budget().items(list.len() + items.len())?;
    Ok(Value::list([&list[..], &items[..]].concat()))
}

pub(super) fn concatenate(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(items) = joined(call, arguments)? else { return Ok(Value::Null) };
    Ok(Value::list(items.into_iter().cloned().collect::<Vec<_>>()))
}

pub(super) fn insert_before(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), Value::Number(position), item] = arguments else {
        return call.mismatch(arguments);
    };
    if position.is_zero() {
        return call.null("places in a list count from 1");
    }
    call.budget().items(list.len() + 1)?;
    let (before, after) = list.split_at(clamp(list, index(list, whole(position))));
    Ok(Value::list([before, std::slice::from_ref(item), after].concat()))
}

pub(super) fn remove(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), Value::Number(position)] = arguments else {
        return call.mismatch(arguments);
    };
    if position.is_zero() {
        return call.null("places in a list count from 1");
    }
    call.budget().items(list.len())?;
    let removed = usize::try_from(index(list, whole(position))).unwrap_or(usize::MAX);
    let kept = list.iter().enumerate().filter(|(at, _)| *at != removed);
    Ok(Value::list(kept.map(|(_, item)| item.clone()).collect::<Vec<_>>()))
}

pub(super) fn reverse(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    call.budget().items(list.len())?;
    Ok(Value::list(list.iter().rev().cloned().collect::<Vec<_>>()))
}

pub(super) fn flatten(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    let mut items = Vec::new();
    flatten_into(call, list, &mut items)?;
    Ok(Value::list(items))
}

/// Goes no deeper than values may nest.
fn flatten_into(call: &mut Call<'_>, list: &[Value], items: &mut Vec<Value>) -> Result<(), Error> {
    call.budget().items(list.len())?;
    for item in list {
        match item {
            Value::List(nested) => flatten_into(call, nested, items)?,
            other => items.push(other.clone()),
        }
    }
    Ok(())
}

pub(super) fn partition(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), Value::Number(size)] = arguments else {
        return call.mismatch(arguments);
    };
    let Some(size) = part_size(size) else {
        return call.null(format!("the size of a part must be 1 at least, not {size}"));
    };
    call.budget().items(list.len().saturating_mul(2))?;
    Ok(Value::list(list.chunks(size).map(Value::list).collect::<Vec<_>>()))
}

fn part_size(size: &Number) -> Option<usize> {
    usize::try_from(whole(size)).ok().filter(|size| *size > 0)
}
