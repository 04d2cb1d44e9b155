//! Functions of dates, times and durations.
//!
//! The time of the evaluation is in UTC.

use jiff::SignedDuration;
use jiff::civil::{self, Date};
use jiff::tz::Offset;

use super::string::whole;
use super::{Builtin, Call};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::{Number, Rounding};
use crate::feel::temporal::{self, DateTime, Kind, Time, Zone};
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("now", &[], now),
    Builtin::new("today", &[], today),
    Builtin::new("date", &["from"], date),
    Builtin::new("date", &["year", "month", "day"], date_of_parts),
    Builtin::new("date and time", &["from"], date_and_time),
    Builtin::new("date and time", &["date", "time"], date_with_time),
    Builtin::new("date and time", &["date", "timezone"], date_with_time),
    Builtin::new("time", &["from"], time),
    Builtin::new("time", &["hour", "minute", "second"], time_of_parts),
    Builtin::new("time", &["hour", "minute", "second", "offset"], time_of_parts),
    Builtin::new("duration", &["from"], duration),
    Builtin::new("years and months duration", &["from", "to"], years_and_months),
    Builtin::new("day of year", &["date"], day_of_year),
    Builtin::new("day of week", &["date"], day_of_week),
    Builtin::new("month of year", &["date"], month_of_year),
    Builtin::new("week of year", &["date"], week_of_year),
    Builtin::new("last day of month", &["date"], last_day_of_month),
];

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What reading a short temporal costs, the rules of its region included.
const READ: usize = 20;
/// What a time of its parts costs: fractions of a second are decimals.
const PARTS: usize = 40;
/// The furthest that a clock may be from UTC.
const MAX_OFFSET: i64 = 18 * 3600;

fn now(call: &mut Call<'_>, _: &[Value]) -> Result<Value, Error> {
    let local = Offset::UTC.to_datetime(call.now());
    Ok(Value::DateTime(DateTime { local, zone: Some(Zone::UTC) }.into()))
}

fn today(call: &mut Call<'_>, _: &[Value]) -> Result<Value, Error> {
    Ok(Value::Date(Offset::UTC.to_datetime(call.now()).date()))
}

/// The day of a date or of a moment.
fn day(value: &Value) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(moment.local.date()),
        _ => None,
    }
}

fn date(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::String(text)] => read(call, Kind::Date, text, "date"),
        [value] if let Some(date) = day(value) => Ok(Value::Date(date)),
        _ => call.mismatch(arguments),
    }
}

/// Reads a temporal, or answers null with a warning.
fn read(call: &mut Call<'_>, kind: Kind, text: &str, name: &str) -> Result<Value, Error> {
    call.budget().steps(READ + cost::reading(text))?;
    if let Some(value) = temporal::parse_kind(kind, text) {
        return Ok(value);
    }
    let shown: String = text.chars().take(100).collect();
    call.null(format!("'{shown}' is no {name}"))
}

fn date_of_parts(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::Number(year), Value::Number(month), Value::Number(day)] = arguments else {
        return call.mismatch(arguments);
    };
    call.budget().steps(cost::SUM)?;
    match civil_date(whole(year), whole(month), whole(day)) {
        Some(date) => Ok(Value::Date(date)),
        None => call.null(format!("there is no day {year}-{month}-{day}")),
    }
}

fn civil_date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn date_and_time(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    read(call, Kind::DateTime, text, "date and time")
}

/// A day with a time, or a moment in another zone.
fn date_with_time(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let moment = match arguments {
        [value, Value::Time(time)] if let Some(date) = day(value) => at(date, time),
        [Value::DateTime(moment), Value::String(zone)] => {
            call.budget().steps(READ + cost::reading(zone))?;
            match Zone::parse(zone) {
                Some(zone) => moved(moment, zone),
                None => return Err(Error::failed(no_zone(zone))),
            }
        }
        _ => return call.mismatch(arguments),
    };
    match moment {
        Some(moment) => Ok(Value::DateTime(moment.into())),
        None => call.null("the moment is beyond the calendar"),
    }
}

/// An unknown zone ends the evaluation, as in Camunda's engine.
fn no_zone(name: &str) -> String {
    let shown: String = name.chars().take(100).collect();
    format!("date and time(): '{shown}' is no zone; write one such as 'Europe/Berlin' or '+01:00'")
}

/// A time on a day: the region of the time decides on the offset of that day.
fn at(date: Date, time: &Time) -> Option<DateTime> {
    placed(date.to_datetime(time.time), time.zone.clone())
}

fn placed(local: civil::DateTime, zone: Option<Zone>) -> Option<DateTime> {
    match zone {
        Some(Zone { region: Some(region), .. }) => {
            let (zone, local) = Zone::at(region, local)?;
            Some(DateTime { local, zone: Some(zone) })
        }
        zone => Some(DateTime { local, zone }),
    }
}

/// The same instant on a clock of another zone; without a zone, the same clock.
fn moved(moment: &DateTime, target: Zone) -> Option<DateTime> {
    match &moment.zone {
        None => placed(moment.local, Some(target)),
        Some(zone) => {
            let (zone, local) = target.to_local(zone.instant(moment.local)?);
            Some(DateTime { local, zone: Some(zone) })
        }
    }
}

/// The time of a text or moment; that of a date is midnight in UTC.
fn time(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (time, zone) = match arguments {
        [Value::String(text)] => return read(call, Kind::Time, text, "time"),
        [Value::DateTime(moment)] => (moment.local.time(), moment.zone.clone()),
        [Value::Date(_)] => (civil::Time::midnight(), Some(Zone::UTC)),
        _ => return call.mismatch(arguments),
    };
    Ok(Value::Time(Time { time, zone }.into()))
}

fn time_of_parts(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (parts, zone, digits) = match arguments {
        [parts @ .., Value::DayTimeDuration(offset)] => (parts, Some(fixed(*offset)), 9),
        // Without an offset this form knows no fractions.
        [parts @ .., Value::Null] if parts.len() == 3 => (parts, None, 0),
        parts => (parts, None, 9),
    };
    let [Value::Number(hour), Value::Number(minute), Value::Number(second)] = parts else {
        return call.mismatch(arguments);
    };
    call.budget().steps(PARTS)?;
    let cut = second.round(digits, Rounding::Down);
    match (cut.and_then(|second| civil_time(whole(hour), whole(minute), &second)), zone) {
        (Some(time), None) => Ok(Value::Time(Time { time, zone: None }.into())),
        (Some(time), Some(Some(zone))) => Ok(Value::Time(Time { time, zone: Some(zone) }.into())),
        (None, _) => call.null(format!("there is no time {hour}:{minute}:{second}")),
        (_, Some(None)) => call.null("an offset must lie between -18 and 18 hours"),
    }
}

fn fixed(offset: SignedDuration) -> Option<Zone> {
    let seconds = Some(offset.as_secs()).filter(|seconds| seconds.abs() <= MAX_OFFSET)?;
    Offset::from_seconds(seconds.try_into().ok()?).ok().map(Zone::fixed)
}

fn civil_time(hour: i64, minute: i64, second: &Number) -> Option<civil::Time> {
    let whole_second = second.round(0, Rounding::Down)?;
    let nanos = second.subtract(&whole_second)?.multiply(&Number::from(1_000_000_000))?;
    civil::Time::new(
        hour.try_into().ok()?,
        minute.try_into().ok()?,
        whole_second.to_i64()?.try_into().ok()?,
        nanos.to_i64()?.try_into().ok()?,
    )
    .ok()
}

fn duration(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    read(call, Kind::Duration, text, "duration")
}

/// The full months between two days.
fn years_and_months(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [from, to] = arguments else { return call.mismatch(arguments) };
    let (Some(from), Some(to)) = (day(from), day(to)) else { return call.mismatch(arguments) };
    let count = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let months = count(to) - count(from);
    // A month that is not complete does not count, in whichever direction.
    let partial = match months.signum() {
        1 => to.day() < from.day(),
        -1 => to.day() > from.day(),
        _ => false,
    };
    Ok(Value::YearMonthDuration(if partial { months - months.signum() } else { months }))
}

fn day_of_year(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    of_day(call, arguments, |date| Value::from(i64::from(date.day_of_year())))
}

fn day_of_week(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    of_day(call, arguments, |date| name(&DAYS, date.weekday().to_monday_one_offset()))
}

fn month_of_year(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    of_day(call, arguments, |date| name(&MONTHS, date.month()))
}

/// The week as ISO counts it.
fn week_of_year(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    of_day(call, arguments, |date| Value::from(i64::from(date.iso_week_date().week())))
}

fn last_day_of_month(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    of_day(call, arguments, |date| Value::Date(date.last_of_month()))
}

fn of_day(
    call: &mut Call<'_>,
    arguments: &[Value],
    answer: fn(Date) -> Value,
) -> Result<Value, Error> {
    match arguments {
        [value] if let Some(date) = day(value) => Ok(answer(date)),
        _ => call.mismatch(arguments),
    }
}

/// The name at a place that counts from one.
fn name(names: &[&str], place: i8) -> Value {
    let at = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    at.and_then(|at| names.get(at)).map_or(Value::Null, |name| Value::from(*name))
}
