//! Chains of operators, by rank, and the tests after `in`.

use super::operator::{Closed, Operator, Rank};
use super::{Parsed, Parser};
use crate::feel::ast::{Comparison, Expr, RangeEnds, Test};
use crate::feel::value::Value;

/// Type names of several words.
const LONG_TYPES: [&str; 3] =
    ["years and months duration", "days and time duration", "date and time"];

impl Parser<'_> {
    /// Operands joined by operators of this rank or tighter ones.
    ///
    /// Operators wait on a stack of their own until a looser one comes, so that a chain
    /// takes one frame whatever its ranks. Comparisons do not chain.
    pub(super) fn ranked(&mut self, floor: Rank) -> Parsed<Expr> {
        self.enter()?;
        let mut waiting = Vec::new();
        let enclosed = self.cursor.looks_at("(");
        let mut operand = self.operand(floor)?;
        let mut closed = closed_by(&operand, enclosed);
        while let Some((operator, length)) = self.operator() {
            let rank = operator.rank();
            if rank < floor || !closed.allows(rank) {
                break;
            }
            operand = reduced(&mut waiting, operand, rank);
            self.cursor.advance(length);
            closed = operator.closes(closed);
            if operator.is_postfix() {
                operand = self.tested_operand(operand, operator)?;
            } else {
                waiting.push((operand, operator));
                operand = self.operand(rank.tighter())?;
            }
        }
        self.leave();
        Ok(reduced(&mut waiting, operand, floor))
    }

    #[inline(never)]
    fn tested_operand(&mut self, operand: Expr, operator: Operator) -> Parsed<Expr> {
        match operator {
            Operator::Between => self.between(operand),
            Operator::InstanceOf => self.instance_of(operand),
            _ => Ok(Expr::In(Box::new((operand, self.tests()?)))),
        }
    }

    /// One operand: a value, a negated value, or a test standing alone.
    fn operand(&mut self, rank: Rank) -> Parsed<Expr> {
        if self.cursor.eat("-") {
            return self.negated();
        }
        if rank <= Rank::Comparison && self.test_sign().is_some() {
            return self.lone_test();
        }
        self.value(rank)
    }

    #[inline(never)]
    fn lone_test(&mut self) -> Parsed<Expr> {
        Ok(Expr::Test(Box::new(self.test_of(Rank::Comparison)?)))
    }

    #[inline(never)]
    fn negated(&mut self) -> Parsed<Expr> {
        self.cursor.skip();
        let rest = self.cursor.rest();
        let digit = |next: char| next.is_ascii_digit() || next == '.';
        if rest.starts_with('-') && rest[1..].starts_with(digit) {
            self.cursor.advance(1);
            return self.value(Rank::Operand);
        }
        self.value(Rank::Operand).map(negated)
    }

    fn between(&mut self, value: Expr) -> Parsed<Expr> {
        let low = self.ranked(Rank::Sum)?;
        self.expect_word("and", "'and' and the upper end after 'between'")?;
        let high = self.ranked(Rank::Sum)?;
        Ok(Expr::Between(Box::new([value, low, high])))
    }

    fn instance_of(&mut self, value: Expr) -> Parsed<Expr> {
        self.expect_word("of", "'of' after 'instance'")?;
        if let Some(name) = LONG_TYPES.iter().find(|name| self.cursor.eat_word(name)) {
            return Ok(Expr::InstanceOf(Box::new((value, (*name).into()))));
        }
        let name = if self.cursor.eat_word("function") {
            "function".into()
        } else {
            self.name("the name of a type")?
        };
        Ok(Expr::InstanceOf(Box::new((value, name))))
    }

    /// The tests after `in`: one, or several in parentheses. They count as a level of
    /// their own.
    #[inline(never)]
    fn tests(&mut self) -> Parsed<Vec<Test>> {
        self.enter()?;
        let mut tests = Vec::new();
        if self.cursor.eat("(") {
            self.more_tests(&mut tests)?;
        } else {
            let rank = if self.at_keyword() { Rank::Or } else { Rank::Comparison };
            tests.push(self.test_of(rank)?);
        }
        self.leave();
        Ok(tests)
    }

    fn more_tests(&mut self, tests: &mut Vec<Test>) -> Parsed<()> {
        loop {
            tests.push(self.test_of(Rank::Or)?);
            if tests.len() == 1 && self.cursor.looks_at("..") {
                return self.range_test(tests);
            }
            if !self.cursor.eat(",") {
                return self.expect(")", "an operator, ',' or ')' after the test");
            }
        }
    }

    /// What began like `(a` is the range `(a..b)`.
    #[inline(never)]
    fn range_test(&mut self, tests: &mut Vec<Test>) -> Parsed<()> {
        let Some(Test::Expression(start) | Test::Condition(start)) = tests.pop() else {
            return self.unexpected("',' or ')' after the test");
        };
        tests.push(Test::Range(Box::new(self.range_after(start, false)?)));
        Ok(())
    }

    /// A test of this rank or tighter. Conditions about `?` reach over `and` and `or`; a
    /// value that is compared ends before them, so that `x in [1, 2] and y` is the
    /// conjunction it looks like.
    #[inline(never)]
    fn test_of(&mut self, rank: Rank) -> Parsed<Test> {
        if let Some((comparison, length)) = self.test_sign() {
            self.cursor.advance(length);
            return Ok(Test::Compare(comparison, self.ranked(Rank::Sum)?));
        }
        let inputs = self.inputs;
        let mut tested = self.ranked(rank)?;
        if self.inputs == inputs {
            return Ok(plain_test(tested));
        }
        while let Some((operator @ (Operator::And | Operator::Or), length)) = self.operator() {
            self.cursor.advance(length);
            tested = joined(tested, operator, self.ranked(operator.rank().tighter())?);
        }
        Ok(Test::Condition(tested))
    }

    /// The rest of a range whose start was read.
    pub(super) fn range_after(&mut self, start: Expr, start_included: bool) -> Parsed<RangeEnds> {
        self.expect("..", "'..' and the end of the range")?;
        let outer = self.range_end.replace(self.depth + 1);
        let end = self.ranked(Rank::Sum)?;
        self.range_end = outer;
        let end_included = match self.cursor.peek() {
            Some(']') => true,
            Some(')' | '[') => false,
            _ => return self.unexpected("']' or ')' after the range"),
        };
        self.cursor.advance(1);
        Ok(RangeEnds { start, start_included, end, end_included })
    }
}

/// What may not follow a first operand: nothing tighter than `and` follows a test, and
/// `if`, `for` and their like reach as far as they can.
fn closed_by(operand: &Expr, enclosed: bool) -> Closed {
    match operand {
        Expr::Test(_) => Closed::Operand,
        operand if is_open(operand) && !enclosed => Closed::All,
        _ => Closed::Nothing,
    }
}

/// Whether an expression has no end of its own.
pub(super) fn is_open(operand: &Expr) -> bool {
    matches!(operand, Expr::If(_) | Expr::For(_) | Expr::Quantified(..))
}

/// Joins what waits for the operand, as far as it binds no looser than this.
fn reduced(waiting: &mut Vec<(Expr, Operator)>, operand: Expr, rank: Rank) -> Expr {
    let mut operand = operand;
    while let Some((left, operator)) = waiting.pop_if(|(_, operator)| operator.rank() >= rank) {
        operand = joined(left, operator, operand);
    }
    operand
}

/// Two operands and their operator; a chain grows at its end.
fn joined(left: Expr, operator: Operator, right: Expr) -> Expr {
    match (operator, left) {
        (Operator::And, Expr::And(mut operands)) => {
            operands.push(right);
            Expr::And(operands)
        }
        (Operator::And, left) => Expr::And(vec![left, right]),
        (Operator::Or, Expr::Or(mut operands)) => {
            operands.push(right);
            Expr::Or(operands)
        }
        (Operator::Or, left) => Expr::Or(vec![left, right]),
        (Operator::Arithmetic(arithmetic), Expr::Arithmetic(mut chain)) => {
            chain.1.push((arithmetic, right));
            Expr::Arithmetic(chain)
        }
        (Operator::Arithmetic(arithmetic), left) => {
            Expr::Arithmetic(Box::new((left, vec![(arithmetic, right)])))
        }
        (Operator::Compare(comparison), left) => {
            Expr::Compared(Box::new((left, comparison, right)))
        }
        (Operator::Between | Operator::InstanceOf | Operator::In, left) => left,
    }
}

fn negated(operand: Expr) -> Expr {
    match operand {
        Expr::Literal(Value::Number(number)) => Expr::Literal(Value::Number(number.negated())),
        operand => Expr::Negated(Box::new(operand)),
    }
}

fn plain_test(tested: Expr) -> Test {
    match tested {
        Expr::Test(test) => *test,
        expression => Test::Expression(expression),
    }
}

/// Whether a filter of this form is asked for each item without a look outside.
pub(super) fn is_condition(filter: &Expr) -> bool {
    match filter {
        Expr::Call(_) | Expr::Test(_) | Expr::In(..) => true,
        Expr::Compared(compared) => compared.1 != Comparison::NotEqual,
        _ => false,
    }
}
