//! Reading durations.

use jiff::SignedDuration;

use super::parse::nanoseconds;
use crate::feel::value::Value;

/// Reads `P1Y2M` or `P1DT2H3M4.5S`; every part and the whole may have a sign.
pub(crate) fn parse_duration(text: &str) -> Option<Value> {
    let upper = text.to_ascii_uppercase();
    let (sign, rest) = sign(&upper);
    let body = rest.strip_prefix('P')?;
    match months(body) {
        Some(months) => Some(Value::YearMonthDuration(sign.checked_mul(months)?)),
        None => Some(Value::DayTimeDuration(from_nanos(i128::from(sign) * nanos(body)?)?)),
    }
}

fn from_nanos(nanos: i128) -> Option<SignedDuration> {
    SignedDuration::try_from_nanos_i128(nanos)
}

fn sign(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn months(body: &str) -> Option<i64> {
    let mut rest = body;
    let years = part(&mut rest, 'Y')?;
    let months = part(&mut rest, 'M')?;
    if !rest.is_empty() || (years.is_none() && months.is_none()) {
        return None;
    }
    let total = years.unwrap_or(0).checked_mul(12)?.checked_add(months.unwrap_or(0))?;
    i32::try_from(total).ok().map(i64::from)
}

fn nanos(body: &str) -> Option<i128> {
    let mut rest = body;
    let days = part(&mut rest, 'D')?;
    let mut any = days.is_some();
    let mut seconds = i128::from(days.unwrap_or(0)) * 86_400;
    let mut fraction = 0;
    if let Some(time) = rest.strip_prefix('T') {
        rest = time;
        let hours = part(&mut rest, 'H')?;
        let minutes = part(&mut rest, 'M')?;
        any = hours.is_some() || minutes.is_some() || !rest.is_empty();
        seconds += i128::from(hours.unwrap_or(0)) * 3600 + i128::from(minutes.unwrap_or(0)) * 60;
        if !rest.is_empty() {
            let (whole, nanos) = second(rest)?;
            seconds += i128::from(whole);
            fraction = nanos;
            rest = "";
        }
    }
    (any && rest.is_empty()).then_some(seconds * 1_000_000_000 + i128::from(fraction))
}

/// The number before this sign, taken from the front if it is there.
#[expect(clippy::option_option, reason = "no part is no mistake; a part that is too large is")]
fn part(text: &mut &str, unit: char) -> Option<Option<i64>> {
    let (sign, rest) = sign(text);
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 || !rest[end..].starts_with(unit) {
        return Some(None);
    }
    let number: i64 = rest[..end].parse().ok()?;
    *text = &rest[end + 1..];
    Some(Some(sign * number))
}

/// Seconds and their fraction in nanoseconds.
fn second(text: &str) -> Option<(i64, i64)> {
    let (sign, rest) = sign(text);
    let number = rest.strip_suffix('S')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(())?;
    Some((sign * whole.parse::<i64>().ok()?, sign * i64::from(nanoseconds(fraction)?)))
}
