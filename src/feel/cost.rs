//! What operations cost in elementary steps, so that none is cheaper than it is slow.
//!
//! A step is about as much as reading a variable, some 20 ns. The costs are rough and rather
//! too high; an operation on machine integers is paid by the step of its expression.

use super::ast::Arithmetic;
use super::number::Number;
use super::value::{Context, Value};

/// A call of a function of the table: its arguments are collected, its result is checked.
pub(crate) const CALL: usize = 10;
/// The name of an argument, which is looked for among the parameters.
pub(super) const NAMED: usize = 8;
/// A call of a function of the expression, besides its body.
pub(crate) const ENTRY: usize = 3;
/// The sum of two decimals, or a decimal cut to some digits.
pub(crate) const SUM: usize = 12;
/// The quotient of two decimals.
const QUOTIENT: usize = 30;
/// What goes through floating point numbers, and so through text and back.
pub(crate) const FLOATING: usize = 60;
/// Digits that a decimal holds: those of a product beyond them are taken off one by one.
const DIGITS: usize = 76;
/// A key that is looked at, however short.
pub(crate) const KEY: usize = 3;
/// A moment put on the clock of a region.
const ZONED: usize = 20;

/// What an operator costs for these operands.
pub(super) fn calculation(a: &Value, operator: Arithmetic, b: &Value) -> usize {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => arithmetic(a, operator, b),
        (Value::Number(_), _) | (_, Value::Number(_)) => QUOTIENT,
        (Value::DateTime(_), _) | (_, Value::DateTime(_)) => ZONED,
        _ => 4,
    }
}

/// What an operator costs for two numbers.
pub(crate) fn arithmetic(a: &Number, operator: Arithmetic, b: &Number) -> usize {
    match operator {
        Arithmetic::Power => match b.to_i64() {
            Some(exponent) => power(a, exponent),
            None => FLOATING,
        },
        Arithmetic::Multiply if !a.machine_product(b) => product(a.digits(), b.digits()),
        Arithmetic::Divide if !a.machine_quotient(b) => QUOTIENT,
        Arithmetic::Add | Arithmetic::Subtract if !(a.is_machine() && b.is_machine()) => SUM,
        _ => 0,
    }
}

/// The product of numbers of so many digits.
fn product(a: usize, b: usize) -> usize {
    let beyond = (a + b).saturating_sub(DIGITS);
    SUM + (a + b) / 10 + beyond + beyond / 2
}

/// The multiplications of a power, by squaring: factors grow until they are full.
fn power(base: &Number, exponent: i64) -> usize {
    let mut cost = if exponent < 0 { SUM + QUOTIENT } else { SUM };
    let (mut power, mut base) = (1, base.digits());
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            cost += product(power, base);
            power = DIGITS.min(power + base);
        }
        left >>= 1;
        if left > 0 {
            cost += product(base, base);
            base = DIGITS.min(base * 2);
        }
    }
    cost
}

/// What it takes to read a text closely, character by character.
pub(crate) fn reading(text: &str) -> usize {
    text.len() / 2
}

/// What it takes to hash a key, or to compare it with a few.
pub(crate) fn key(key: &str) -> usize {
    KEY + key.len() / 32
}

/// What it takes to look for a name among so many.
pub(super) fn search(among: usize, name: &str) -> usize {
    among.saturating_mul(64 + name.len()) / 1024
}

/// What it takes to look for a key in a context.
pub(crate) fn lookup(context: &Context, key: &str) -> usize {
    search(context.searched(), key)
}
