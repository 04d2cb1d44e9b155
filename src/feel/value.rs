//! Values: what an expression reads and answers.
//!
//! A value is three words and cheap to clone: everything large is shared. Lists, contexts
//! and functions know how deep they nest, so that no walk over a value (a comparison, a
//! conversion, its end of life) goes deeper than the evaluator allowed it to grow.

mod json;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::SignedDuration;
use jiff::civil::Date;

use super::compare;
use super::function::Function;
use super::number::Number;
use super::range::Range;
use super::temporal::{DateTime, Time};

/// Contexts of more entries are looked up through an index.
const INDEXED_FROM: usize = 128;
/// Contexts of more entries are built with an index.
const SCANNED_UP_TO: usize = 16;

/// A FEEL value.
#[derive(Clone)]
pub enum Value {
    /// Nothing, also the answer to most mistakes.
    Null,
    /// True or false.
    Boolean(bool),
    /// An exact decimal number.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// Values in order.
    List(Arc<List>),
    /// Named values in order.
    Context(Arc<Context>),
    /// A duration of days and below.
    DayTimeDuration(SignedDuration),
    /// A duration in months.
    YearMonthDuration(i64),
    /// A day of the calendar.
    Date(Date),
    /// A time of day, perhaps with a zone.
    Time(Arc<Time>),
    /// A day and time, perhaps with a zone.
    DateTime(Arc<DateTime>),
    /// All values between two ends.
    Range(Arc<Range>),
    /// A function of the expression itself.
    Function(Arc<Function>),
}

impl Value {
    /// Text.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list of these items.
    pub fn list(items: impl Into<Vec<Value>>) -> Self {
        Self::List(Arc::new(List::new(items.into())))
    }

    /// A context of these entries; of equal keys the last wins.
    pub fn context(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        Self::Context(Arc::new(entries.into_iter().collect()))
    }

    /// The name of the value's type, as `instance of` spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::DayTimeDuration(_) => "days and time duration",
            Self::YearMonthDuration(_) => "years and months duration",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(boolean) = self { Some(*boolean) } else { None }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The text, if this is some.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The entries, if this is a context.
    pub fn as_context(&self) -> Option<&Context> {
        if let Self::Context(context) = self { Some(context) } else { None }
    }

    /// How many lists, contexts and functions are nested in each other here.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth,
            Self::Context(context) => context.depth,
            Self::Range(range) => range.start.depth().max(range.end.depth()).saturating_add(1),
            Self::Function(function) => function.depth(),
            _ => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Number::from(number))
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

/// Nothing becomes null.
impl From<Option<Number>> for Value {
    fn from(number: Option<Number>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}

/// Shows the value as JSON.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

/// The items of a list.
#[derive(Debug)]
pub struct List {
    items: Vec<Value>,
    depth: u32,
    weight: usize,
}

impl List {
    /// A list of these items.
    pub fn new(items: Vec<Value>) -> Self {
        let (depth, weight) = measured(items.iter());
        Self { items, depth, weight }
    }

    /// How many values there are in all, however deep.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

impl std::ops::Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

/// The entries of a context, in the order they were written.
#[derive(Debug, Default)]
pub struct Context {
    entries: Vec<(Arc<str>, Value)>,
    index: OnceLock<HashMap<Arc<str>, usize>>,
    depth: u32,
    weight: usize,
}

impl Context {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.entries.len() < INDEXED_FROM {
            let entry = self.entries.iter().find(|(name, _)| &**name == key);
            return entry.map(|(_, value)| value);
        }
        let index = self.index.get_or_init(|| {
            let numbered = self.entries.iter().enumerate();
            numbered.map(|(at, (name, _))| (Arc::clone(name), at)).collect()
        });
        index.get(key).map(|at| &self.entries[*at].1)
    }

    /// How many keys a search may have to look at.
    pub(super) fn searched(&self) -> usize {
        if self.entries.len() < INDEXED_FROM { self.entries.len() } else { 16 }
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Arc<str>, Value)> {
        self.entries.iter()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.iter().map(|(name, _)| name)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A context of entries whose keys are known to differ.
    pub(crate) fn from_distinct(entries: Vec<(Arc<str>, Value)>) -> Self {
        let (depth, values) = measured(entries.iter().map(|(_, value)| value));
        let keys = entries.iter().map(|(name, _)| compare::text_weight(name));
        let weight = keys.fold(values, usize::saturating_add);
        Self { entries, index: OnceLock::new(), depth, weight }
    }

    /// How many values there are in all, however deep.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

impl<'a> IntoIterator for &'a Context {
    type Item = &'a (Arc<str>, Value);
    type IntoIter = std::slice::Iter<'a, (Arc<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Of equal keys the last value wins, at the place of the first.
impl FromIterator<(Arc<str>, Value)> for Context {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Value)>>(entries: T) -> Self {
        let mut kept: Vec<(Arc<str>, Value)> = Vec::new();
        let mut places = HashMap::new();
        for (name, value) in entries {
            if kept.len() == SCANNED_UP_TO {
                let numbered = kept.iter().enumerate();
                places = numbered.map(|(at, (name, _))| (Arc::clone(name), at)).collect();
            }
            let place = if kept.len() < SCANNED_UP_TO {
                kept.iter().position(|(own, _)| *own == name)
            } else {
                places.get(&name).copied()
            };
            if let Some(place) = place {
                kept[place].1 = value;
                continue;
            }
            if kept.len() >= SCANNED_UP_TO {
                places.insert(Arc::clone(&name), kept.len());
            }
            kept.push((name, value));
        }
        Self::from_distinct(kept)
    }
}

/// The depth and the weight of something that holds these values.
fn measured<'a>(values: impl Iterator<Item = &'a Value>) -> (u32, usize) {
    let (depth, weight) = values.fold((0, 0_usize), |(depth, weight), value| {
        (value.depth().max(depth), weight.saturating_add(compare::weight(value)))
    });
    (depth.saturating_add(1), weight.saturating_add(1))
}
