//! Functions of numbers.
//!
//! Rounding is exact. Roots, logarithms and powers of e are those of floating point
//! numbers; a result that is none fails, as in Camunda's engine.

use super::string::whole;
use super::{Builtin, Call};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::{Number, Rounding};
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("decimal", &["n", "scale"], decimal),
    Builtin::new("decimal", &["n", "scale", "mode"], decimal_by_mode),
    Builtin::new("floor", &["n"], floor),
    Builtin::new("floor", &["n", "scale"], floor),
    Builtin::new("floor", &["n", "scala"], floor),
    Builtin::new("ceiling", &["n"], ceiling),
    Builtin::new("ceiling", &["n", "scale"], ceiling),
    Builtin::new("round up", &["n", "scale"], round_up),
    Builtin::new("round down", &["n", "scale"], round_down),
    Builtin::new("round half up", &["n", "scale"], round_half_up),
    Builtin::new("round half down", &["n", "scale"], round_half_down),
    Builtin::new("round half down", &["n", "scala"], round_half_down),
    Builtin::new("abs", &["number"], abs),
    Builtin::new("abs", &["n"], abs),
    Builtin::new("modulo", &["dividend", "divisor"], modulo),
    Builtin::new("sqrt", &["number"], sqrt),
    Builtin::new("log", &["number"], log),
    Builtin::new("exp", &["number"], exp),
    Builtin::new("odd", &["number"], odd),
    Builtin::new("even", &["number"], even),
    Builtin::new("random number", &[], random_number),
];

/// Digits that a number surely holds.
const DIGITS: usize = 76;

fn decimal(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::HalfEven)
}

fn decimal_by_mode(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [number, scale, Value::String(mode)] = arguments else { return call.mismatch(arguments) };
    call.budget().steps(cost::reading(mode))?;
    let mode = match &*mode.to_ascii_uppercase() {
        "UP" => Rounding::Up,
        "DOWN" => Rounding::Down,
        "CEILING" => Rounding::Ceiling,
        "FLOOR" => Rounding::Floor,
        "HALF_UP" => Rounding::HalfUp,
        "HALF_DOWN" => Rounding::HalfDown,
        "HALF_EVEN" => Rounding::HalfEven,
        "UNNECESSARY" => Rounding::Unnecessary,
        _ => {
            return call.null(
                "the mode must be UP, DOWN, CEILING, FLOOR, HALF_UP, HALF_DOWN, HALF_EVEN or UNNECESSARY",
            );
        }
    };
    rounded(call, &[number.clone(), scale.clone()], mode)
}

fn floor(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::Floor)
}

fn ceiling(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::Ceiling)
}

fn round_up(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::Up)
}

fn round_down(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::Down)
}

fn round_half_up(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::HalfUp)
}

fn round_half_down(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    rounded(call, arguments, Rounding::HalfDown)
}

/// A number with so many digits after the point, none if no scale is given.
fn rounded(call: &mut Call<'_>, arguments: &[Value], mode: Rounding) -> Result<Value, Error> {
    let (number, scale) = match arguments {
        [Value::Number(number)] => (number, 0),
        [Value::Number(number), Value::Number(scale)] => (number, whole(scale)),
        _ => return call.mismatch(arguments),
    };
    let result = i32::try_from(scale).ok().and_then(|scale| number.round(scale, mode));
    match result {
        Some(result) => Ok(Value::Number(padded(result, scale))),
        None if mode == Rounding::Unnecessary => call.null(format!("{number} needs rounding")),
        None => call.null(format!("cannot round {number} to {scale} digits")),
    }
}

/// Appends the zeros that are missing to the scale, where they fit.
fn padded(number: Number, scale: i64) -> Number {
    let decimal = number.to_decimal();
    let missing = scale.saturating_sub(decimal.fractional_digits_count().into());
    let fits = usize::try_from(missing).is_ok_and(|more| decimal.digits_count() + more <= DIGITS);
    match i16::try_from(scale) {
        Ok(scale) if missing > 0 && fits => {
            Number::from_decimal(decimal.rescale(scale)).unwrap_or(number)
        }
        _ => number,
    }
}

fn abs(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Number(number)] => Ok(Value::Number(number.abs())),
        [Value::DayTimeDuration(duration)] => Ok(Value::DayTimeDuration(duration.abs())),
        [Value::YearMonthDuration(months)] => Ok(Value::YearMonthDuration(months.abs())),
        _ => call.mismatch(arguments),
    }
}

/// The remainder with the sign of the divisor; none of zero, which fails.
fn modulo(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::Number(dividend), Value::Number(divisor)] = arguments else {
        return call.mismatch(arguments);
    };
    if divisor.is_zero() {
        return Err(Error::failed("modulo() cannot divide by zero"));
    }
    let remainder = remainder(dividend, divisor).and_then(|remainder| {
        let opposite = !remainder.is_zero() && remainder.is_negative() != divisor.is_negative();
        if opposite { remainder.add(divisor) } else { Some(remainder) }
    });
    match remainder {
        Some(remainder) => Ok(Value::Number(remainder)),
        None => call.null("the numbers are too far apart"),
    }
}

/// The exact remainder with the sign of the dividend.
fn remainder(dividend: &Number, divisor: &Number) -> Option<Number> {
    match (dividend.to_i64(), divisor.to_i64()) {
        (Some(dividend), Some(divisor)) => Some(Number::from(dividend.wrapping_rem(divisor))),
        _ => Number::from_decimal(dividend.to_decimal().rem(divisor.to_decimal())),
    }
}

fn sqrt(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Number(number)] if number.is_negative() => {
            call.null(format!("{number} has no square root"))
        }
        _ => floating(call, arguments, f64::sqrt),
    }
}

fn log(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    floating(call, arguments, f64::ln)
}

fn exp(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    floating(call, arguments, f64::exp)
}

fn floating(
    call: &mut Call<'_>,
    arguments: &[Value],
    function: fn(f64) -> f64,
) -> Result<Value, Error> {
    let [Value::Number(number)] = arguments else { return call.mismatch(arguments) };
    call.budget().steps(cost::FLOATING)?;
    match Number::from_f64(function(number.to_f64())) {
        Some(result) => Ok(Value::Number(result)),
        None => Err(Error::failed(format!("the function of {number} is no number"))),
    }
}

fn odd(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    parity(call, arguments, false)
}

fn even(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    parity(call, arguments, true)
}

/// A number with a fraction is neither even nor odd.
fn parity(call: &mut Call<'_>, arguments: &[Value], even: bool) -> Result<Value, Error> {
    let [Value::Number(number)] = arguments else { return call.mismatch(arguments) };
    let rest = remainder(number, &Number::from(2));
    Ok(Value::Boolean(rest.is_some_and(|rest| rest.is_whole() && rest.is_zero() == even)))
}

fn random_number(call: &mut Call<'_>, _: &[Value]) -> Result<Value, Error> {
    call.budget().steps(cost::SUM)?;
    Ok(Value::from(Number::from_f64(fastrand::f64())))
}
