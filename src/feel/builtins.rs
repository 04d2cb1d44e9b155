//! The built-in functions.
//!
//! A function is a row of a table: a name, the parameters, and what it does. Overloads
//! are rows of one name; a call picks the row by the number of its arguments, or by their
//! names. Arguments of a wrong type answer null with a warning, as all mistakes do; an
//! error ends the evaluation and is kept for the few functions that fail in Camunda's
//! engine too, and for the limits.
#![expect(clippy::unnecessary_wraps, reason = "all rows of the table have one signature")]

mod boolean;
mod context;
mod conversion;
mod list;
mod numeric;
mod range;
mod string;
mod temporal;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::budget::Budget;
use super::error::Error;
use super::evaluate::Run;
use super::value::Value;

/// All built-in functions, by family.
pub(crate) const ALL: &[&[Builtin]] = &[
    boolean::BUILTINS,
    context::BUILTINS,
    conversion::BUILTINS,
    list::BUILTINS,
    numeric::BUILTINS,
    range::BUILTINS,
    string::BUILTINS,
    temporal::BUILTINS,
];

/// The built-in functions of a name.
pub(crate) fn named(name: &str) -> &'static [&'static Builtin] {
    table().get(name).map_or(&[], Vec::as_slice)
}

/// The names of all built-in functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}

fn table() -> &'static HashMap<&'static str, Vec<&'static Builtin>> {
    static TABLE: OnceLock<HashMap<&'static str, Vec<&'static Builtin>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: HashMap<_, Vec<_>> = HashMap::new();
        for builtin in ALL.iter().copied().flatten() {
            table.entry(builtin.name).or_default().push(builtin);
        }
        table
    })
}

/// One overload of a built-in function.
pub(crate) struct Builtin {
    /// The name as expressions write it, words parted by single blanks.
    pub(crate) name: &'static str,
    /// The names of the parameters.
    pub(crate) parameters: &'static [&'static str],
    /// How many arguments it takes.
    pub(crate) arity: Arity,
    /// What it does, with as many arguments as the arity says.
    pub(crate) call: fn(&mut Call<'_>, &[Value]) -> Result<Value, Error>,
}

/// How many arguments an overload takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// One for each parameter.
    Exactly,
    /// One for each parameter, all of them named.
    Named,
    /// Any number; chosen only if no other overload fits.
    Variadic,
}

impl Builtin {
    /// An overload with one argument for each parameter.
    pub(crate) const fn new(
        name: &'static str,
        parameters: &'static [&'static str],
        call: fn(&mut Call<'_>, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self { name, parameters, arity: Arity::Exactly, call }
    }

    /// An overload for calls that name their arguments.
    pub(crate) const fn named(
        name: &'static str,
        parameters: &'static [&'static str],
        call: fn(&mut Call<'_>, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self { name, parameters, arity: Arity::Named, call }
    }

    /// An overload that takes any number of arguments; the parameters name those that a
    /// call may name.
    pub(crate) const fn variadic(
        name: &'static str,
        parameters: &'static [&'static str],
        call: fn(&mut Call<'_>, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self { name, parameters, arity: Arity::Variadic, call }
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.arity == Arity::Variadic { "..." } else { "" };
        write!(f, "{}({}{more})", self.name, self.parameters.join(", "))
    }
}

/// What a built-in function may use while it runs.
pub(crate) struct Call<'a> {
    run: &'a mut Run,
    name: &'static str,
}

impl<'a> Call<'a> {
    pub(super) fn new(run: &'a mut Run, name: &'static str) -> Self {
        Self { run, name }
    }

    /// Records a mistake that answers null; the function's name is put before the text.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        self.run.warn(format!("{}(): {}", self.name, text.as_ref()));
    }

    /// Null, with a warning.
    pub(crate) fn null(&mut self, text: impl AsRef<str>) -> Result<Value, Error> {
        self.warn(text);
        Ok(Value::Null)
    }

    /// Null, with the warning that these arguments are not of the types expected.
    pub(crate) fn mismatch(&mut self, arguments: &[Value]) -> Result<Value, Error> {
        let types: Vec<_> = arguments.iter().map(Value::type_name).collect();
        self.null(format!("cannot take ({})", types.join(", ")))
    }

    /// The time of the evaluation.
    pub(crate) fn now(&self) -> Timestamp {
        self.run.now()
    }

    /// Pays for steps, list items and bytes of text; to be asked before the work.
    pub(crate) fn budget(&mut self) -> &mut Budget {
        self.run.budget()
    }

    /// Calls a function value, such as the order given to `sort`.
    pub(crate) fn invoke(&mut self, function: &Value, arguments: &[Value]) -> Result<Value, Error> {
        self.run.invoke(function, arguments)
    }
}
