//! Temporals moved by durations, and the durations between them.

use jiff::{SignedDuration, Span, civil};

use super::{DateTime, Time, Zone};
use crate::feel::value::Value;

/// A temporal plus a duration of days and below; `None` if the two do not go together
/// or the result is beyond the calendar.
pub(crate) fn plus_days(value: &Value, duration: SignedDuration) -> Option<Value> {
    match value {
        Value::Date(date) => {
            let moved = date.to_datetime(civil::Time::midnight()).checked_add(duration).ok()?;
            Some(Value::Date(moved.date()))
        }
        Value::Time(time) => {
            let moved = time.time.wrapping_add(duration);
            Some(Value::Time(Time { time: moved, zone: time.zone.clone() }.into()))
        }
        Value::DateTime(moment) => moved(moment, duration).map(DateTime::into_value),
        Value::DayTimeDuration(own) => own.checked_add(duration).map(Value::DayTimeDuration),
        _ => None,
    }
}

/// A temporal plus months.
pub(crate) fn plus_months(value: &Value, months: i64) -> Option<Value> {
    let span = || Span::new().try_months(months).ok();
    match value {
        Value::Date(date) => Some(Value::Date(date.checked_add(span()?).ok()?)),
        Value::DateTime(moment) => {
            let local = moment.local.checked_add(span()?).ok()?;
            let moved = match &moment.zone {
                Some(Zone { region: Some(region), .. }) => {
                    let (zone, local) = Zone::at(region.clone(), local)?;
                    DateTime { local, zone: Some(zone) }
                }
                zone => DateTime { local, zone: zone.clone() },
            };
            Some(moved.into_value())
        }
        Value::YearMonthDuration(own) => own.checked_add(months).map(Value::YearMonthDuration),
        _ => None,
    }
}

/// The duration from one temporal to another of its kind.
pub(crate) fn between(from: &Value, to: &Value) -> Option<SignedDuration> {
    match (from, to) {
        (Value::Date(from), Value::Date(to)) => Some(to.duration_since(*from)),
        (Value::Time(from), Value::Time(to)) => match (&from.zone, &to.zone) {
            (None, None) => Some(to.time.duration_since(from.time)),
            (Some(_), Some(_)) => {
                SignedDuration::try_from_nanos_i128((to.instant() - from.instant()).abs())
            }
            _ => None,
        },
        (Value::DateTime(from), Value::DateTime(to)) => match (&from.zone, &to.zone) {
            (None, None) => Some(to.local.duration_since(from.local)),
            (Some(from_zone), Some(to_zone)) => {
                let from = from_zone.instant(from.local)?;
                Some(to_zone.instant(to.local)?.duration_since(from))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A moment later by this duration: on the time line if there is a zone.
fn moved(moment: &DateTime, duration: SignedDuration) -> Option<DateTime> {
    match &moment.zone {
        None => Some(DateTime { local: moment.local.checked_add(duration).ok()?, zone: None }),
        Some(zone) => {
            let instant = zone.instant(moment.local)?.checked_add(duration).ok()?;
            let (zone, local) = zone.to_local(instant);
            Some(DateTime { local, zone: Some(zone) })
        }
    }
}

impl DateTime {
    fn into_value(self) -> Value {
        Value::DateTime(self.into())
    }
}
