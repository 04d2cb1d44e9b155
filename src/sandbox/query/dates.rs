//! Units of time and what filters do with them.

use jiff::{
    Span,
    civil::{Date, DateTime},
};

use super::Scene;
use crate::sandbox::time;

/// A unit of time in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" | "dayofweek" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    fn span(self, count: i64) -> Option<Span> {
        let span = Span::new();
        match self {
            Self::Second => span.try_seconds(count),
            Self::Minute => span.try_minutes(count),
            Self::Hour => span.try_hours(count),
            Self::Day => span.try_days(count),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
            Self::Quarter => span.try_months(count.checked_mul(3)?),
            Self::Year => span.try_years(count),
        }
        .ok()
    }
}

/// `moment`, moved by a number of units.
pub(super) fn shift(moment: DateTime, unit: Unit, count: i64) -> Option<DateTime> {
    moment.checked_add(unit.span(count)?).ok()
}

/// The first second of the unit that `moment` is in.
pub(super) fn floor(moment: DateTime, unit: Unit) -> Option<DateTime> {
    let date = moment.date();
    let midnight = |date: Date| date.at(0, 0, 0, 0);
    Some(match unit {
        Unit::Second => date.at(moment.hour(), moment.minute(), moment.second(), 0),
        Unit::Minute => date.at(moment.hour(), moment.minute(), 0, 0),
        Unit::Hour => date.at(moment.hour(), 0, 0, 0),
        Unit::Day => midnight(date),
        Unit::Week => {
            let days = i64::from(date.weekday().to_monday_zero_offset());
            return shift(midnight(date), Unit::Day, -days);
        }
        Unit::Month => midnight(date.first_of_month()),
        Unit::Quarter => {
            let into = i64::from((date.month() - 1) % 3);
            return shift(midnight(date.first_of_month()), Unit::Month, -into);
        }
        Unit::Year => midnight(date.first_of_year()),
    })
}

/// The last second of the unit that `moment` is in.
pub(super) fn ceiling(moment: DateTime, unit: Unit) -> Option<DateTime> {
    shift(shift(floor(moment, unit)?, unit, 1)?, Unit::Second, -1)
}

/// `@hour@ago@1` as raw time.
pub(super) fn relative(operand: &str, scene: &Scene<'_>) -> Option<String> {
    let (unit, count) = distance(operand.strip_prefix('@')?)?;
    let now = scene.zone.to_datetime(scene.now);
    time::to_raw(shift(now, unit, count)?, scene.zone)
}

/// First and last second of the unit at `@day@ago@1`, as raw times.
pub(super) fn relative_unit(operand: &str, scene: &Scene<'_>) -> Option<(String, String)> {
    let (unit, count) = distance(operand.strip_prefix('@')?)?;
    let now = scene.zone.to_datetime(scene.now);
    let moment = shift(now, unit, count)?;
    let raw = |moment| time::to_raw(moment, scene.zone);
    Some((raw(floor(moment, unit)?)?, raw(ceiling(moment, unit)?)?))
}

/// `day@before@1` in seconds; below zero for `before`.
pub(super) fn span(operand: &str) -> Option<i64> {
    let (unit, count) = distance(operand)?;
    let start = Date::constant(2001, 1, 1).at(0, 0, 0, 0);
    Some(seconds_between(start, shift(start, unit, count)?))
}

/// Seconds from one date-time to another.
pub(super) fn seconds_between(from: DateTime, to: DateTime) -> i64 {
    to.duration_since(from).as_secs()
}

fn distance(text: &str) -> Option<(Unit, i64)> {
    let mut parts = text.split('@');
    let unit = Unit::parse(parts.next()?)?;
    let sign = match parts.next()? {
        "ago" | "before" => -1,
        "ahead" | "after" => 1,
        _ => return None,
    };
    let count: u32 = parts.next()?.trim().parse().ok()?;
    Some((unit, sign * i64::from(count)))
}
