//! Functions that make one value of many.

use std::cmp::Ordering;

use super::{items, odd_item};
use crate::feel::ast::Arithmetic;
use crate::feel::builtins::Call;
use crate::feel::compare::{order, weight};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::operate::arithmetic;
use crate::feel::value::Value;

/// What the square of a deviation from the mean costs.
const DEVIATION: usize = 50;

pub(super) fn min(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    extreme(call, arguments, Ordering::Less)
}

pub(super) fn max(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    extreme(call, arguments, Ordering::Greater)
}

/// The first of the items that all others lie behind.
fn extreme(call: &mut Call<'_>, arguments: &[Value], wanted: Ordering) -> Result<Value, Error> {
    let Some(items) = items(call, arguments)? else { return Ok(Value::Null) };
    let Some(mut best) = items.first() else { return Ok(Value::Null) };
    for item in items {
        call.budget().steps(weight(item).min(weight(best)))?;
        match order(item, best) {
            None => {
                let (a, b) = (item.type_name(), best.type_name());
                return call.null(format!("cannot compare a {a} with a {b}"));
            }
            Some(order) if order == wanted => best = item,
            Some(_) => {}
        }
    }
    Ok(best.clone())
}

pub(super) fn sum(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    let sum = folded(call, Number::ZERO, Arithmetic::Add, &numbers)?;
    result(call, sum)
}

pub(super) fn product(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    let product = folded(call, Number::from(1), Arithmetic::Multiply, &numbers)?;
    result(call, product)
}

pub(super) fn mean(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    let mean = average(call, &numbers)?;
    result(call, mean)
}

pub(super) fn median(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(mut numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    sort(call, &mut numbers)?;
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        return Ok(Value::Number(numbers[middle].clone()));
    }
    let middle = average(call, &[numbers[middle - 1], numbers[middle]])?;
    result(call, middle)
}

/// The deviation within a sample; that of a single number fails.
pub(super) fn stddev(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    if numbers.len() == 1 {
        return Err(Error::failed("stddev() needs at least two numbers"));
    }
    call.budget().steps(numbers.len().saturating_mul(DEVIATION).saturating_add(cost::FLOATING))?;
    let squares = average(call, &numbers)?.and_then(|mean| {
        numbers.iter().try_fold(Number::ZERO, |sum, x| sum.add(&x.subtract(&mean)?.power(2)?))
    });
    let variance = squares.and_then(|squares| squares.divide(&length(&numbers[1..])));
    result(call, variance.and_then(|variance| Number::from_f64(variance.to_f64().sqrt())))
}

/// The numbers that occur most often, in order.
pub(super) fn mode(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    if matches!(arguments, [Value::List(list)] if list.is_empty()) {
        return Ok(arguments[0].clone());
    }
    let Some(mut numbers) = numbers(call, arguments)? else { return Ok(Value::Null) };
    sort(call, &mut numbers)?;
    let runs: Vec<_> = numbers.chunk_by(|a, b| a == b).collect();
    let most = runs.iter().map(|run| run.len()).max().unwrap_or(0);
    let modes = runs.iter().filter(|run| run.len() == most);
    Ok(Value::list(modes.map(|run| Value::Number(run[0].clone())).collect::<Vec<_>>()))
}

pub(super) fn all(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    decided(call, arguments, false)
}

pub(super) fn any(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    decided(call, arguments, true)
}

/// One item of this truth decides; else anything but the opposite makes it null.
fn decided(call: &mut Call<'_>, arguments: &[Value], decisive: bool) -> Result<Value, Error> {
    let Some(items) = items(call, arguments)? else { return Ok(Value::Null) };
    if items.iter().any(|item| item.as_bool() == Some(decisive)) {
        return Ok(Value::Boolean(decisive));
    }
    match items.iter().position(|item| item.as_bool().is_none()) {
        None => Ok(Value::Boolean(!decisive)),
        Some(at) if items[at].is_null() => Ok(Value::Null),
        Some(at) => call.null(odd_item(at + 1, &items[at], "boolean")),
    }
}

/// The numbers of a call; none if there are none, with a warning if something else is.
fn numbers<'a>(
    call: &mut Call<'_>,
    arguments: &'a [Value],
) -> Result<Option<Vec<&'a Number>>, Error> {
    let Some(items) = items(call, arguments)? else { return Ok(None) };
    let mut numbers = Vec::with_capacity(items.len());
    for (item, place) in items.iter().zip(1..) {
        let Value::Number(number) = item else {
            call.warn(odd_item(place, item, "number"));
            return Ok(None);
        };
        numbers.push(number);
    }
    Ok(Some(numbers).filter(|numbers| !numbers.is_empty()))
}

fn sort(call: &mut Call<'_>, numbers: &mut [&Number]) -> Result<(), Error> {
    let rounds = numbers.len().checked_ilog2().unwrap_or(0) as usize;
    call.budget().steps(numbers.len().saturating_mul(rounds).saturating_mul(2))?;
    numbers.sort();
    Ok(())
}

/// The numbers put together one by one by an operator, each paid for.
fn folded(
    call: &mut Call<'_>,
    first: Number,
    operator: Arithmetic,
    numbers: &[&Number],
) -> Result<Option<Number>, Error> {
    let mut result = first;
    for number in numbers {
        call.budget().steps(cost::arithmetic(&result, operator, number))?;
        match arithmetic(&result, operator, number) {
            Some(next) => result = next,
            None => return Ok(None),
        }
    }
    Ok(Some(result))
}

fn average(call: &mut Call<'_>, numbers: &[&Number]) -> Result<Option<Number>, Error> {
    let Some(sum) = folded(call, Number::ZERO, Arithmetic::Add, numbers)? else { return Ok(None) };
    let length = length(numbers);
    call.budget().steps(cost::arithmetic(&sum, Arithmetic::Divide, &length))?;
    Ok(sum.divide(&length))
}

fn length(numbers: &[&Number]) -> Number {
    Number::from(i64::try_from(numbers.len()).unwrap_or(i64::MAX))
}

fn result(call: &mut Call<'_>, number: Option<Number>) -> Result<Value, Error> {
    match number {
        Some(number) => Ok(Value::Number(number)),
        None => call.null("the result is beyond all numbers"),
    }
}
