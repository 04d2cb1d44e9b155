//! ServiceNow's way of writing times: `YYYY-MM-DD HH:MM:SS`, in UTC when raw.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A moment as raw text.
pub(crate) fn raw(moment: Timestamp) -> String {
    moment.strftime(FORMAT).to_string()
}

/// A moment as JSON, for what is not of ServiceNow's world.
pub(crate) fn serialize<S: serde::Serializer>(
    moment: &Timestamp,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_str(moment)
}

/// A date-time as text, in whatever zone it is meant.
pub(crate) fn text(moment: DateTime) -> String {
    moment.strftime(FORMAT).to_string()
}

/// Reads a date-time, or a date as its midnight.
pub(crate) fn parse(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let full = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    DateTime::strptime(FORMAT, full).ok()
}

/// Raw text as somebody in that zone sees it; unreadable text stays as it is.
pub(crate) fn seen_in(raw: &str, zone: &TimeZone) -> String {
    local(raw, zone).map_or_else(|| raw.to_owned(), text)
}

/// Raw text as a local date-time.
pub(crate) fn local(raw: &str, zone: &TimeZone) -> Option<DateTime> {
    Some(zone.to_datetime(TimeZone::UTC.to_timestamp(parse(raw)?).ok()?))
}

/// A local date-time as raw text.
pub(crate) fn to_raw(local: DateTime, zone: &TimeZone) -> Option<String> {
    zone.to_timestamp(local).ok().map(raw)
}

/// The zone of that name; UTC when there is none.
pub(crate) fn zone(name: &str) -> TimeZone {
    if name.is_empty() { TimeZone::UTC } else { TimeZone::get(name).unwrap_or(TimeZone::UTC) }
}

/// A raw duration (a date-time after 1970-01-01) in words.
pub(crate) fn duration_in_words(raw: &str) -> Option<String> {
    let span = TimeZone::UTC.to_timestamp(parse(raw)?).ok()?.as_second();
    let parts = [("Day", span / 86_400), ("Hour", span / 3_600 % 24), ("Minute", span / 60 % 60)];
    let words: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count != 0)
        .map(|(unit, count)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    Some(if words.is_empty() { format!("{span} Seconds") } else { words.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::{duration_in_words, parse, seen_in, to_raw, zone};

    #[test]
    fn times_move_into_the_users_zone_and_back() {
        let los_angeles = zone("America/Los_Angeles");
        assert_eq!(seen_in("2026-01-05 15:19:57", &los_angeles), "2026-01-05 07:19:57");
        let local = parse("2026-01-05 07:19:57").unwrap();
        assert_eq!(to_raw(local, &los_angeles).unwrap(), "2026-01-05 15:19:57");
    }

    #[test]
    fn durations_become_words() {
        assert_eq!(duration_in_words("1970-01-02 04:23:17").unwrap(), "1 Day 4 Hours 23 Minutes");
        assert_eq!(duration_in_words("1970-01-01 00:00:09").unwrap(), "9 Seconds");
        assert_eq!(duration_in_words("soon"), None);
    }

    #[test]
    fn other_ways_of_writing_are_not_read() {
        for text in ["2026-01-05T15:19:57Z", "05.01.2026", "", "2026-13-01 00:00:00"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
