//! Arithmetic, three-valued logic and `if`.

use super::Run;
use super::scope::Scope;
use crate::feel::ast::{Arithmetic, Expr};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::Number;
use crate::feel::operate::calculate;
use crate::feel::value::Value;

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
            self.budget.steps(cost::KEY)?;
            self.budget.bytes(a.len() + b.len())?;
            return Ok(Value::from([&**a, &**b].concat()));
        }
        self.budget.steps(cost::calculation(a, operator, b))?;
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
            Value::Number(number) => {
                self.budget.steps(if number.is_machine() { 0 } else { cost::SUM })?;
                Ok(Value::Number(number.negated()))
            }
            other => {
                self.warn(format_args!("cannot negate a {}", other.type_name()));
                Ok(Value::Null)
            }
        }
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
}
