//! Temporals as text: as JSON carries them and as `string()` writes them.

use jiff::SignedDuration;
use jiff::civil;
use jiff::tz::Offset;

use super::{DateTime, Time, Zone};
use crate::feel::value::Value;

impl Value {
    /// A temporal as JSON carries it: hours instead of days, no name of a region.
    pub(crate) fn java_text(&self) -> Option<String> {
        Some(match self {
            Self::Date(date) => date_text(*date),
            Self::Time(time) => match &time.zone {
                Some(zone) => short_clock(time.time) + &offset(zone.offset),
                None => clock(time.time),
            },
            Self::DateTime(moment) => {
                let zone = moment.zone.as_ref().map(|zone| offset(zone.offset));
                local(moment.local) + &zone.unwrap_or_default()
            }
            Self::DayTimeDuration(duration) => java_duration(*duration),
            Self::YearMonthDuration(months) => java_period(*months),
            _ => return None,
        })
    }

    /// A temporal as `string()` writes it.
    pub(crate) fn temporal_text(&self) -> Option<String> {
        Some(match self {
            Self::Date(date) => date_text(*date),
            Self::Time(time) => time.to_string(),
            Self::DateTime(moment) => moment.to_string(),
            Self::DayTimeDuration(duration) => duration_text(*duration),
            Self::YearMonthDuration(months) => period_text(*months),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&clock(self.time))?;
        zone(self.zone.as_ref(), f)
    }
}

impl std::fmt::Display for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&local(self.local))?;
        zone(self.zone.as_ref(), f)
    }
}

fn zone(zone: Option<&Zone>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    match zone {
        None => Ok(()),
        Some(zone) => match zone.name() {
            Some(name) => write!(f, "@{name}"),
            None => f.write_str(&offset(zone.offset)),
        },
    }
}

fn date_text(date: civil::Date) -> String {
    let sign = if date.year() < 0 { "-" } else { "" };
    format!("{sign}{:04}-{:02}-{:02}", date.year().unsigned_abs(), date.month(), date.day())
}

fn local(moment: civil::DateTime) -> String {
    format!("{}T{}", date_text(moment.date()), clock(moment.time()))
}

fn clock(time: civil::Time) -> String {
    let nanos = time.subsec_nanosecond();
    let mut text = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    text.push_str(&fraction(nanos));
    text
}

/// Without seconds, if there are none; fractions in groups of three digits.
fn short_clock(time: civil::Time) -> String {
    if time.second() == 0 && time.subsec_nanosecond() == 0 {
        return format!("{:02}:{:02}", time.hour(), time.minute());
    }
    let mut text = clock(time);
    if let Some((_, fraction)) = text.split_once('.') {
        let missing = fraction.len().next_multiple_of(3) - fraction.len();
        text.extend(std::iter::repeat_n('0', missing));
    }
    text
}

fn fraction(nanos: i32) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{:09}", nanos.unsigned_abs());
    format!(".{}", digits.trim_end_matches('0'))
}

pub(super) fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let left = seconds.unsigned_abs();
    let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// Hours, minutes and seconds, each with the sign.
fn java_duration(duration: SignedDuration) -> String {
    if duration.is_zero() {
        return "PT0S".to_owned();
    }
    let seconds = duration.as_secs();
    let nanos = duration.subsec_nanos();
    let text = parts("PT", &[(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')]);
    let rest = seconds % 60;
    if rest == 0 && nanos == 0 {
        return text;
    }
    let sign = if rest < 0 || nanos < 0 { "-" } else { "" };
    format!("{text}{sign}{}{}S", rest.unsigned_abs(), fraction(nanos))
}

/// Years and months, each with the sign.
fn java_period(months: i64) -> String {
    if months == 0 {
        return "P0D".to_owned();
    }
    parts("P", &[(months / 12, 'Y'), (months % 12, 'M')])
}

/// Days to seconds with one sign for all; fractions are dropped.
fn duration_text(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 {
        return "P0D".to_owned();
    }
    let sign = if seconds < 0 { "-P" } else { "P" };
    let left = seconds.unsigned_abs().cast_signed();
    let day = parts(sign, &[(left / 86_400, 'D')]);
    let time = [(left / 3600 % 24, 'H'), (left / 60 % 60, 'M'), (left % 60, 'S')];
    if time.iter().all(|(amount, _)| *amount == 0) { day } else { parts(&(day + "T"), &time) }
}

fn period_text(months: i64) -> String {
    if months == 0 {
        return "P0Y".to_owned();
    }
    let left = months.unsigned_abs().cast_signed();
    parts(if months < 0 { "-P" } else { "P" }, &[(left / 12, 'Y'), (left % 12, 'M')])
}

fn parts(start: &str, parts: &[(i64, char)]) -> String {
    let mut text = start.to_owned();
    let there = parts.iter().filter(|(amount, _)| *amount != 0);
    text.extend(there.map(|(amount, unit)| format!("{amount}{unit}")));
    text
}
