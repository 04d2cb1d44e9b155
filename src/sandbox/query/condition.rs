//! One condition of a query.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::{
    Scene,
    dates::seconds_between,
    path::{Path, compare},
    script,
};
use crate::sandbox::{
    display,
    record::Record,
    schema::{Column, Kind},
    store::Store,
    time,
};

/// A field and what its value must be like.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) field: Path,
    pub(super) test: Test,
}

/// What a value must be like. Texts to search for are in lower case.
#[derive(Debug)]
pub(super) enum Test {
    Is(String),
    IsNot(String),
    Above(String),
    AtLeast(String),
    Below(String),
    AtMost(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Lacks(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Empty,
    NotEmpty,
    Anything,
    Between(String, String),
    Same(Path),
    NotSame(Path),
    Beside(Side, Path),
    DatePart(Part),
    /// The field lies further from (or nearer to) the other than a span of seconds.
    Apart {
        side: Side,
        other: Path,
        span: i64,
    },
    /// Every word occurs somewhere in the record.
    HasWords(Vec<String>),
    /// Raw value or display value is this.
    Shows(String),
    Not(Box<Test>),
}

/// On which side of another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Side {
    fn has(self, order: Ordering) -> bool {
        match self {
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

impl Condition {
    pub(super) fn holds(&self, store: &Store, record: &Record) -> bool {
        self.passes(&self.test, store, record)
    }

    fn passes(&self, test: &Test, store: &Store, record: &Record) -> bool {
        let value = self.field.value(store, record);
        let column = self.field.last();
        let beside = |side: Side, other: &str| {
            !value.is_empty() && !other.is_empty() && side.has(compare(column, value, other))
        };
        match test {
            Test::Is(wanted) => value.eq_ignore_ascii_case(wanted),
            Test::IsNot(wanted) => {
                // An empty boolean matches neither value; seen on a live instance.
                let is_boolean = column.is_some_and(|column| column.kind == Kind::Boolean);
                let is_skipped = is_boolean && value.is_empty();
                !is_skipped && !value.eq_ignore_ascii_case(wanted)
            }
            Test::Above(other) => beside(Side::Above, other),
            Test::AtLeast(other) => beside(Side::AtLeast, other),
            Test::Below(other) => beside(Side::Below, other),
            Test::AtMost(other) => beside(Side::AtMost, other),
            Test::Between(from, to) => beside(Side::AtLeast, from) && beside(Side::AtMost, to),
            Test::In(list) => list.iter().any(|item| value.eq_ignore_ascii_case(item)),
            Test::NotIn(list) => !list.iter().any(|item| value.eq_ignore_ascii_case(item)),
            Test::Empty => value.is_empty(),
            Test::NotEmpty => !value.is_empty(),
            Test::Anything => true,
            Test::Same(other) => value == other.value(store, record),
            Test::NotSame(other) => value != other.value(store, record),
            Test::Beside(side, other) => beside(*side, other.value(store, record)),
            Test::DatePart(part) => part.is_that_of(value),
            Test::Apart { side, other, span } => {
                is_apart(value, other.value(store, record), *side, *span)
            }
            Test::Not(inner) => !self.passes(inner, store, record),
            _ => self.passes_as_text(test, store, record),
        }
    }

    /// The tests that look at a reference's name in place of its sys_id.
    fn passes_as_text(&self, test: &Test, store: &Store, record: &Record) -> bool {
        if let Test::HasWords(words) = test {
            return has_words(store, record, words);
        }
        let Some((last, column)) = self.field.walk(store, record) else {
            return matches!(test, Test::Lacks(_));
        };
        if let Test::Shows(wanted) = test {
            return last.get(&column.name).eq_ignore_ascii_case(wanted)
                || display::of_value(store, column, last.get(&column.name), &TimeZone::UTC)
                    .eq_ignore_ascii_case(wanted);
        }
        let shown = searchable(store, last, column).to_lowercase();
        match test {
            Test::StartsWith(part) => shown.starts_with(part),
            Test::EndsWith(part) => shown.ends_with(part),
            Test::Contains(part) => shown.contains(part),
            Test::Lacks(part) => !shown.contains(part),
            _ => false,
        }
    }
}

fn searchable(store: &Store, record: &Record, column: &Column) -> String {
    let raw = record.get(&column.name);
    match column.kind {
        Kind::Reference if !raw.is_empty() => display::of_reference(store, column, raw),
        Kind::Journal | Kind::JournalList => {
            display::of_field(store, record, column, &TimeZone::UTC)
        }
        _ => raw.to_owned(),
    }
}

fn has_words(store: &Store, record: &Record, words: &[String]) -> bool {
    let Some(table) = store.table(&record.class) else { return false };
    let texts: Vec<String> =
        table.columns.iter().map(|c| searchable(store, record, c).to_lowercase()).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())))
}

/// Before (span below zero): the field lies before the other, by more or less than that.
fn is_apart(value: &str, other: &str, side: Side, span: i64) -> bool {
    let (Some(value), Some(other)) = (time::parse(value), time::parse(other)) else { return false };
    let distance = seconds_between(other, value) * span.signum();
    match side {
        Side::Above => distance > span.abs(),
        _ => (0..span.abs()).contains(&distance),
    }
}

/// A part of a date: a day of the week, a month, a year, an hour.
#[derive(Debug)]
pub(super) struct Part {
    unit: String,
    side: Option<Side>,
    number: i64,
    zone: TimeZone,
}

impl Part {
    /// Reads `Monday@javascript:gs.datePart('dayofweek','monday','EE')`.
    pub(super) fn read(operand: &str, scene: &Scene<'_>) -> Option<Self> {
        let (_, text) = operand.split_once('@')?;
        let (name, arguments) = script::call(text.strip_prefix(script::PREFIX)?)?;
        let [unit, value, operator] = arguments.as_slice() else { return None };
        let side = match operator.as_str() {
            "EE" => None,
            "GT" => Some(Side::Above),
            "GE" => Some(Side::AtLeast),
            "LT" => Some(Side::Below),
            "LE" => Some(Side::AtMost),
            _ => return None,
        };
        let number = number_of(unit, &value.to_ascii_lowercase())?;
        (name == "datePart").then(|| Self {
            unit: unit.clone(),
            side,
            number,
            zone: scene.zone.clone(),
        })
    }

    fn is_that_of(&self, raw: &str) -> bool {
        let Some(moment) = time::local(raw, &self.zone) else { return false };
        let number = match self.unit.as_str() {
            "dayofweek" => i64::from(moment.date().weekday().to_monday_one_offset()),
            "month" => i64::from(moment.month()),
            "quarter" => i64::from((moment.month() - 1) / 3 + 1),
            "year" => i64::from(moment.year()),
            "hour" => i64::from(moment.hour()),
            _ => return false,
        };
        self.side.map_or(number == self.number, |side| side.has(number.cmp(&self.number)))
    }
}

fn number_of(unit: &str, value: &str) -> Option<i64> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let named = |names: &[&str]| {
        let at = names.iter().position(|name| value.starts_with(name))?;
        i64::try_from(at + 1).ok()
    };
    match unit {
        "dayofweek" => named(&DAYS),
        "month" => named(&MONTHS).or_else(|| value.parse().ok()),
        "year" | "hour" | "quarter" => value.parse().ok(),
        _ => None,
    }
}
