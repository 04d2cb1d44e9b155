//! Functions that look for equal items, through a hash of each.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::joined;
use crate::feel::builtins::Call;
use crate::feel::compare::{same, weight};
use crate::feel::error::Error;
use crate::feel::value::Value;

/// What it costs to hash a value and to keep it.
const HASHED: usize = 10;

pub(super) fn union(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(items) = joined(call, arguments)? else { return Ok(Value::Null) };
    Ok(Distinct::of(call, items)?.values(1))
}

pub(super) fn distinct_values(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    Ok(Distinct::of(call, list.iter())?.values(1))
}

pub(super) fn duplicate_values(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::List(list)] = arguments else { return call.mismatch(arguments) };
    Ok(Distinct::of(call, list.iter())?.values(2))
}

/// The different values met, in order, and how often each was.
#[derive(Default)]
struct Distinct<'a> {
    counted: Vec<(&'a Value, usize)>,
    places: HashMap<u64, Vec<usize>>,
    hashing: RandomState,
}

impl<'a> Distinct<'a> {
    fn of(call: &mut Call<'_>, items: impl IntoIterator<Item = &'a Value>) -> Result<Self, Error> {
        let mut distinct = Self::default();
        for item in items {
            distinct.add(call, item)?;
        }
        Ok(distinct)
    }

    fn add(&mut self, call: &mut Call<'_>, value: &'a Value) -> Result<(), Error> {
        let weight = weight(value);
        call.budget().items(1)?;
        call.budget().steps(weight.saturating_mul(HASHED))?;
        let places = self.places.entry(hash(&self.hashing, value)).or_default();
        for place in places.iter() {
            call.budget().steps(weight)?;
            let (known, count) = &mut self.counted[*place];
            if same(known, value) {
                *count += 1;
                return Ok(());
            }
        }
        places.push(self.counted.len());
        self.counted.push((value, 1));
        Ok(())
    }

    /// Those met so often at least.
    fn values(&self, least: usize) -> Value {
        let met = self.counted.iter().filter(|(_, count)| *count >= least);
        Value::list(met.map(|(value, _)| (*value).clone()).collect::<Vec<_>>())
    }
}

/// Equal values have equal hashes; the order of keys counts for nothing.
fn hash(hashing: &RandomState, value: &Value) -> u64 {
    let mut hasher = hashing.build_hasher();
    value.type_name().hash(&mut hasher);
    match value {
        Value::Null | Value::Range(_) | Value::Function(_) => {}
        Value::Boolean(boolean) => boolean.hash(&mut hasher),
        Value::Number(number) => number.hash(&mut hasher),
        Value::String(text) => text.hash(&mut hasher),
        Value::List(list) => list.iter().for_each(|item| hasher.write_u64(hash(hashing, item))),
        Value::Context(context) => {
            let entries =
                context.iter().map(|(key, value)| hashing.hash_one((key, hash(hashing, value))));
            hasher.write_u64(entries.fold(0, |all, entry| all ^ entry));
        }
        Value::DayTimeDuration(duration) => duration.hash(&mut hasher),
        Value::YearMonthDuration(months) => months.hash(&mut hasher),
        Value::Date(date) => date.hash(&mut hasher),
        Value::Time(time) => time.time.hash(&mut hasher),
        Value::DateTime(moment) => moment.local.hash(&mut hasher),
    }
    hasher.finish()
}
