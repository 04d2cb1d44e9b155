//! Functions that compare ranges and points.
//!
//! A point is the range of itself alone, so one rule serves all forms of a function; half
//! of the functions are the other half with their arguments exchanged. A point that an end
//! of a range includes is in it, even if that range runs backwards.

use std::cmp::Ordering;

use super::{Builtin, Call};
use crate::feel::compare::{order, same};
use crate::feel::error::Error;
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("before", &["point1", "point2"], before),
    Builtin::new("before", &["point", "range"], before),
    Builtin::new("before", &["range", "point"], before),
    Builtin::new("before", &["range1", "range2"], before),
    Builtin::new("after", &["point1", "point2"], after),
    Builtin::new("after", &["point", "range"], after),
    Builtin::new("after", &["range", "point"], after),
    Builtin::new("after", &["range1", "range2"], after),
    Builtin::new("meets", &["range1", "range2"], meets),
    Builtin::new("met by", &["range1", "range2"], met_by),
    Builtin::new("overlaps", &["range1", "range2"], overlaps),
    Builtin::new("overlaps before", &["range1", "range2"], overlaps_before),
    Builtin::new("overlaps after", &["range1", "range2"], overlaps_after),
    Builtin::new("finishes", &["point", "range"], finishes),
    Builtin::new("finishes", &["range1", "range2"], finishes),
    Builtin::new("finished by", &["range", "point"], finished_by),
    Builtin::new("finished by", &["range1", "range2"], finished_by),
    Builtin::new("includes", &["range", "point"], includes),
    Builtin::new("includes", &["range1", "range2"], includes),
    Builtin::new("during", &["point", "range"], during),
    Builtin::new("during", &["range1", "range2"], during),
    Builtin::new("starts", &["point", "range"], starts),
    Builtin::new("starts", &["range1", "range2"], starts),
    Builtin::new("started by", &["range", "point"], started_by),
    Builtin::new("started by", &["range1", "range2"], started_by),
    Builtin::new("coincides", &["point1", "point2"], coincides),
    Builtin::new("coincides", &["range1", "range2"], coincides),
];

/// A range, or a point as the range of itself.
#[derive(Clone, Copy)]
struct Span<'a> {
    start: Bound<'a>,
    end: Bound<'a>,
    point: bool,
}

/// An end of a range.
#[derive(Clone, Copy)]
struct Bound<'a> {
    value: &'a Value,
    included: bool,
}

impl<'a> Span<'a> {
    fn new(value: &'a Value) -> Self {
        match value {
            Value::Range(range) => Self {
                start: Bound { value: &range.start, included: range.start_included },
                end: Bound { value: &range.end, included: range.end_included },
                point: false,
            },
            point => {
                let bound = Bound { value: point, included: true };
                Self { start: bound, end: bound, point: true }
            }
        }
    }
}

impl Bound<'_> {
    fn is_below(self, other: Self) -> bool {
        order(self.value, other.value) == Some(Ordering::Less)
    }

    fn is_at(self, other: Self) -> bool {
        same(self.value, other.value)
    }

    /// At the same value, both in or both out.
    fn equals(self, other: Self) -> bool {
        self.is_at(other) && self.included == other.included
    }

    /// At the same value, which belongs to both.
    fn touches(self, other: Self) -> bool {
        self.is_at(other) && self.included && other.included
    }
}

/// Whether a range begins no later than another.
fn covers_start(a: Bound<'_>, b: Bound<'_>) -> bool {
    a.is_below(b) || (a.is_at(b) && (a.included || !b.included))
}

/// Whether a range ends no earlier than another.
fn covers_end(a: Bound<'_>, b: Bound<'_>) -> bool {
    b.is_below(a) || (a.is_at(b) && (a.included || !b.included))
}

/// The forms of a function: which of its arguments may be points.
#[derive(Clone, Copy)]
enum Forms {
    Ranges,
    FirstMayBePoint,
    Any,
}

impl Forms {
    fn allow(self, first: Span<'_>, second: Span<'_>) -> bool {
        match self {
            Self::Ranges => !first.point && !second.point,
            Self::FirstMayBePoint => !second.point,
            Self::Any => true,
        }
    }
}

fn related(
    call: &mut Call<'_>,
    arguments: &[Value],
    (first, second): (usize, usize),
    forms: Forms,
    test: fn(Span<'_>, Span<'_>) -> bool,
) -> Result<Value, Error> {
    let (a, b) = (Span::new(&arguments[first]), Span::new(&arguments[second]));
    let ordered = order(a.start.value, b.start.value).is_some() && a.start.value.as_str().is_none();
    if !ordered || !forms.allow(a, b) {
        return call.mismatch(arguments);
    }
    Ok(Value::Boolean(test(a, b)))
}

/// The arguments as they come.
const GIVEN: (usize, usize) = (0, 1);
/// The arguments exchanged.
const EXCHANGED: (usize, usize) = (1, 0);

fn before(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::Any, lies_before)
}

fn after(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::Any, lies_before)
}

fn lies_before(a: Span<'_>, b: Span<'_>) -> bool {
    let apart = a.end.is_at(b.start) && !a.end.touches(b.start);
    a.end.is_below(b.start) || apart
}

fn meets(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::Ranges, |a, b| a.end.touches(b.start))
}

fn met_by(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::Ranges, |a, b| a.end.touches(b.start))
}

fn overlaps(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::Ranges, |a, b| reaches(a, b) && reaches(b, a))
}

/// Whether a range does not end before another begins.
fn reaches(a: Span<'_>, b: Span<'_>) -> bool {
    b.start.is_below(a.end) || a.end.touches(b.start)
}

fn overlaps_before(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::Ranges, leads_into)
}

fn overlaps_after(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::Ranges, leads_into)
}

/// Begins earlier, reaches the other and ends no later.
fn leads_into(a: Span<'_>, b: Span<'_>) -> bool {
    let earlier = a.start.is_below(b.start)
        || (a.start.is_at(b.start) && a.start.included && !b.start.included);
    earlier && reaches(a, b) && covers_end(b.end, a.end)
}

fn finishes(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::FirstMayBePoint, ends_as)
}

fn finished_by(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::FirstMayBePoint, ends_as)
}

fn ends_as(a: Span<'_>, b: Span<'_>) -> bool {
    a.end.equals(b.end) && (a.point || covers_start(b.start, a.start))
}

fn includes(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::FirstMayBePoint, lies_in)
}

fn during(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::FirstMayBePoint, lies_in)
}

fn lies_in(a: Span<'_>, b: Span<'_>) -> bool {
    if a.point && (a.start.touches(b.start) || a.end.touches(b.end)) {
        return true;
    }
    covers_start(b.start, a.start) && covers_end(b.end, a.end)
}

fn starts(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::FirstMayBePoint, begins_as)
}

fn started_by(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, EXCHANGED, Forms::FirstMayBePoint, begins_as)
}

fn begins_as(a: Span<'_>, b: Span<'_>) -> bool {
    a.start.equals(b.start) && (a.point || covers_end(b.end, a.end))
}

fn coincides(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    related(call, arguments, GIVEN, Forms::Any, |a, b| {
        a.point == b.point && a.start.equals(b.start) && a.end.equals(b.end)
    })
}
