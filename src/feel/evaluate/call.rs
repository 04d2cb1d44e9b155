//! Calls: functions of the expression first, then the host's, then the built-in ones.
//!
//! A call finds its function by name and number of arguments; named arguments find the
//! one that has all their names, and what is not named is null.

use std::sync::Arc;

use super::scope::{Found, Scope};
use super::{Run, checked};
use crate::feel::ast::Invocation;
use crate::feel::builtins::{Arity, Builtin, Call};
use crate::feel::cost;
use crate::feel::environment::HostFunction;
use crate::feel::error::Error;
use crate::feel::function::Function;
use crate::feel::value::Value;

/// Functions whose first argument may be absent without a warning.
const ASKING: [&str; 2] = ["is defined", "get or else"];

/// What a call has found.
enum Callee {
    Own(Arc<Function>),
    Host(&'static HostFunction),
    Builtin(&'static Builtin),
}

impl Run {
    #[inline(never)]
    pub(super) fn call(&mut self, call: &Invocation, scope: &Scope<'_>) -> Result<Value, Error> {
        self.budget.steps(call.names.len().saturating_mul(cost::NAMED))?;
        if call.holder.is_some() {
            return self.held_call(call, scope);
        }
        let Some(callee) = self.callee(call, scope)? else {
            self.warn_no_function(call);
            return Ok(Value::Null);
        };
        let arguments = self.arguments(call, &callee, scope)?;
        self.apply(&callee, &arguments)
    }

    /// `a.b.f()`: anything but a function in a context fails, as in Camunda's engine.
    #[inline(never)]
    fn held_call(&mut self, call: &Invocation, scope: &Scope<'_>) -> Result<Value, Error> {
        let holder = match &call.holder {
            Some(holder) => self.value(holder, scope)?,
            None => Value::Null,
        };
        let found = holder.as_context().and_then(|context| context.get(&call.name));
        match found {
            Some(Value::Function(function))
                if self.compares(call, function.parameters().len())?
                    && fits(call, function.parameters()) =>
            {
                let callee = Callee::Own(Arc::clone(function));
                let arguments = self.arguments(call, &callee, scope)?;
                self.apply(&callee, &arguments)
            }
            _ => Err(Error::failed(format!(
                "no function '{}' in a {}; a function behind a point must be an entry of a context",
                call.name,
                holder.type_name()
            ))),
        }
    }

    /// Pays for looking for the names of a call among so many parameters; always true.
    fn compares(&mut self, call: &Invocation, parameters: usize) -> Result<bool, Error> {
        self.budget.steps(call.names.len().saturating_mul(parameters) / 2)?;
        Ok(true)
    }

    fn callee(&mut self, call: &Invocation, scope: &Scope<'_>) -> Result<Option<Callee>, Error> {
        if let Some(Found::Value(Value::Function(function))) = self.found(&call.name, scope)?
            && self.compares(call, function.parameters().len())?
            && fits(call, function.parameters())
        {
            return Ok(Some(Callee::Own(Arc::clone(function))));
        }
        let mut host = self.environment.functions.iter();
        if let Some(host) =
            host.find(|host| host.name == &*call.name && fits(call, host.parameters))
        {
            return Ok(Some(Callee::Host(host)));
        }
        let exact = |builtin: &&&'static Builtin| {
            let form = match builtin.arity {
                Arity::Exactly => true,
                Arity::Named => !call.names.is_empty(),
                Arity::Variadic => false,
            };
            form && fits(call, builtin.parameters)
        };
        let variadic = |builtin: &&&'static Builtin| {
            builtin.arity == Arity::Variadic
                && (call.names.is_empty() || names_fit(&call.names, builtin.parameters))
        };
        let builtins = call.builtins.iter();
        let found = builtins.clone().find(exact).or_else(|| builtins.clone().find(variadic));
        Ok(found.map(|builtin| Callee::Builtin(builtin)))
    }

    fn arguments(
        &mut self,
        call: &Invocation,
        callee: &Callee,
        scope: &Scope<'_>,
    ) -> Result<Vec<Value>, Error> {
        let asking = ASKING.contains(&&*call.name);
        let mut values = Vec::with_capacity(call.arguments.len());
        for (at, argument) in call.arguments.iter().enumerate() {
            let quiet = u32::from(asking && at == 0);
            self.quiet += quiet;
            let value = self.value(argument, scope);
            self.quiet -= quiet;
            values.push(value?);
        }
        if call.names.is_empty() {
            return Ok(values);
        }
        let value_of = |parameter: &str| {
            let at = call.names.iter().position(|name| &**name == parameter);
            at.map_or(Value::Null, |at| values[at].clone())
        };
        Ok(match callee {
            Callee::Own(function) => {
                function.parameters().iter().map(|name| value_of(name)).collect()
            }
            Callee::Host(host) => host.parameters.iter().map(|name| value_of(name)).collect(),
            Callee::Builtin(builtin) => {
                let given = builtin.parameters.iter().map(|name| value_of(name));
                // What takes any number of arguments takes a list by its name, and nothing else.
                let list_only = builtin.arity == Arity::Variadic;
                given.filter(|value| !list_only || value.as_list().is_some()).collect()
            }
        })
    }

    fn apply(&mut self, callee: &Callee, arguments: &[Value]) -> Result<Value, Error> {
        let result = match callee {
            Callee::Own(function) => self.enter(function, arguments),
            Callee::Host(host) => {
                self.budget.steps(cost::CALL)?;
                (host.call)(arguments)
            }
            Callee::Builtin(builtin) => {
                self.budget.steps(cost::CALL)?;
                (builtin.call)(&mut Call::new(self, builtin.name), arguments)
            }
        };
        result.and_then(checked)
    }

    /// Evaluates the body of a function where it was written.
    #[inline(never)]
    fn enter(&mut self, function: &Function, arguments: &[Value]) -> Result<Value, Error> {
        self.budget.steps(cost::ENTRY + arguments.len())?;
        let root = self.root.clone();
        let input = Scope::input(&root);
        let captured = input.with_variables(&function.captured);
        let names = function.parameters().iter().map(Arc::clone);
        let variables: Vec<_> = names.zip(arguments.iter().cloned()).collect();
        self.value(&function.definition.body, &captured.with_variables(&variables))
    }

    /// Calls a function value for a built-in function.
    pub(in crate::feel) fn invoke(
        &mut self,
        function: &Value,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        self.budget.steps(1)?;
        match function {
            Value::Function(function) if function.parameters().len() == arguments.len() => {
                self.enter(function, arguments)
            }
            Value::Function(function) => {
                let parameters = function.parameters().len();
                let given = arguments.len();
                self.warn(format_args!("a function of {parameters} parameters is given {given}"));
                Ok(Value::Null)
            }
            other => {
                self.warn(format_args!("a {} is no function", other.type_name()));
                Ok(Value::Null)
            }
        }
    }
}

/// Whether a call's arguments fit these parameters, by number or by name.
fn fits<P: AsRef<str>>(call: &Invocation, parameters: &[P]) -> bool {
    if call.names.is_empty() {
        call.arguments.len() == parameters.len()
    } else {
        names_fit(&call.names, parameters)
    }
}

fn names_fit<P: AsRef<str>>(names: &[Arc<str>], parameters: &[P]) -> bool {
    names.iter().all(|name| parameters.iter().any(|parameter| parameter.as_ref() == &**name))
}
