//! What was asked for against what came back.
//!
//! ServiceNow drops unknown fields, unknown choices and fields that the user may not write,
//! and still answers 200: the difference is all that a caller gets to see.
#![deny(clippy::disallowed_types)]

use crate::{connector::input::Fields, outcome::cut, servicenow::Record};

/// Fields that never come back as they went, beside journals.
const WRITE_ONLY: [&str; 2] = ["user_password", "sys_id"];
const MAX_SHOWN_CHARS: usize = 80;

/// A field that is not what was asked for.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) field: &'a str,
    asked: &'a str,
    /// `None` when the field did not come back.
    pub(super) found: Option<&'a str>,
}

/// The fields that are not what was asked for, but for those that never come back as they
/// went.
pub(super) fn differences<'a>(asked: &'a Fields, echoed: &'a Record) -> Vec<Difference<'a>> {
    asked
        .iter()
        .filter(|(field, _)| !is_write_only(asked, field))
        .map(|(field, asked)| Difference { field, asked, found: echoed.text(field) })
        .filter(|one| one.found.is_none_or(|found| !same_value(one.asked, found)))
        .collect()
}

/// A warning for each field that is not what was asked for.
pub(super) fn warnings(asked: &Fields, echoed: &Record) -> Vec<String> {
    differences(asked, echoed).iter().map(Difference::warning).collect()
}

/// Fields whose value cannot be read back, so that nobody knows whether it differs.
pub(super) fn unreadable(asked: &Fields) -> Vec<&str> {
    asked.names().filter(|field| *field != "sys_id" && is_write_only(asked, field)).collect()
}

fn is_write_only(asked: &Fields, field: &str) -> bool {
    WRITE_ONLY.contains(&field) || asked.is_journal(field)
}

impl Difference<'_> {
    fn warning(&self) -> String {
        let Self { field, .. } = self;
        let asked = shown(self.asked);
        match self.found.map(shown) {
            None => format!(
                "field '{field}' was not stored as '{asked}': the table has no such field, or the \
                 worker's user may not read it"
            ),
            Some(found) => format!("field '{field}' was asked to be '{asked}' and is '{found}'"),
        }
    }

    /// Both values, in few words.
    pub(super) fn in_short(&self) -> String {
        let Self { field, .. } = self;
        let asked = shown(self.asked);
        match self.found.map(shown) {
            None => format!("'{field}' cannot be read and is asked to be '{asked}'"),
            Some(found) => format!("'{field}' is '{found}' and is asked to be '{asked}'"),
        }
    }
}

fn shown(text: &str) -> String {
    cut(text, MAX_SHOWN_CHARS)
}

/// Whether two texts are the same value to ServiceNow: case, blanks at the ends, line
/// ends, the spelling of numbers, booleans and whole days do not count.
pub(super) fn same_value(asked: &str, echoed: &str) -> bool {
    let (asked, echoed) = (tidy(asked), tidy(echoed));
    asked == echoed
        || asked.to_lowercase() == echoed.to_lowercase()
        || same_number(&asked, &echoed)
        || same_boolean(&asked, &echoed)
        || echoed
            .strip_prefix(asked.as_str())
            .is_some_and(|rest| asked.len() == 10 && rest == " 00:00:00")
}

fn tidy(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

fn same_number(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> Option<String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_number = !digits.is_empty()
            && digits.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
        is_number.then(|| format!("{whole}.{}", fraction.trim_end_matches('0')))
    };
    plain(a).is_some_and(|a| plain(b) == Some(a))
}

fn same_boolean(a: &str, b: &str) -> bool {
    let read = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    read(a).is_some_and(|a| read(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{same_value, warnings};
    use crate::{connector::input::Fields, servicenow::Record};

    fn fields(value: &Value) -> Fields {
        Fields::from_values(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn what_was_dropped_or_changed_is_said_with_both_values() {
        let asked = fields(&json!({
            "short_description": "x", "u_nope": "1", "priority": 1, "work_notes": "hello",
            "active": true, "cost": 1.50,
        }));
        let echoed = Record::from_value(json!({
            "short_description": "x", "priority": "3", "work_notes": "", "active": "true",
            "cost": "1.5",
        }))
        .unwrap();
        let warnings = warnings(&asked, &echoed);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].starts_with("field 'u_nope' was not stored as '1'"));
        assert_eq!(warnings[1], "field 'priority' was asked to be '1' and is '3'");
        assert!(asked.write_journals());
    }

    #[test]
    fn spelling_does_not_count() {
        for (asked, echoed) in [
            ("a ", "a"),
            ("a\nb", "a\r\nb"),
            ("ABC", "abc"),
            ("1.0", "1"),
            ("true", "1"),
            ("2026-01-01", "2026-01-01 00:00:00"),
        ] {
            assert!(same_value(asked, echoed), "{asked} {echoed}");
        }
        for (asked, echoed) in [("1", "3"), ("", "x"), ("10", "1"), ("true", "false"), ("", "0")] {
            assert!(!same_value(asked, echoed), "{asked} {echoed}");
        }
    }
}
