//! Reading dates and times, strictly as ISO writes them.

use jiff::civil;

use super::zone::{SHORT, Zone, offset, region};
use super::{DateTime, Time};

/// Reads `2026-05-01`.
pub(crate) fn parse_date(text: &str) -> Option<civil::Date> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = digits.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let year = i16::try_from(number(year, 4)?).ok()?;
    let year = if negative { -year } else { year };
    let month = i8::try_from(number(month, 2)?).ok()?;
    let day = i8::try_from(number(day, 2)?).ok()?;
    civil::Date::new(year, month, day).ok()
}

/// Reads `10:30:00` with an offset or a region perhaps.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let text = text.strip_prefix('T').unwrap_or(text);
    let (clock, zone) = zoned(text);
    let time = clock_time(clock)?;
    let zone = match zone {
        Suffix::None => None,
        Suffix::Offset(text) => Some(Zone::fixed(offset(text, &SHORT)?)),
        Suffix::Region(name) => Some(Zone::literal(name)?),
        Suffix::Both(..) => return None,
    };
    Some(Time { time, zone })
}

/// Reads `2026-05-01T10:30:00` with an offset or a region perhaps.
pub(crate) fn parse_date_time(text: &str) -> Option<DateTime> {
    let (date, rest) = text.split_once('T')?;
    let (clock, zone) = zoned(rest);
    let local = parse_date(date)?.to_datetime(clock_time(clock)?);
    match zone {
        Suffix::None => Some(DateTime { local, zone: None }),
        Suffix::Offset(text) => {
            Some(DateTime { local, zone: Some(Zone::fixed(offset(text, &SHORT)?)) })
        }
        Suffix::Region(name) => in_zone(local, name),
        Suffix::Both(text, name) => {
            let offset = offset(text, &SHORT)?;
            let moment = Zone::fixed(offset).instant(local)?;
            let zone = Zone { offset, region: Some(region(name)?) };
            let (zone, local) = zone.to_local(moment);
            Some(DateTime { local, zone: Some(zone) })
        }
    }
}

fn in_zone(local: civil::DateTime, name: &str) -> Option<DateTime> {
    match Zone::literal(name)? {
        Zone { region: Some(region), .. } => {
            let (zone, local) = Zone::at(region, local)?;
            Some(DateTime { local, zone: Some(zone) })
        }
        fixed => Some(DateTime { local, zone: Some(fixed) }),
    }
}

/// What stands behind the time.
enum Suffix<'a> {
    None,
    Offset(&'a str),
    Region(&'a str),
    Both(&'a str, &'a str),
}

/// Parts a time from its zone: `Z`, `+01:00`, `@Europe/Berlin`, `+01:00[Europe/Berlin]`.
fn zoned(text: &str) -> (&str, Suffix<'_>) {
    if let Some((clock, name)) = text.split_once('@') {
        return (clock, Suffix::Region(name));
    }
    let start = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(start);
    let both = offset.strip_suffix(']').and_then(|both| both.split_once('['));
    match both {
        Some((offset, name)) => (clock, Suffix::Both(offset, name)),
        None if offset.is_empty() => (clock, Suffix::None),
        None => (clock, Suffix::Offset(offset)),
    }
}

/// Reads `hh:mm[:ss[.fraction]]`.
fn clock_time(text: &str) -> Option<civil::Time> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let (second, fraction) = match parts.next() {
        None => ("00", ""),
        Some(seconds) => match seconds.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (seconds, ""),
        },
    };
    let second = number(second, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let small = |number| i8::try_from(number).ok();
    civil::Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds(fraction)?).ok()
}

/// A fraction of a second of up to nine digits.
pub(super) fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i32> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_do_not_exist_are_no_dates() {
        assert!(parse_date("2026-02-28").is_some());
        for text in ["2026-02-30", "2026-2-03", "26-02-03", "2026-02-03-", "2026-02", "x"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_region_gives_the_offset_of_the_day() {
        let summer = parse_date_time("2018-04-29T09:30:00@Europe/Berlin").unwrap();
        assert_eq!(summer.zone.unwrap().offset.seconds(), 7200);
        let winter = parse_date_time("2018-01-29T09:30:00@Europe/Berlin").unwrap();
        assert_eq!(winter.zone.unwrap().offset.seconds(), 3600);
    }

    #[test]
    fn a_time_of_day_takes_the_standard_offset_of_its_region() {
        for (text, seconds) in
            [("10:00:00@Europe/Berlin", 3600), ("10:00@America/New_York", -18_000)]
        {
            assert_eq!(parse_time(text).unwrap().zone.unwrap().offset.seconds(), seconds);
        }
    }
}
