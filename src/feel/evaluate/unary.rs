//! Tests of a value: after `in`, and standing alone.

use super::Run;
use super::scope::{Found, Scope};
use crate::feel::ast::{Comparison, Expr, RangeEnds, Test};
use crate::feel::compare::{equal, same, weight};
use crate::feel::error::Error;
use crate::feel::value::Value;

/// The name under which scopes hold the value under test.
const INPUT: &str = "?";

impl Run {
    /// Whether one of the tests holds for a value.
    #[inline(never)]
    pub(super) fn tested(
        &mut self,
        (operand, tests): &(Expr, Vec<Test>),
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let value = self.value(operand, scope)?;
        let scope = scope.with_variable(INPUT, &value);
        let mut result = Value::Boolean(false);
        for test in tests {
            match self.test(&value, test, &scope)? {
                Value::Boolean(true) => return Ok(Value::Boolean(true)),
                Value::Boolean(false) => {}
                _ => result = Value::Null,
            }
        }
        Ok(result)
    }

    /// A test of the value that an outer `in` is about; null if there is none.
    #[inline(never)]
    pub(super) fn implicit_test(&mut self, test: &Test, scope: &Scope<'_>) -> Result<Value, Error> {
        if let Some(Found::Value(value)) = self.found(INPUT, scope)? {
            return self.test(value, test, scope);
        }
        self.warn("a test stands where no value is tested");
        Ok(Value::Null)
    }

    #[inline(never)]
    pub(super) fn input(&mut self, scope: &Scope<'_>) -> Result<Value, Error> {
        match self.found(INPUT, scope)? {
            Some(Found::Value(value)) => Ok(value.clone()),
            _ => Err(Error::failed("'?' can only stand in a test, such as after 'in'")),
        }
    }

    fn test(&mut self, value: &Value, test: &Test, scope: &Scope<'_>) -> Result<Value, Error> {
        match test {
            Test::Compare(comparison, operand) => {
                let operand = self.value(operand, scope)?;
                self.holds(value, *comparison, &operand)
            }
            Test::Range(ends) => self.within(value, ends, scope),
            Test::Condition(condition) => Ok(match self.value(condition, scope)? {
                boolean @ Value::Boolean(_) => boolean,
                _ => Value::Null,
            }),
            Test::Expression(expression) => {
                let tested = self.value(expression, scope)?;
                self.matches(value, &tested)
            }
        }
    }

    fn within(
        &mut self,
        value: &Value,
        ends: &RangeEnds,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let start = self.value(&ends.start, scope)?;
        let end = self.value(&ends.end, scope)?;
        let low =
            if ends.start_included { Comparison::GreaterOrEqual } else { Comparison::Greater };
        let high = if ends.end_included { Comparison::LessOrEqual } else { Comparison::Less };
        let above = self.holds(value, low, &start)?;
        let below = self.holds(value, high, &end)?;
        Ok(match (above.as_bool(), below.as_bool()) {
            (Some(above), Some(below)) => Value::Boolean(above && below),
            _ => Value::Null,
        })
    }

    /// Whether a value is what the test gave, or is in the list that it gave.
    fn matches(&mut self, value: &Value, tested: &Value) -> Result<Value, Error> {
        self.budget.steps(weight(tested))?;
        self.room(value.depth().min(tested.depth()) / 2)?;
        if tested.as_bool() == Some(true) {
            return Ok(Value::Boolean(true));
        }
        if let Value::List(list) = tested {
            let contained = list.iter().any(|item| same(value, item));
            return Ok(Value::Boolean(contained || same(value, tested)));
        }
        Ok(match equal(value, tested) {
            Some(equal) => Value::Boolean(equal),
            None if tested.as_bool() == Some(false) => Value::Boolean(false),
            None => Value::Null,
        })
    }
}
