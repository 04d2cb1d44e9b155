//! Evaluation of the parsed form.
//!
//! A [`Run`] carries what is left of the budget and the warnings; a [`Scope`] is a list
//! on the stack. Functions here are kept small and apart on purpose: the frames of one
//! level of nesting decide how deep an expression may go on a small stack.

mod call;
mod chain;
mod comparison;
mod filter;
mod iterate;
mod path;
mod scope;
mod unary;
mod unknown;
mod warn;

use std::sync::Arc;

use jiff::Timestamp;

use super::ast::{Expr, FunctionDefinition, RangeEnds, Step};
use super::budget::{Budget, DEPTH, checked, writable};
use super::compare::{self, order};
use super::cost;
use super::environment::Environment;
use super::error::{Error, Warning};
use super::function::Function;
use super::range::{Range, holds_range};
use super::value::{Context, Value};
use scope::{Found, Scope};

/// A running evaluation.
pub(crate) struct Run {
    environment: Environment,
    /// The input, which all names fall back to.
    root: Value,
    budget: Budget,
    warnings: Vec<Warning>,
    /// Unknown functions that were warned of, by name and number of arguments.
    unknown: Vec<(Arc<str>, usize)>,
    /// Warnings beyond those kept.
    dropped: usize,
    depth: u32,
    /// Whether a range was made, which must not be part of the result.
    ranges: bool,
    /// Above zero while absence is what the expression asks about.
    quiet: u32,
}

impl Run {
    pub(super) fn new(root: Value, environment: Environment) -> Self {
        Self {
            environment,
            root,
            budget: Budget::new(),
            warnings: Vec::new(),
            unknown: Vec::new(),
            dropped: 0,
            depth: 0,
            ranges: false,
            quiet: 0,
        }
    }

    /// Evaluates a whole expression against the input.
    pub(super) fn whole(&mut self, expression: &Expr) -> Result<Value, Error> {
        let root = self.root.clone();
        let value = self.value(expression, &Scope::input(&root))?;
        if self.ranges {
            self.budget.steps(compare::weight(&value))?;
            if holds_range(&value) {
                return Err(Error::failed("a range cannot be a result; give its ends instead"));
            }
        }
        writable(value)
    }

    /// The time of the evaluation.
    pub(super) fn now(&self) -> Timestamp {
        self.environment.now
    }

    /// What is left to use.
    pub(super) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// The value of an expression.
    fn value(&mut self, expression: &Expr, scope: &Scope<'_>) -> Result<Value, Error> {
        self.budget.steps(1)?;
        if let Expr::Literal(value) = expression {
            return Ok(value.clone());
        }
        let weight = weight(expression);
        self.room(weight)?;
        self.depth += weight;
        let result = self.compound(expression, scope);
        self.depth -= weight;
        result
    }

    /// Whether the stack takes that much more.
    fn room(&self, weight: u32) -> Result<(), Error> {
        if self.depth + weight > DEPTH {
            return Err(Error::Limit("the expression nests or calls itself too deeply"));
        }
        Ok(())
    }

    fn compound(&mut self, expression: &Expr, scope: &Scope<'_>) -> Result<Value, Error> {
        match expression {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::NoTemporal(text) => Ok(self.no_temporal(text)),
            Expr::Input => self.input(scope),
            Expr::Name(name) => self.name(name, scope),
            Expr::Path(path) => self.path(path, scope),
            Expr::Negated(operand) => self.negated(operand, scope),
            Expr::Arithmetic(chain) => self.arithmetic(chain, scope),
            Expr::Compared(compared) => self.compared(compared, scope),
            Expr::Between(operands) => self.between(operands, scope),
            Expr::InstanceOf(instance) => self.instance_of(instance, scope),
            Expr::In(tested) => self.tested(tested, scope),
            Expr::Test(test) => self.implicit_test(test, scope),
            Expr::And(operands) => self.all(operands, scope),
            Expr::Or(operands) => self.any(operands, scope),
            Expr::If(choice) => self.chosen(choice, scope),
            Expr::For(iteration) => self.iterated(iteration, scope),
            Expr::Quantified(quantifier, iteration) => {
                self.quantified(*quantifier, iteration, scope)
            }
            Expr::List(items) => self.list(items, scope),
            Expr::Context(entries) => self.context(entries, scope),
            Expr::Call(call) => self.call(call, scope),
            Expr::Function(definition) => self.function(definition, scope),
            Expr::Range(ends) => self.range(ends, scope),
        }
    }

    #[inline(never)]
    fn no_temporal(&mut self, text: &str) -> Value {
        self.warn(format_args!("'{text}' is no date, time or duration"));
        Value::Null
    }

    #[inline(never)]
    fn name(&mut self, name: &Arc<str>, scope: &Scope<'_>) -> Result<Value, Error> {
        match self.found(name, scope)? {
            Some(Found::Value(value)) => Ok(value.clone()),
            Some(Found::Items(items)) => {
                self.budget.items(items.len())?;
                checked(Value::list(items))
            }
            None => {
                self.warn_no_variable(name);
                Ok(Value::Null)
            }
        }
    }

    /// What a name stands for: in the scopes from the inside out, then in the input.
    fn found<'s>(&mut self, name: &str, scope: &'s Scope<'s>) -> Result<Option<Found<'s>>, Error> {
        let mut looked = 0;
        let found = scope.find(name, &mut looked);
        self.budget.steps(cost::search(looked, name))?;
        Ok(found)
    }

    #[inline(never)]
    fn list(&mut self, items: &[Expr], scope: &Scope<'_>) -> Result<Value, Error> {
        self.budget.items(items.len())?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.value(item, scope)?);
        }
        checked(Value::list(values))
    }

    /// Entries see those before them.
    #[inline(never)]
    fn context(&mut self, entries: &[(Arc<str>, Expr)], scope: &Scope<'_>) -> Result<Value, Error> {
        self.budget.items(entries.len())?;
        let mut values: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
        for (key, expression) in entries {
            // The first key is compared with no other.
            self.budget.steps(if values.is_empty() { cost::KEY } else { cost::key(key) })?;
            let value = self.value(expression, &scope.with_variables(&values))?;
            values.push((Arc::clone(key), value));
        }
        checked(Value::Context(Arc::new(Context::from_iter(values))))
    }

    /// A function takes along what its body may need from here, the input aside: that is
    /// always at hand.
    #[inline(never)]
    fn function(
        &mut self,
        definition: &Arc<FunctionDefinition>,
        scope: &Scope<'_>,
    ) -> Result<Value, Error> {
        let mut captured = Vec::new();
        for name in &definition.free {
            let mut looked = 0;
            let found = scope.find_local(name, &mut looked);
            self.budget.steps(2 + cost::search(looked, name))?;
            let value = match found {
                Some(Found::Value(value)) => value.clone(),
                Some(Found::Items(items)) => {
                    self.budget.items(items.len())?;
                    Value::list(items)
                }
                None => continue,
            };
            captured.push((Arc::clone(name), value));
        }
        let function = Function::new(Arc::clone(definition), captured);
        checked(Value::Function(Arc::new(function)))
    }

    #[inline(never)]
    fn range(&mut self, ends: &RangeEnds, scope: &Scope<'_>) -> Result<Value, Error> {
        let start = self.value(&ends.start, scope)?;
        let end = self.value(&ends.end, scope)?;
        if order(&start, &end).is_none() || start.as_str().is_some() {
            self.warn(format_args!(
                "no range has the ends {} and {}",
                start.type_name(),
                end.type_name()
            ));
            return Ok(Value::Null);
        }
        let (start_included, end_included) = (ends.start_included, ends.end_included);
        self.ranges = true;
        Ok(Value::Range(Arc::new(Range { start, start_included, end, end_included })))
    }

    /// What the evaluation noticed.
    pub(super) fn into_warnings(mut self) -> Vec<Warning> {
        if self.dropped > 0 {
            self.warnings.push(Warning::new(format!("{} more warnings", self.dropped)));
        }
        self.warnings
    }
}

/// How much of the stack an expression takes, next to the others.
fn weight(expression: &Expr) -> u32 {
    match expression {
        Expr::Path(path) if path.steps.iter().any(|step| matches!(step, Step::Filter(..))) => 4,
        Expr::For(_) | Expr::Quantified(..) | Expr::In(_) | Expr::Test(_) => 4,
        Expr::Call(_) | Expr::Between(_) | Expr::Arithmetic(_) | Expr::Range(_) => 2,
        _ => 1,
    }
}
