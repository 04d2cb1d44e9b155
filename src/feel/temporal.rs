//! Dates, times and durations.
//!
//! Years reach from -9999 to 9999. A zone is an offset and perhaps the region it comes
//! from; equal means equal in all its parts, while the order follows the instant.

mod arithmetic;
mod duration;
mod parse;
mod property;
mod text;
mod zone;

use std::cmp::Ordering;

use jiff::civil;

pub(crate) use arithmetic::{between, plus_days, plus_months};
pub(crate) use duration::parse_duration;
pub(crate) use parse::{parse_date, parse_date_time, parse_time};
pub(super) use property::property;
pub use zone::Zone;

use super::value::Value;

/// A time of day, perhaps with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// The time on the clock.
    pub time: civil::Time,
    /// Where the clock hangs.
    pub zone: Option<Zone>,
}

/// A day and time, perhaps with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// The day and time on the clock.
    pub local: civil::DateTime,
    /// Where the clock hangs.
    pub zone: Option<Zone>,
}

/// The functions that may be written as literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Date,
    Time,
    DateTime,
    Duration,
}

/// Reads a temporal of any kind.
pub(crate) fn parse(text: &str) -> Option<Value> {
    if let Some(date) = parse_date(text) {
        return Some(Value::Date(date));
    }
    parse_date_time(text)
        .map(|moment| Value::DateTime(moment.into()))
        .or_else(|| parse_duration(text).filter(|_| is_plain(text)))
        .or_else(|| parse_time(text).map(|time| Value::Time(time.into())))
}

/// Whether a duration is written as `@` takes it: in capital letters, without a plus.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte == b'+' || byte.is_ascii_lowercase())
}

/// Reads a temporal of this kind.
pub(super) fn parse_kind(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Date => parse_date(text).map(Value::Date),
        Kind::Time => parse_time(text).map(|time| Value::Time(time.into())),
        Kind::DateTime => date_or_time(text).map(|moment| Value::DateTime(moment.into())),
        Kind::Duration => parse_duration(text),
    }
}

/// A date alone is its first moment.
fn date_or_time(text: &str) -> Option<DateTime> {
    match parse_date(text) {
        Some(date) => {
            Some(DateTime { local: date.to_datetime(civil::Time::midnight()), zone: None })
        }
        None => parse_date_time(text),
    }
}

impl Time {
    /// The order of two times, if both or none have a zone.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (&self.zone, &other.zone) {
            (None, None) => Some(self.time.cmp(&other.time)),
            (Some(_), Some(_)) => Some(self.instant().cmp(&other.instant())),
            _ => None,
        }
    }

    /// Nanoseconds since midnight in UTC.
    pub(crate) fn instant(&self) -> i128 {
        let local = self.time.duration_since(civil::Time::midnight()).as_nanos();
        let offset = self.zone.as_ref().map_or(0, |zone| zone.offset.seconds());
        local - i128::from(offset) * 1_000_000_000
    }
}

impl DateTime {
    /// The order of two moments, if both or none have a zone: by the instant, then, since
    /// moments of different clocks are not equal, by what the clocks show.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (&self.zone, &other.zone) {
            (None, None) => Some(self.local.cmp(&other.local)),
            (Some(a), Some(b)) => {
                let instants = a.instant(self.local)?.cmp(&b.instant(other.local)?);
                let clocks = || self.local.cmp(&other.local);
                Some(instants.then_with(clocks).then_with(|| a.id().cmp(&b.id())))
            }
            _ => None,
        }
    }
}
