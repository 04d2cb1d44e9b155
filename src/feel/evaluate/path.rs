//! Steps into values. Contexts are walked by reference; only the end is cloned.

use std::fmt;
use std::sync::Arc;

use super::scope::{Found, Scope};
use super::warn::Keys;
use super::{Run, checked};
use crate::feel::ast::{Expr, Path, Step};
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::temporal;
use crate::feel::value::Value;

impl Run {
    #[inline(never)]
    pub(super) fn path(&mut self, path: &Path, scope: &Scope<'_>) -> Result<Value, Error> {
        let Expr::Name(name) = &path.base else {
            let base = self.value(&path.base, scope)?;
            return self.steps(&base, path, 0, scope);
        };
        match self.found(name, scope)? {
            Some(Found::Value(base)) => self.steps(base, path, 0, scope),
            Some(Found::Items(items)) => self.partial_path(items, path, scope),
            None => {
                self.warn_no_variable(name);
                Ok(Value::Null)
            }
        }
    }

    /// A path from the results of the running `for`, which are no list yet.
    fn partial_path(
        &mut self,
        items: &[Value],
        path: &Path,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        if let Some(Step::Filter(filter, kind)) = path.steps.first() {
            let first = self.filtered(items, filter, *kind, scope)?;
            return self.steps(&first, path, 1, scope);
        }
        self.budget.items(items.len())?;
        self.steps(&Value::list(items), path, 0, scope)
    }

    /// Takes the steps from this one on.
    fn steps(
        &mut self,
        base: &Value,
        path: &Path,
        first: usize,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let mut current = base;
        let mut next = first;
        while let Some(Step::Key(key)) = path.steps.get(next) {
            self.budget.steps(1)?;
            if let Value::Context(context) = current {
                self.budget.steps(cost::lookup(context, key))?;
            }
            match current {
                Value::Context(context) if let Some(value) = context.get(key) => current = value,
                _ => break,
            }
            next += 1;
        }
        if next == path.steps.len() {
            return Ok(current.clone());
        }
        let mut owned = self.step(current, path, next, scope)?;
        for at in next + 1..path.steps.len() {
            owned = self.step(&owned, path, at, scope)?;
        }
        checked(owned)
    }

    fn step(
        &mut self,
        value: &Value,
        path: &Path,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        self.budget.steps(1)?;
        match &path.steps[at] {
            Step::Key(key) => self.key(value, key, Place(path, at)),
            Step::Filter(filter, kind) => match value {
                Value::List(list) => self.filtered(list, filter, *kind, scope),
                Value::Null => {
                    self.warn_absent(format_args!("{} is null, not a list", Place(path, at)));
                    Ok(Value::Null)
                }
                other => {
                    let (place, type_name) = (Place(path, at), other.type_name());
                    self.warn(format_args!("{place} is no list but a {type_name}"));
                    Ok(Value::Null)
                }
            },
        }
    }

    /// The value of a key: of every item, if this is a list.
    fn key(&mut self, value: &Value, key: &Arc<str>, place: Place<'_>) -> Result<Value, Error> {
        match value {
            Value::Context(context) => {
                self.budget.steps(cost::lookup(context, key))?;
                Ok(context.get(key).cloned().unwrap_or_else(|| {
                    self.warn_absent(format_args!("no key '{key}' in {place}; {}", Keys(context)));
                    Value::Null
                }))
            }
            Value::List(list) => {
                self.budget.steps(list.len())?;
                self.budget.items(list.len())?;
                self.room(1)?;
                self.depth += 1;
                let mut items = Vec::with_capacity(list.len());
                for item in list.iter() {
                    items.push(self.key(item, key, place)?);
                }
                self.depth -= 1;
                Ok(Value::list(items))
            }
            Value::Null => {
                self.warn_absent(format_args!("no key '{key}' in {place}, which is null"));
                Ok(Value::Null)
            }
            other => Ok(temporal::property(other, key).unwrap_or_else(|| {
                let type_name = other.type_name();
                self.warn_absent(format_args!("no key '{key}' in {place}, which is a {type_name}"));
                Value::Null
            })),
        }
    }
}

/// What stands before a step, as written.
#[derive(Clone, Copy)]
struct Place<'a>(&'a Path, usize);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.base {
            Expr::Name(name) => f.write_str(name)?,
            Expr::Call(call) => write!(f, "{}(..)", call.name)?,
            _ => f.write_str("(..)")?,
        }
        for step in &self.0.steps[..self.1] {
            match step {
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Filter(Expr::Literal(Value::Number(index)), _) => write!(f, "[{index}]")?,
                Step::Filter(..) => f.write_str("[..]")?,
            }
        }
        Ok(())
    }
}
