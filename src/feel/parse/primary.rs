//! Values: literals, names, calls, brackets, and the steps behind them.

use std::sync::Arc;

use super::chain::is_condition;
use super::cursor::Cursor;
use super::operator::Rank;
use super::{Parser, SyntaxError};
use crate::feel::ast::{Expr, FilterKind, Invocation, Path, RangeEnds, Step, Test};
use crate::feel::builtins;
use crate::feel::value::Value;

/// Words that follow a complete expression and begin none.
const ENDING_WORDS: [&str; 6] = ["and", "or", "then", "else", "return", "satisfies"];

impl Parser<'_> {
    /// A value and the steps behind it; `rank` tells whether `if` or a test may stand here.
    pub(super) fn value(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        let base = self.bare_value(rank)?;
        self.steps(base)
    }

    fn bare_value(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        match self.cursor.peek() {
            Some('(') => self.parenthesis(rank),
            Some('[') => self.bracket(rank),
            Some(']') if rank <= Rank::Comparison => {
                self.cursor.advance(1);
                let start = self.nested(|parser| parser.ranked(Rank::Sum))?;
                Ok(in_range(self.range_after(start, false)?))
            }
            Some('{') => self.nested(Self::context),
            Some('"') => self.string(),
            Some('@') => self.temporal(),
            Some('?') => {
                self.cursor.advance(1);
                self.inputs += 1;
                Ok(Expr::Input)
            }
            Some(digit) if digit.is_ascii_digit() || digit == '.' => self.number(),
            Some(_) => self.word(rank),
            None => Err(self.unexpected("an expression")),
        }
    }

    /// `(a)`, or a range that begins so.
    fn parenthesis(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        self.cursor.advance(1);
        let inner = self.expression()?;
        if rank <= Rank::Comparison && self.cursor.looks_at("..") {
            return Ok(in_range(self.range_after(inner, false)?));
        }
        self.expect(")", "an operator or ')'")?;
        Ok(inner)
    }

    /// `[a, b]`, or a range that begins so.
    fn bracket(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        self.cursor.advance(1);
        let mut items = Vec::new();
        if self.cursor.eat("]") {
            return Ok(Expr::List(items));
        }
        items.push(self.expression()?);
        if rank <= Rank::Comparison && self.cursor.looks_at("..") {
            let start = items.pop().unwrap_or(Expr::Literal(Value::Null));
            return Ok(in_range(self.range_after(start, true)?));
        }
        while self.cursor.eat(",") {
            items.push(self.expression()?);
        }
        self.expect("]", "',' or ']' after the item")?;
        Ok(Expr::List(items))
    }

    /// Everything that begins with a letter or a backtick.
    fn word(&mut self, rank: Rank) -> Result<Expr, SyntaxError> {
        if rank == Rank::Or
            && let Some(control) = self.control()?
        {
            return Ok(control);
        }
        if let Some(literal) = self.word_literal() {
            return Ok(literal);
        }
        if let Some(temporal) = self.temporal_call()? {
            return Ok(temporal);
        }
        if let Some(name) = self.long_function_name() {
            return self.call(None, name);
        }
        if self.cursor.eat_word("function") {
            return self.nested(Self::function);
        }
        let name = self.name("an expression")?;
        self.remember(&name);
        if self.cursor.eat("(") {
            return self.call(None, name);
        }
        self.dotted(name)
    }

    fn word_literal(&mut self) -> Option<Expr> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Boolean(true)),
            ("false", Value::Boolean(false)),
        ];
        let found = words.into_iter().find(|(word, _)| self.cursor.eat_word(word));
        found.map(|(_, value)| Expr::Literal(value))
    }

    /// `a.b.c`, or the call `a.b.c()`.
    fn dotted(&mut self, name: Arc<str>) -> Result<Expr, SyntaxError> {
        let mut steps = Vec::new();
        while self.at_point() {
            self.cursor.advance(1);
            let key = self.property()?;
            if self.cursor.eat("(") {
                return self.call(Some(path(Expr::Name(name), steps)), key);
            }
            steps.push(Step::Key(key));
        }
        Ok(path(Expr::Name(name), steps))
    }

    /// The steps behind a value.
    fn steps(&mut self, base: Expr) -> Result<Expr, SyntaxError> {
        let mut steps = Vec::new();
        loop {
            if self.at_point() {
                self.cursor.advance(1);
                steps.push(Step::Key(self.property()?));
            } else if self.cursor.looks_at("[") && !self.at_outer_range_end() {
                self.cursor.advance(1);
                steps.push(self.filter()?);
            } else {
                return Ok(path(base, steps));
            }
        }
    }

    fn filter(&mut self) -> Result<Step, SyntaxError> {
        let filter = self.expression()?;
        self.expect("]", "an operator or ']' after the filter")?;
        let kind = match &filter {
            Expr::Literal(Value::Number(_)) => FilterKind::Index,
            filter if is_condition(filter) => FilterKind::Condition,
            _ => FilterKind::Either,
        };
        Ok(Step::Filter(filter, kind))
    }

    /// Whether a single point comes next; two of them belong to a range.
    fn at_point(&mut self) -> bool {
        self.cursor.looks_at(".") && !self.cursor.looks_at("..")
    }

    /// Whether the bracket here can only be the open end of a range, as in `]1..5[`.
    fn at_outer_range_end(&self) -> bool {
        let mut after = Cursor::new(self.cursor.rest());
        after.advance(1);
        match after.peek() {
            None | Some(')' | ',' | '}') => true,
            Some(_) => ENDING_WORDS.iter().any(|word| after.looks_at_word(word)),
        }
    }

    /// The arguments of a call whose parenthesis was taken.
    pub(super) fn call(
        &mut self,
        holder: Option<Expr>,
        name: Arc<str>,
    ) -> Result<Expr, SyntaxError> {
        self.remember(&name);
        let mut arguments = Vec::new();
        let mut names = Vec::new();
        if !self.cursor.eat(")") {
            let named = self.at_argument_name();
            loop {
                if named {
                    names.push(self.parameter("the name of an argument")?);
                    self.expect(":", "':' after the name of the argument")?;
                }
                arguments.push(self.argument()?);
                if !self.cursor.eat(",") {
                    break;
                }
            }
            self.expect(")", "',' or ')' after the argument")?;
        }
        let builtins = builtins::named(&name);
        Ok(Expr::Call(Box::new(Invocation { holder, name, arguments, names, builtins })))
    }

    /// An argument: a range here is a value of its own, not a test.
    fn argument(&mut self) -> Result<Expr, SyntaxError> {
        Ok(match self.expression()? {
            Expr::Test(test) => match *test {
                Test::Range(ends) => Expr::Range(Box::new(ends)),
                test => Expr::Test(Box::new(test)),
            },
            expression => expression,
        })
    }
}

fn in_range(ends: RangeEnds) -> Expr {
    Expr::Test(Box::new(Test::Range(ends)))
}

fn path(base: Expr, mut steps: Vec<Step>) -> Expr {
    if steps.is_empty() {
        return base;
    }
    match base {
        Expr::Path(mut inner) => {
            inner.steps.append(&mut steps);
            Expr::Path(inner)
        }
        base => Expr::Path(Box::new(Path { base, steps })),
    }
}
