//! A journal as its record shows it, for whoever may not read the entries themselves: one
//! text, newest first, each entry under a line with its time, author and label.
#![deny(clippy::disallowed_types)]

use jiff::{civil::DateTime, tz::Offset};
use serde_json::Value;

use super::tidy;

/// The field whose two forms tell the time zone that the record is shown in.
pub(super) const CLOCK: &str = "sys_updated_on";

/// A record shown with values and display values.
#[derive(Debug)]
pub(super) struct Shown {
    record: Value,
}

impl Shown {
    pub(super) fn new(record: Value) -> Self {
        Self { record }
    }

    /// Whether a journal has an entry with this text that is no older; `None` when that
    /// cannot be read.
    pub(super) fn has(&self, field: &str, text: &str, since: jiff::Timestamp) -> Option<bool> {
        let ahead = time(self.part(CLOCK, "display_value")?)?
            .duration_since(time(self.part(CLOCK, "value")?)?);
        let since = Offset::UTC.to_datetime(since).checked_add(ahead).ok()?;
        let history = self.part(field, "display_value")?.replace("\r\n", "\n").replace('\r', "\n");
        let mut is_readable = history.trim().is_empty();
        let mut rest = history.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(at) = headline(line) {
                is_readable = true;
                if at >= since && begins_with_entry(after, &tidy(text)) {
                    return Some(true);
                }
            }
            rest = after;
        }
        is_readable.then_some(false)
    }

    fn part(&self, field: &str, form: &str) -> Option<&str> {
        self.record.get(field)?.get(form)?.as_str()
    }
}

/// Whether exactly this text stands before the next headline.
fn begins_with_entry(history: &str, text: &str) -> bool {
    history.trim_start().strip_prefix(text).is_some_and(|after| {
        let mut lines = after.split('\n');
        let ends_there = lines.next().is_some_and(|line| line.trim().is_empty());
        let next = lines.find(|line| !line.trim().is_empty());
        ends_there && next.is_none_or(|line| headline(line).is_some())
    })
}

/// The time in `2026-03-02 04:01:00 - Ann Smith (Work notes)`.
fn headline(line: &str) -> Option<DateTime> {
    let (at, rest) = line.split_at_checked(19)?;
    (rest.starts_with(" - ") && rest.trim_end().ends_with(')')).then(|| time(at)).flatten()
}

fn time(text: &str) -> Option<DateTime> {
    DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shown;

    /// Shown eight hours behind UTC.
    fn shown(history: &str) -> Shown {
        Shown::new(json!({
            "sys_updated_on": {"display_value": "2026-03-02 04:01:00", "value": "2026-03-02 12:01:00"},
            "work_notes": {"display_value": history, "value": ""},
        }))
    }

    fn has(history: &str, text: &str) -> Option<bool> {
        shown(history).has("work_notes", text, "2026-03-02T12:00:30Z".parse().unwrap())
    }

    #[test]
    fn an_entry_is_found_by_its_whole_text_and_its_time() {
        let history = "2026-03-02 04:02:00 - Ann (Work notes)\nthird\n\nwith a gap\n\n\
                       2026-03-02 04:01:00 - Ann (Work notes)\r\nsecond\r\n\r\n\
                       2026-03-02 04:00:00 - Ann (Work notes)\nfirst\n\n";
        for text in ["third\n\nwith a gap", "second", " second\n"] {
            assert_eq!(has(history, text), Some(true), "{text}");
        }
        for text in ["first", "third", "with a gap", "sec", "fourth"] {
            assert_eq!(has(history, text), Some(false), "{text}");
        }
    }

    #[test]
    fn an_entry_that_looks_like_a_history_is_one_entry() {
        let text = "copied:\n\n2026-03-02 04:00:00 - Ann (Work notes)\nolder";
        let history = format!("2026-03-02 04:01:00 - Bob (Work notes)\n{text}\n\n");
        assert_eq!(has(&history, text), Some(true));
        assert_eq!(has("", text), Some(false));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        assert_eq!(has("02/03/2026 04:01:00 - Ann (Work notes)\nsecond\n\n", "second"), None);
        for record in [json!({}), json!(null), json!({"work_notes": "x"})] {
            let shown = Shown::new(record);
            assert_eq!(shown.has("work_notes", "x", jiff::Timestamp::UNIX_EPOCH), None);
        }
    }
}
