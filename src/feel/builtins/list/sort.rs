//! Sorting by a function of the expression.

use crate::feel::builtins::Call;
use crate::feel::error::Error;
use crate::feel::value::Value;

/// Why a list is not sorted.
enum Stop {
    /// The function does not answer true or false.
    Undecided(&'static str),
    Failed(Error),
}

pub(super) fn sort(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list), Value::Function(function)] = arguments else {
        return call.mismatch(arguments);
    };
    if function.parameters().len() != 2 {
        return call.null("needs a function of two parameters");
    }
    call.budget().items(list.len())?;
    match merged(call, list.to_vec(), &arguments[1]) {
        Ok(sorted) => Ok(Value::list(sorted)),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Undecided(answer)) => {
            call.null(format!("the function must answer true or false, not a {answer}"))
        }
    }
}

/// Merges sorted runs of growing length; the function may contradict itself.
fn merged(call: &mut Call<'_>, items: Vec<Value>, precedes: &Value) -> Result<Vec<Value>, Stop> {
    let mut sorted = items;
    let mut run = 1;
    while run < sorted.len() {
        let mut next = Vec::with_capacity(sorted.len());
        for pair in sorted.chunks(run * 2) {
            let (left, right) = pair.split_at(run.min(pair.len()));
            merge(call, left, right, precedes, &mut next)?;
        }
        sorted = next;
        run *= 2;
    }
    Ok(sorted)
}

/// Equal items keep their order.
fn merge(
    call: &mut Call<'_>,
    mut left: &[Value],
    mut right: &[Value],
    precedes: &Value,
    merged: &mut Vec<Value>,
) -> Result<(), Stop> {
    while let ([first, rest @ ..], [second, others @ ..]) = (left, right) {
        if before(call, second, first, precedes)? {
            merged.push(second.clone());
            right = others;
        } else {
            merged.push(first.clone());
            left = rest;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    Ok(())
}

fn before(call: &mut Call<'_>, a: &Value, b: &Value, precedes: &Value) -> Result<bool, Stop> {
    match call.invoke(precedes, &[a.clone(), b.clone()]) {
        Ok(Value::Boolean(answer)) => Ok(answer),
        Ok(other) => Err(Stop::Undecided(other.type_name())),
        Err(error) => Err(Stop::Failed(error)),
    }
}
