//! `for`, `some` and `every`: all combinations of the iterators' items.
//!
//! The lists are evaluated before, outside of the loop: an iterator does not see those
//! before it. Numbers of a range are made one by one.

use std::sync::Arc;

use super::scope::Scope;
use super::{Run, checked};
use crate::feel::ast::{Iterated, Loop, Quantifier};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::value::{List, Value};

/// What it costs to set up an iterator.
const SET_UP: usize = 6;

/// The items of one iterator.
enum Items {
    List(Arc<List>),
    Numbers { start: Number, step: Number, count: usize },
}

impl Items {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Numbers { count, .. } => *count,
        }
    }

    /// What it costs to make an item.
    fn cost(&self) -> usize {
        match self {
            Self::Numbers { start, .. } if !start.is_machine() => cost::SUM,
            _ => 0,
        }
    }

    fn at(&self, place: usize) -> Value {
        match self {
            Self::List(list) => list[place].clone(),
            Self::Numbers { start, step, .. } => {
                let place = Number::from(i64::try_from(place).unwrap_or(i64::MAX));
                step.multiply(&place).and_then(|moved| start.add(&moved)).into()
            }
        }
    }
}

impl Run {
    #[inline(never)]
    pub(super) fn iterated(&mut self, iteration: &Loop, scope: &Scope<'_>) -> Result<Value, Error> {
        let Some(mut rounds) = self.rounds(iteration, scope)? else { return Ok(Value::Null) };
        let mut results = Vec::new();
        while rounds.next() {
            self.budget.steps(rounds.cost)?;
            self.budget.items(1)?;
            let scope = scope.with_variables(&rounds.variables);
            let result = self.value(&iteration.body, &scope.with_partial(&results))?;
            results.push(result);
        }
        checked(Value::list(results))
    }

    #[inline(never)]
    pub(super) fn quantified(
        &mut self,
        quantifier: Quantifier,
        iteration: &Loop,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let Some(mut rounds) = self.rounds(iteration, scope)? else { return Ok(Value::Null) };
        let deciding = quantifier == Quantifier::Some;
        let mut result = Value::Boolean(!deciding);
        while rounds.next() {
            self.budget.steps(rounds.cost)?;
            match self.value(&iteration.body, &scope.with_variables(&rounds.variables))? {
                Value::Boolean(boolean) if boolean == deciding => {
                    return Ok(Value::Boolean(deciding));
                }
                Value::Boolean(_) => {}
                _ => result = Value::Null,
            }
        }
        Ok(result)
    }

    /// All combinations, or nothing if an iterator has no items to give.
    fn rounds(
        &mut self,
        iteration: &Loop,
        scope: &Scope<'_>,
    ) -> Result<Option<Box<Rounds>>, Error> {
        let mut all = Vec::with_capacity(iteration.iterators.len());
        for (name, iterated) in &iteration.iterators {
            self.budget.steps(SET_UP)?;
            let Some(items) = self.items(name, iterated, scope)? else { return Ok(None) };
            all.push(items);
        }
        let variables = iteration.iterators.iter().map(|(name, _)| (Arc::clone(name), Value::Null));
        Ok(Some(Box::new(Rounds {
            places: vec![0; all.len()],
            cost: 1 + all.len() / 4 + all.iter().map(Items::cost).sum::<usize>(),
            all,
            variables: variables.collect(),
            begun: false,
        })))
    }

    fn items(
        &mut self,
        name: &Arc<str>,
        iterated: &Iterated,
        scope: &Scope<'_>,
    ) -> Result<Option<Items>, Error> {
        match iterated {
            Iterated::List(list) => match self.value(list, scope)? {
                Value::List(list) => Ok(Some(Items::List(list))),
                other => {
                    let type_name = other.type_name();
                    self.warn(format_args!(
                        "'{name}' cannot run over a {type_name}, only over a list"
                    ));
                    Ok(None)
                }
            },
            Iterated::Between(start, end) => {
                let start = self.value(start, scope)?;
                let end = self.value(end, scope)?;
                let (Value::Number(start), Value::Number(end)) = (&start, &end) else {
                    let (start, end) = (start.type_name(), end.type_name());
                    self.warn(format_args!("'{name}' cannot run from a {start} to a {end}"));
                    return Ok(None);
                };
                self.numbers(start, end).map(Some)
            }
        }
    }

    fn numbers(&mut self, start: &Number, end: &Number) -> Result<Items, Error> {
        let distance = end.subtract(start).map(|distance| distance.abs());
        let whole = distance.and_then(|distance| distance.round(0, crate::feel::Rounding::Down));
        let count = whole.and_then(|whole| usize::try_from(whole.to_i64()?).ok());
        let count = count.and_then(|count| count.checked_add(1)).unwrap_or(usize::MAX);
        self.budget.room_for_items(count)?;
        let step = Number::from(if start <= end { 1 } else { -1 });
        Ok(Items::Numbers { start: start.clone(), step, count })
    }
}

/// The combinations of the iterators' items, the last iterator running fastest.
struct Rounds {
    all: Vec<Items>,
    places: Vec<usize>,
    variables: Vec<(Arc<str>, Value)>,
    /// What a round costs, besides its body: the next item of each iterator perhaps.
    cost: usize,
    begun: bool,
}

impl Rounds {
    /// Goes to the next combination, if there is one.
    fn next(&mut self) -> bool {
        if !self.begun {
            self.begun = true;
            let any = self.all.iter().all(|items| items.len() > 0);
            if any {
                (0..self.all.len()).for_each(|iterator| self.set(iterator, 0));
            }
            return any;
        }
        for iterator in (0..self.all.len()).rev() {
            let place = self.places[iterator] + 1;
            if place < self.all[iterator].len() {
                self.set(iterator, place);
                return true;
            }
            self.set(iterator, 0);
        }
        false
    }

    fn set(&mut self, iterator: usize, place: usize) {
        self.places[iterator] = place;
        self.variables[iterator].1 = self.all[iterator].at(place);
    }
}
