//! The properties of temporals, such as `date.year`.

use jiff::{SignedDuration, civil};

use super::Zone;
use crate::feel::value::Value;

/// The property of a temporal, if it has one of this name.
pub(in crate::feel) fn property(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Date(date) => of_date(*date, name),
        Value::Time(time) => of_time(time.time, name).or_else(|| of_zone(time.zone.as_ref(), name)),
        Value::DateTime(moment) => of_date(moment.local.date(), name)
            .or_else(|| of_time(moment.local.time(), name))
            .or_else(|| of_zone(moment.zone.as_ref(), name)),
        Value::DayTimeDuration(duration) => of_duration(*duration, name),
        Value::YearMonthDuration(months) => match name {
            "years" => Some((months / 12).into()),
            "months" => Some((months % 12).into()),
            _ => None,
        },
        _ => None,
    }
}

fn of_date(date: civil::Date, name: &str) -> Option<Value> {
    let number = match name {
        "year" => i64::from(date.year()),
        "month" => i64::from(date.month()),
        "day" => i64::from(date.day()),
        "weekday" => i64::from(date.weekday().to_monday_one_offset()),
        _ => return None,
    };
    Some(number.into())
}

fn of_time(time: civil::Time, name: &str) -> Option<Value> {
    let number = match name {
        "hour" => time.hour(),
        "minute" => time.minute(),
        "second" => time.second(),
        _ => return None,
    };
    Some(i64::from(number).into())
}

fn of_zone(zone: Option<&Zone>, name: &str) -> Option<Value> {
    match name {
        "time offset" => Some(zone.map_or(Value::Null, |zone| {
            Value::DayTimeDuration(SignedDuration::from_secs(zone.offset.seconds().into()))
        })),
        "timezone" => Some(zone.and_then(Zone::name).map_or(Value::Null, Value::from)),
        _ => None,
    }
}

fn of_duration(duration: SignedDuration, name: &str) -> Option<Value> {
    let seconds = duration.as_secs();
    let number = match name {
        "days" => seconds / 86_400,
        "hours" => seconds / 3600 % 24,
        "minutes" => seconds / 60 % 60,
        "seconds" => seconds % 60,
        _ => return None,
    };
    Some(number.into())
}
