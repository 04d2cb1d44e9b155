//! Operators: arithmetic, comparisons, tests, three-valued logic, `if`.

use std::sync::Arc;

use super::Run;
use super::scope::{Found, Scope};
use crate::feel::ast::{Arithmetic, Comparison, Expr, RangeEnds, Test};
use crate::feel::compare::{equal, order, same, weight};
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::operate::calculate;
use crate::feel::value::Value;

/// The name under which scopes hold the value under test.
const INPUT: &str = "?";

impl Run {
    #[inline(never)]
    pub(super) fn arithmetic(
        &mut self,
        (first, rest): &(Expr, Vec<(Arithmetic, Expr)>),
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let mut result = self.value(first, scope)?;
        if result.as_str().is_some() && rest.len() > 1 {
            return self.joined(&result, rest, scope);
        }
        for (operator, operand) in rest {
            let operand = self.value(operand, scope)?;
            result = self.calculated(&result, *operator, &operand)?;
        }
        Ok(result)
    }

    fn calculated(&mut self, a: &Value, operator: Arithmetic, b: &Value) -> Result<Value, Error> {
        if let (Value::String(a), Arithmetic::Add, Value::String(b)) = (a, operator, b) {
            self.budget.bytes(a.len() + b.len())?;
            return Ok(Value::from([&**a, &**b].concat()));
        }
        match calculate(a, operator, b) {
            Some(result) => Ok(result),
            None => self.incalculable(a, operator, b),
        }
    }

    /// A chain that begins with a text, built in one buffer.
    #[inline(never)]
    fn joined(
        &mut self,
        first: &Value,
        rest: &[(Arithmetic, Expr)],
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let mut text = first.as_str().unwrap_or_default().to_owned();
        let mut rest = rest.iter();
        while let Some((operator, operand)) = rest.next() {
            let operand = self.value(operand, scope)?;
            if let (Arithmetic::Add, Value::String(more)) = (operator, &operand) {
                self.budget.bytes(more.len())?;
                text.push_str(more);
                continue;
            }
            let mut result = self.calculated(&Value::from(text), *operator, &operand)?;
            for (operator, operand) in rest {
                let operand = self.value(operand, scope)?;
                result = self.calculated(&result, *operator, &operand)?;
            }
            return Ok(result);
        }
        Ok(Value::from(text))
    }

    /// Null with a warning; a power that is no number fails as in Camunda's engine.
    #[cold]
    #[inline(never)]
    fn incalculable(&mut self, a: &Value, operator: Arithmetic, b: &Value) -> Result<Value, Error> {
        let (left, right) = (a.type_name(), b.type_name());
        let text = match operator {
            Arithmetic::Add => format!("cannot add a {right} to a {left}"),
            Arithmetic::Subtract => format!("cannot subtract a {right} from a {left}"),
            Arithmetic::Multiply => format!("cannot multiply a {left} by a {right}"),
            Arithmetic::Divide if b.as_number().is_some_and(Number::is_zero) => {
                "cannot divide by zero".to_owned()
            }
            Arithmetic::Divide => format!("cannot divide a {left} by a {right}"),
            Arithmetic::Power if a.as_number().is_some() && b.as_number().is_some() => {
                return Err(Error::failed("the power is no number or too large"));
            }
            Arithmetic::Power => format!("cannot raise a {left} to a {right}"),
        };
        self.warn(text);
        Ok(Value::Null)
    }

    #[inline(never)]
    pub(super) fn negated(&mut self, operand: &Expr, scope: &Scope<'_>) -> Result<Value, Error> {
        match self.value(operand, scope)? {
            Value::Number(number) => Ok(Value::Number(number.negated())),
            other => {
                self.warn(format_args!("cannot negate a {}", other.type_name()));
                Ok(Value::Null)
            }
        }
    }

    #[inline(never)]
    pub(super) fn compared(
        &mut self,
        (left, comparison, right): &(Expr, Comparison, Expr),
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let is_null = |expression: &Expr| matches!(expression, Expr::Literal(Value::Null));
        let about_absence = is_null(left) || is_null(right);
        self.quiet += u32::from(about_absence);
        let operands = self.value(left, scope).and_then(|left| {
            let right = self.value(right, scope)?;
            Ok((left, right))
        });
        self.quiet -= u32::from(about_absence);
        let (left, right) = operands?;
        self.holds(&left, *comparison, &right)
    }

    /// Whether a comparison holds; null if the two have no order or equality.
    fn holds(&mut self, a: &Value, comparison: Comparison, b: &Value) -> Result<Value, Error> {
        self.budget.steps(weight(a).min(weight(b)))?;
        let holds = match comparison {
            Comparison::Equal => equal(a, b),
            Comparison::NotEqual => equal(a, b).map(|equal| !equal),
            Comparison::Less => order(a, b).map(std::cmp::Ordering::is_lt),
            Comparison::LessOrEqual => order(a, b).map(std::cmp::Ordering::is_le),
            Comparison::Greater => order(a, b).map(std::cmp::Ordering::is_gt),
            Comparison::GreaterOrEqual => order(a, b).map(std::cmp::Ordering::is_ge),
        };
        let Some(holds) = holds else {
            let ordering = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            if ordering && a.as_list().is_some() && b.as_list().is_some() {
                return Err(Error::failed("lists have no order"));
            }
            self.warn(format_args!("cannot compare a {} with a {}", a.type_name(), b.type_name()));
            return Ok(Value::Null);
        };
        Ok(Value::Boolean(holds))
    }

    #[inline(never)]
    pub(super) fn between(
        &mut self,
        [value, low, high]: &[Expr; 3],
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let value = self.value(value, scope)?;
        let low = self.value(low, scope)?;
        let above = self.holds(&value, Comparison::GreaterOrEqual, &low)?;
        if above.as_bool() == Some(false) {
            return Ok(above);
        }
        let high = self.value(high, scope)?;
        let below = self.holds(&value, Comparison::LessOrEqual, &high)?;
        Ok(match (above, below) {
            (_, Value::Boolean(false)) => Value::Boolean(false),
            (Value::Boolean(true), below) => below,
            _ => Value::Null,
        })
    }

    #[inline(never)]
    pub(super) fn instance_of(
        &mut self,
        (operand, name): &(Expr, Arc<str>),
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let value = self.value(operand, scope)?;
        Ok(Value::Boolean(match &**name {
            "Any" => !value.is_null(),
            name => name == value.type_name(),
        }))
    }

    /// Three-valued: the first false decides, else anything but true makes it null.
    #[inline(never)]
    pub(super) fn all(&mut self, operands: &[Expr], scope: &Scope<'_>) -> Result<Value, Error> {
        self.decided(operands, false, scope)
    }

    /// Three-valued: the first true decides, else anything but false makes it null.
    #[inline(never)]
    pub(super) fn any(&mut self, operands: &[Expr], scope: &Scope<'_>) -> Result<Value, Error> {
        self.decided(operands, true, scope)
    }

    fn decided(
        &mut self,
        operands: &[Expr],
        deciding: bool,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let mut result = Value::Boolean(!deciding);
        for operand in operands {
            match self.value(operand, scope)? {
                Value::Boolean(boolean) if boolean == deciding => {
                    return Ok(Value::Boolean(deciding));
                }
                Value::Boolean(_) => {}
                _ => result = Value::Null,
            }
        }
        Ok(result)
    }

    /// The first arm whose condition is true; anything else but true is as good as false.
    #[inline(never)]
    pub(super) fn chosen(
        &mut self,
        (arms, otherwise): &(Vec<(Expr, Expr)>, Expr),
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        for (condition, then) in arms {
            match self.value(condition, scope)? {
                Value::Boolean(true) => return self.value(then, scope),
                Value::Boolean(false) => {}
                other => {
                    let type_name = other.type_name();
                    self.warn(format_args!(
                        "the condition of 'if' is a {type_name}, not a boolean; 'else' is taken"
                    ));
                }
            }
        }
        self.value(otherwise, scope)
    }

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
