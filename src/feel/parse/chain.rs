//! Chains of operators, by rank, and the tests after `in`.

use super::operator::{Operator, Rank};
use super::{Parser, SyntaxError};
use crate::feel::ast::{Arithmetic, Comparison, Expr, RangeEnds, Test};
use crate::feel::value::Value;

/// Type names of several words.
const LONG_TYPES: [&str; 3] =
    ["years and months duration", "days and time duration", "date and time"];

impl Parser<'_> {
    /// A chain of operators of any rank.
    pub(super) fn chain(&mut self) -> Result<Expr, SyntaxError> {
        self.ranked(Rank::Or)
    }

    /// Operands joined by operators of this rank or tighter ones; comparisons do not chain.
    pub(super) fn ranked(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        let mut left = self.operand(rank)?;
        let mut ceiling = Rank::Power;
        while let Some((operator, length)) = self.operator() {
            let found = operator.rank();
            if found < rank || found > ceiling {
                break;
            }
            ceiling = if found == Rank::Comparison { Rank::And } else { found };
            self.cursor.advance(length);
            left = self.joined(left, operator)?;
        }
        Ok(left)
    }

    fn joined(&mut self, left: Expr, operator: Operator) -> Result<Expr, SyntaxError> {
        match operator {
            Operator::Between => self.between(left),
            Operator::InstanceOf => self.instance_of(left),
            Operator::In => Ok(Expr::In(Box::new(left), self.tests()?)),
            Operator::Compare(comparison) => {
                let right = self.ranked(Rank::Sum)?;
                Ok(Expr::Compared(Box::new((left, comparison, right))))
            }
            Operator::And => Ok(and(left, self.ranked(Rank::Comparison)?)),
            Operator::Or => Ok(or(left, self.ranked(Rank::And)?)),
            Operator::Arithmetic(arithmetic) => {
                let right = self.ranked(operator.rank().tighter())?;
                Ok(calculated(left, arithmetic, right))
            }
        }
    }

    /// One operand: a value, a negated value, or a test standing alone.
    fn operand(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        if self.cursor.eat("-") {
            return self.negated();
        }
        if rank <= Rank::Comparison && self.test_sign().is_some() {
            return Ok(Expr::Test(Box::new(self.test()?)));
        }
        self.value(rank)
    }

    fn negated(&mut self) -> Result<Expr, SyntaxError> {
        if self.cursor.rest().starts_with('-')
            && self.cursor.rest()[1..].starts_with(|next: char| next.is_ascii_digit() || next == '.')
        {
            self.cursor.advance(1);
            return self.value(Rank::Operand);
        }
        Ok(match self.value(Rank::Operand)? {
            Expr::Literal(Value::Number(number)) => Expr::Literal(Value::Number(number.negated())),
            value => Expr::Negated(Box::new(value)),
        })
    }

    fn between(&mut self, value: Expr) -> Result<Expr, SyntaxError> {
        let low = self.ranked(Rank::Sum)?;
        self.expect_word("and", "'and' and the upper end after 'between'")?;
        let high = self.ranked(Rank::Sum)?;
        Ok(Expr::Between(Box::new([value, low, high])))
    }

    fn instance_of(&mut self, value: Expr) -> Result<Expr, SyntaxError> {
        self.expect_word("of", "'of' after 'instance'")?;
        if let Some(name) = LONG_TYPES.iter().find(|name| self.cursor.eat_word(name)) {
            return Ok(Expr::InstanceOf(Box::new(value), (*name).into()));
        }
        let name = if self.cursor.eat_word("function") {
            "function".into()
        } else {
            self.name("the name of a type")?
        };
        Ok(Expr::InstanceOf(Box::new(value), name))
    }

    /// The tests after `in`: one, or several in parentheses.
    fn tests(&mut self) -> Result<Vec<Test>, SyntaxError> {
        if !self.cursor.eat("(") {
            return Ok(vec![self.nested(Self::test)?]);
        }
        let mut tests = vec![self.nested(Self::full_test)?];
        if self.cursor.looks_at("..") {
            return match tests.pop() {
                Some(Test::Expression(start) | Test::Condition(start)) => {
                    Ok(vec![Test::Range(self.range_after(start, false)?)])
                }
                _ => Err(self.unexpected("',' or ')' after the test")),
            };
        }
        while self.cursor.eat(",") {
            tests.push(self.nested(Self::full_test)?);
        }
        self.expect(")", "',' or ')' after the test")?;
        Ok(tests)
    }

    /// A test whose end is marked, so that it may hold `and` and `or`.
    fn full_test(&mut self) -> Result<Test, SyntaxError> {
        self.test_of(Rank::Or)
    }

    /// A test. Conditions about `?` reach over `and` and `or`; a value that is compared
    /// ends before them, so that `x in [1, 2] and y` is the conjunction it looks like.
    fn test(&mut self) -> Result<Test, SyntaxError> {
        self.test_of(Rank::Comparison)
    }

    fn test_of(&mut self, rank: Rank) -> Result<Test, SyntaxError> {
        if let Some((comparison, length)) = self.test_sign() {
            self.cursor.advance(length);
            return Ok(Test::Compare(comparison, self.ranked(Rank::Sum)?));
        }
        let inputs = self.inputs;
        let mut tested = self.ranked(rank)?;
        if self.inputs == inputs {
            return Ok(match tested {
                Expr::Test(test) => *test,
                expression => Test::Expression(expression),
            });
        }
        while let Some((operator @ (Operator::And | Operator::Or), length)) = self.operator() {
            self.cursor.advance(length);
            tested = self.joined(tested, operator)?;
        }
        Ok(Test::Condition(tested))
    }

    /// The rest of a range whose start was read.
    pub(super) fn range_after(
        &mut self,
        start: Expr,
        start_included: bool,
    ) -> Result<RangeEnds, SyntaxError> {
        self.expect("..", "'..' and the end of the range")?;
        let end = self.nested(|parser| parser.ranked(Rank::Sum))?;
        let end_included = match self.cursor.peek() {
            Some(']') => true,
            Some(')' | '[') => false,
            _ => return Err(self.unexpected("']' or ')' after the range")),
        };
        self.cursor.advance(1);
        Ok(RangeEnds { start, start_included, end, end_included })
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    match left {
        Expr::And(mut operands) => {
            operands.push(right);
            Expr::And(operands)
        }
        left => Expr::And(vec![left, right]),
    }
}

fn or(left: Expr, right: Expr) -> Expr {
    match left {
        Expr::Or(mut operands) => {
            operands.push(right);
            Expr::Or(operands)
        }
        left => Expr::Or(vec![left, right]),
    }
}

fn calculated(left: Expr, operator: Arithmetic, right: Expr) -> Expr {
    match left {
        Expr::Arithmetic(first, mut rest) => {
            rest.push((operator, right));
            Expr::Arithmetic(first, rest)
        }
        left => Expr::Arithmetic(Box::new(left), vec![(operator, right)]),
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
