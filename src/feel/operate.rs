//! Arithmetic on values.

use jiff::SignedDuration;

use super::ast::Arithmetic;
use super::number::{Number, Rounding};
use super::temporal::{between, plus_days, plus_months};
use super::value::Value;

/// The result of an operator, or `None` if it does not fit the operands.
///
/// Strings are joined by the caller, who pays for them.
pub(super) fn calculate(a: &Value, operator: Arithmetic, b: &Value) -> Option<Value> {
    if let (Value::Number(a), Value::Number(b)) = (a, b) {
        return arithmetic(a, operator, b).map(Value::Number);
    }
    match operator {
        Arithmetic::Add => add(a, b).or_else(|| add(b, a)),
        Arithmetic::Subtract => subtract(a, b),
        Arithmetic::Multiply => multiply(a, b).or_else(|| multiply(b, a)),
        Arithmetic::Divide => divide(a, b),
        Arithmetic::Power => None,
    }
}

/// The result of an operator for two numbers.
pub(crate) fn arithmetic(a: &Number, operator: Arithmetic, b: &Number) -> Option<Number> {
    match operator {
        Arithmetic::Add => a.add(b),
        Arithmetic::Subtract => a.subtract(b),
        Arithmetic::Multiply => a.multiply(b),
        Arithmetic::Divide => a.divide(b),
        Arithmetic::Power => match b.to_i64() {
            Some(exponent) => a.power(exponent),
            None if b.is_whole() => None,
            None => Number::from_f64(a.to_f64().powf(b.to_f64())),
        },
    }
}

fn add(a: &Value, b: &Value) -> Option<Value> {
    match b {
        Value::DayTimeDuration(duration) => plus_days(a, *duration),
        Value::YearMonthDuration(months) => plus_months(a, *months),
        _ => None,
    }
}

fn subtract(a: &Value, b: &Value) -> Option<Value> {
    match b {
        Value::DayTimeDuration(duration) => plus_days(a, duration.checked_neg()?),
        Value::YearMonthDuration(months) => plus_months(a, months.checked_neg()?),
        _ => between(b, a).map(Value::DayTimeDuration),
    }
}

/// Factors of durations are cut to whole numbers.
fn multiply(a: &Value, b: &Value) -> Option<Value> {
    let factor = || i32::try_from(truncated(b.as_number()?)?).ok();
    match a {
        Value::DayTimeDuration(duration) => {
            duration.checked_mul(factor()?).map(Value::DayTimeDuration)
        }
        Value::YearMonthDuration(months) => {
            months.checked_mul(factor()?.into()).map(Value::YearMonthDuration)
        }
        _ => None,
    }
}

fn divide(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::DayTimeDuration(a), Value::DayTimeDuration(b)) => {
            let quotient = a.as_millis().checked_div(b.as_millis())?;
            Some(Value::from(i64::try_from(quotient).ok()?))
        }
        (Value::YearMonthDuration(a), Value::YearMonthDuration(b)) => {
            a.checked_div(*b).map(Value::from)
        }
        (Value::DayTimeDuration(a), Value::Number(b)) => {
            let millis = Number::from(i64::try_from(a.as_millis()).ok()?).divide(b)?;
            Some(Value::DayTimeDuration(SignedDuration::from_millis(truncated(&millis)?)))
        }
        (Value::YearMonthDuration(a), Value::Number(b)) => {
            truncated(&Number::from(*a).divide(b)?).map(Value::YearMonthDuration)
        }
        _ => None,
    }
}

fn truncated(number: &Number) -> Option<i64> {
    number.round(0, Rounding::Down)?.to_i64()
}
