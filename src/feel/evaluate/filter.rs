//! Filters: an index, or a condition asked for each item.

use super::scope::Scope;
use super::{Run, checked};
use crate::feel::ast::{Expr, FilterKind};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::number::{Number, Rounding};
use crate::feel::value::Value;

impl Run {
    #[inline(never)]
    pub(super) fn filtered(
        &mut self,
        items: &[Value],
        filter: &Expr,
        kind: FilterKind,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        if kind != FilterKind::Condition
            && let Value::Number(index) = self.outside(filter, scope)?
        {
            self.budget.steps(if index.is_machine() { 0 } else { cost::SUM })?;
            return Ok(at(items, &index));
        }
        let Some(first) = items.first() else { return Ok(Value::list([])) };
        let mut kept = Vec::new();
        match self.asked(first, filter, scope)? {
            Value::Number(index) => return Ok(at(items, &index)),
            Value::Boolean(true) => kept.push(first.clone()),
            _ => {}
        }
        for item in &items[1..] {
            if self.asked(item, filter, scope)?.as_bool() == Some(true) {
                self.budget.items(1)?;
                kept.push(item.clone());
            }
        }
        checked(Value::list(kept))
    }

    /// The filter evaluated once, outside of the list: what it lacks there is no mistake.
    fn outside(&mut self, filter: &Expr, scope: &Scope<'_>) -> Result<Value, Error> {
        let (kept, dropped) = (self.warnings.len(), self.dropped);
        let value = self.value(filter, scope)?;
        if value.as_number().is_none() {
            self.warnings.truncate(kept);
            self.dropped = dropped;
        }
        Ok(value)
    }

    /// The filter evaluated for an item: its keys are in scope, and `item` itself.
    fn asked(&mut self, item: &Value, filter: &Expr, scope: &Scope<'_>) -> Result<Value, Error> {
        let scope = scope.with_variable("item", item);
        match item {
            Value::Context(context) => self.value(filter, &scope.with_context(context)),
            _ => self.value(filter, &scope),
        }
    }
}

/// The item of an index: from 1, negative ones from the end; null where there is none.
fn at(items: &[Value], index: &Number) -> Value {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let whole = index.round(0, Rounding::Floor).and_then(|whole| whole.to_i64());
    let place = whole.and_then(|whole| {
        let start = if index > &Number::ZERO { -1 } else { length };
        usize::try_from(whole.checked_add(start)?).ok()
    });
    place.and_then(|place| items.get(place).cloned()).unwrap_or(Value::Null)
}
