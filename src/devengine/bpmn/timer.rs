//! Durations, dates and cycles of timers, as plain values.
//!
//! ISO 8601 as Camunda reads it; cron expressions are not known here. Calendar units count
//! in UTC.
#![deny(clippy::disallowed_types)]

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};

/// A timer that comes again.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// How often; `None` for ever.
    pub repetitions: Option<u32>,
    /// When the first interval begins; `None` at once.
    pub start: Option<Timestamp>,
    /// The time between.
    pub interval: Span,
}

/// Reads an ISO 8601 duration, `PT10S` or `P1Y2M3DT4H`.
pub fn duration(text: &str) -> Option<Span> {
    let text = text.trim();
    if is_iso(text) { text.parse().ok() } else { None }
}

/// Whether a text has the form that Camunda knows: capitals, fractions of seconds only. The
/// parser knows more, such as `10 s`.
fn is_iso(text: &str) -> bool {
    let fraction = text.split_once(['.', ',']).is_none_or(|(_, fraction)| {
        fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()) == "S"
    });
    let capitals = !text.contains(|letter: char| letter.is_ascii_lowercase());
    fraction && capitals && text.trim_start_matches(['-', '+']).starts_with('P')
}

/// Reads an ISO 8601 date and time with its offset, and perhaps a zone in brackets.
pub fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.contains(['T', 't']) {
        return None;
    }
    let zoned = || text.parse::<ZonedDateTime>().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().or_else(|_| zoned()).ok()
}

/// Reads a cycle: `R/PT10S`, `R3/PT10S`, `R3/2030-01-31T08:00:00Z/P1D`.
pub fn cycle(text: &str) -> Option<Cycle> {
    let (count, rest) = text.trim().strip_prefix('R')?.split_once('/')?;
    let repetitions = match count {
        "" | "-1" => None,
        count => Some(count.parse().ok()?),
    };
    let (start, interval) = match rest.split_once('/') {
        Some(("", interval)) => (None, interval),
        Some((start, interval)) => (Some(date(start)?), interval),
        None => (None, rest),
    };
    Some(Cycle { repetitions, start, interval: duration(interval)? })
}

/// The time a span later; `None` beyond the calendar.
pub fn after(time: Timestamp, span: &Span) -> Option<Timestamp> {
    let later = time.to_zoned_datetime(TimeZone::UTC).checked_add(*span).ok()?;
    Some(later.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn later(span: &str) -> String {
        after(at("2030-01-31T08:00:00Z"), &duration(span).unwrap()).unwrap().to_string()
    }

    #[test]
    fn durations_are_counted_by_the_calendar() {
        let cases = [
            ("PT10S", "2030-01-31T08:00:10Z"),
            ("PT0.25S", "2030-01-31T08:00:00.25Z"),
            ("P1DT2H", "2030-02-01T10:00:00Z"),
            ("P1M", "2030-02-28T08:00:00Z"),
            ("P2W", "2030-02-14T08:00:00Z"),
            ("-PT1H", "2030-01-31T07:00:00Z"),
        ];
        for (span, expected) in cases {
            assert_eq!(later(span), expected, "{span}");
        }
    }

    #[test]
    fn dates_need_an_offset() {
        let expected = Some(at("2030-01-31T07:00:00Z"));
        assert_eq!(date("2030-01-31T07:00:00Z"), expected);
        assert_eq!(date(" 2030-01-31T08:00+01:00 "), expected);
        assert_eq!(date("2030-01-31T08:00:00+01:00[Europe/Berlin]"), expected);
        assert_eq!(date("2030-01-31T08:00:00"), None);
        assert_eq!(date("2030-01-31"), None);
        assert_eq!(date("tomorrow"), None);
    }

    #[test]
    fn cycles_have_a_count_a_start_and_an_interval() {
        let read = |text| {
            let Cycle { repetitions, start, interval } = cycle(text)?;
            Some((repetitions, start, interval.to_string()))
        };
        let ten_seconds = "PT10S".to_owned();
        assert_eq!(read("R/PT10S"), Some((None, None, ten_seconds.clone())));
        assert_eq!(read("R-1/PT10S"), Some((None, None, ten_seconds.clone())));
        assert_eq!(read("R3/PT10S"), Some((Some(3), None, ten_seconds.clone())));
        let start = Some(at("2030-01-31T08:00:00Z"));
        assert_eq!(read("R1/2030-01-31T08:00:00Z/PT10S"), Some((Some(1), start, ten_seconds)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "10s", "10 seconds", "P", "PT", "PT10", "1D", "P1H", "pt1s", "PT1.5H", "R3/PT10S"]
        {
            assert!(duration(text).is_none(), "{text}");
        }
        for text in ["", "PT10S", "R", "R3", "R3/", "Rx/PT1S", "R3/soon/PT1S", "0 0 9 * * MON"] {
            assert!(cycle(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_calendar_ends() {
        assert_eq!(after(at("9999-12-01T00:00:00Z"), &duration("P1Y").unwrap()), None);
    }
}
