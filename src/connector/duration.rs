//! Durations as Camunda writes them: `PT10S`, `P1DT2H`; ours, `10s` or `5m`, as well.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

/// Reads a duration of days, hours, minutes and seconds; `None` for anything else, years
/// and months included, since they have no fixed length.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text.strip_prefix('P').or_else(|| text.strip_prefix('p')) {
        Some(rest) => parse_iso(&rest.to_ascii_uppercase()),
        None => parse_short(text),
    }
}

fn parse_iso(text: &str) -> Option<Duration> {
    let (days, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None if text.is_empty() => return None,
        None => (text, ""),
    };
    let mut total = units(days, &[('D', 86_400)])?;
    total = total.checked_add(units(time, &[('H', 3_600), ('M', 60), ('S', 1)])?)?;
    Some(total)
}

/// Numbers, each followed by its unit, in the units' order.
fn units(mut text: &str, known: &[(char, u32)]) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut known = known.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next()?;
        let seconds = known.find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scaled(number, seconds, unit == 'S')?)?;
        text = &rest[1..];
    }
    Some(total)
}

fn scaled(number: &str, seconds: u32, may_have_fraction: bool) -> Option<Duration> {
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_number = !whole.is_empty() && digits(whole) && digits(fraction);
    if !is_number || fraction.len() > 9 || (!fraction.is_empty() && !may_have_fraction) {
        return None;
    }
    let whole = Duration::from_secs(whole.parse::<u64>().ok()?.checked_mul(seconds.into())?);
    let nanos = format!("{fraction:0<9}").parse::<u32>().ok()?;
    whole.checked_add(Duration::from_nanos(nanos.into()))
}

fn parse_short(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let number = number.parse::<u64>().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// A duration in words for a message: `24 hours`, `90 seconds`.
pub(crate) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        s if s >= 7_200 && s.is_multiple_of(3_600) => (s / 3_600, "hours"),
        s if s >= 120 && s.is_multiple_of(60) => (s / 60, "minutes"),
        s => (s, "seconds"),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{in_words, parse};

    #[test]
    fn iso_durations_up_to_days_are_read() {
        for (text, millis) in [
            ("PT0S", 0),
            ("PT10S", 10_000),
            ("PT1.5S", 1_500),
            ("PT1H2M3S", 3_723_000),
            ("P1D", 86_400_000),
            ("p1dt1m", 86_460_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn short_durations_are_read() {
        assert_eq!(parse("10s"), Some(Duration::from_secs(10)));
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("5m"), Some(Duration::from_mins(5)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1H1H",
            "-PT1S",
            "PT-1S",
            "10",
            "PT1.5H",
            "ten",
            "s",
            "PTS",
            "P99999999999999999999D",
            "PT1.1234567890S",
            "P1DT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn words_take_the_largest_whole_unit() {
        assert_eq!(in_words(Duration::from_hours(24)), "24 hours");
        assert_eq!(in_words(Duration::from_secs(90)), "90 seconds");
    }
}
