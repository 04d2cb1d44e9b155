//! Comparisons, `between` and `instance of`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Run;
use super::scope::Scope;
use crate::feel::ast::{Comparison, Expr};
use crate::feel::compare::{equal, order, weight};
use crate::feel::error::Error;
use crate::feel::value::Value;

impl Run {
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
    pub(super) fn holds(
        &mut self,
        a: &Value,
        comparison: Comparison,
        b: &Value,
    ) -> Result<Value, Error> {
        self.budget.steps(weight(a).min(weight(b)))?;
        self.room(a.depth().min(b.depth()) / 2)?;
        let holds = match comparison {
            Comparison::Equal => equal(a, b),
            Comparison::NotEqual => equal(a, b).map(|equal| !equal),
            Comparison::Less => order(a, b).map(Ordering::is_lt),
            Comparison::LessOrEqual => order(a, b).map(Ordering::is_le),
            Comparison::Greater => order(a, b).map(Ordering::is_gt),
            Comparison::GreaterOrEqual => order(a, b).map(Ordering::is_ge),
        };
        let Some(holds) = holds else {
            let ordering = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            if ordering && self.fails(a, b)? {
                return Err(Error::failed("lists have no order"));
            }
            self.warn(format_args!("cannot compare a {} with a {}", a.type_name(), b.type_name()));
            return Ok(Value::Null);
        };
        Ok(Value::Boolean(holds))
    }

    /// Whether asking for the order ends the evaluation, as it does in Camunda's engine for
    /// two lists whose items have an order.
    #[cold]
    fn fails(&mut self, a: &Value, b: &Value) -> Result<bool, Error> {
        let (Value::List(_), Value::List(_)) = (a, b) else { return Ok(false) };
        self.budget.steps(weight(a).saturating_add(weight(b)))?;
        self.room(a.depth().max(b.depth()) / 2)?;
        Ok(has_order(a) && has_order(b))
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
}

/// Whether values like this are put in order: a list by its first item, which the others
/// must be like.
fn has_order(value: &Value) -> bool {
    let Value::List(items) = value else { return order(value, value).is_some() };
    let Some(first) = items.first() else { return false };
    let lists = |item: &Value| first.as_list().is_some() && item.as_list().is_some();
    has_order(first) && items.iter().all(|item| lists(item) || order(first, item).is_some())
}
