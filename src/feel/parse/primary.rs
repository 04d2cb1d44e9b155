//! Values: literals, names, calls, brackets, and the steps behind them.

use std::sync::Arc;

use super::chain::{is_condition, is_open};
use super::control::Keyword;
use super::cursor::Cursor;
use super::operator::Rank;
use super::{Parsed, Parser};
use crate::feel::ast::{Expr, FilterKind, Invocation, Path, RangeEnds, Step, Test};
use crate::feel::builtins;
use crate::feel::value::Value;

/// Words that follow a complete expression and begin none.
const ENDING_WORDS: [&str; 6] = ["and", "or", "then", "else", "return", "satisfies"];

impl Parser<'_> {
    /// A value and the steps behind it; `rank` tells whether `if` or a test may stand here.
    pub(super) fn value(&mut self, rank: Rank) -> Parsed<Expr> {
        let enclosed = self.cursor.looks_at("(");
        match self.bare_value(rank)? {
            test @ Expr::Test(_) => Ok(test),
            open if is_open(&open) && !enclosed => Ok(open),
            base => self.steps(base),
        }
    }

    fn bare_value(&mut self, rank: Rank) -> Parsed<Expr> {
        match self.cursor.peek() {
            Some('(') => self.parenthesis(rank),
            Some('[') => self.bracket(rank),
            Some(']') if rank <= Rank::Comparison => self.open_range(),
            Some('{') => self.context(),
            Some('"') => self.string(),
            Some('@') => self.temporal(),
            Some('?') => Ok(self.question()),
            Some('.' | '0'..='9') => self.number(),
            Some(_) => self.word(rank),
            None => self.unexpected("an expression"),
        }
    }

    fn question(&mut self) -> Expr {
        self.cursor.advance(1);
        self.inputs += 1;
        Expr::Input
    }

    /// `]a..b]`
    #[inline(never)]
    fn open_range(&mut self) -> Parsed<Expr> {
        self.cursor.advance(1);
        let start = self.ranked(Rank::Sum)?;
        Ok(in_range(self.range_after(start, false)?))
    }

    /// `(a)`, or a range that begins so. A test in parentheses is a condition.
    #[inline(never)]
    fn parenthesis(&mut self, rank: Rank) -> Parsed<Expr> {
        let start = self.cursor.position();
        self.cursor.advance(1);
        let inner = self.expression()?;
        if rank <= Rank::Comparison && self.begins_range(&inner) {
            return Ok(in_range(self.range_after(inner, false)?));
        }
        self.expect(")", "an operator or ')'")?;
        self.cursor.skip();
        self.parenthesis = (start, self.cursor.position());
        Ok(if matches!(inner, Expr::Test(_)) { Expr::And(vec![inner]) } else { inner })
    }

    /// `[a, b]`, or a range that begins so.
    #[inline(never)]
    fn bracket(&mut self, rank: Rank) -> Parsed<Expr> {
        self.cursor.advance(1);
        let mut items = Vec::new();
        while !self.cursor.eat("]") {
            if !items.is_empty() {
                self.expect(",", "an operator, ',' or ']'")?;
            }
            items.push(self.expression()?);
            if let [start] = &*items
                && rank <= Rank::Comparison
                && self.begins_range(start)
            {
                return self.closed_range(items);
            }
        }
        Ok(Expr::List(items))
    }

    /// Whether what was read is the start of a range.
    fn begins_range(&mut self, start: &Expr) -> bool {
        !matches!(start, Expr::Test(_)) && self.cursor.looks_at("..")
    }

    /// The rest of `[a..b]`.
    #[inline(never)]
    fn closed_range(&mut self, mut start: Vec<Expr>) -> Parsed<Expr> {
        let start = start.pop().unwrap_or(Expr::Literal(Value::Null));
        Ok(in_range(self.range_after(start, true)?))
    }

    /// Everything that begins with a letter or a backtick.
    #[inline(never)]
    fn word(&mut self, rank: Rank) -> Parsed<Expr> {
        match self.keyword(rank) {
            Some(Keyword::If) => self.condition(),
            Some(Keyword::Function) => self.function(),
            Some(keyword) => self.iteration(keyword),
            None => self.plain_word(),
        }
    }

    #[inline(never)]
    fn plain_word(&mut self) -> Parsed<Expr> {
        if let Some(literal) = self.word_literal() {
            return Ok(literal);
        }
        if let Some(temporal) = self.temporal_call()? {
            return Ok(temporal);
        }
        if let Some(name) = self.long_function_name() {
            return self.call(None, name);
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
    #[inline(never)]
    fn dotted(&mut self, name: Arc<str>) -> Parsed<Expr> {
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
    #[inline(never)]
    fn steps(&mut self, base: Expr) -> Parsed<Expr> {
        let mut steps = Vec::new();
        loop {
            if self.at_point() {
                self.cursor.advance(1);
                steps.push(Step::Key(self.property()?));
            } else if self.cursor.looks_at("[") && !self.at_range_end() {
                self.cursor.advance(1);
                steps.push(self.filter()?);
            } else {
                return Ok(path(base, steps));
            }
        }
    }

    #[inline(never)]
    fn filter(&mut self) -> Parsed<Step> {
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

    /// Whether the bracket here is the open end of a range, as in `]1..5[`.
    fn at_range_end(&self) -> bool {
        if self.range_end != Some(self.depth) {
            return false;
        }
        let mut after = Cursor::new(self.cursor.rest());
        after.advance(1);
        match after.peek() {
            None | Some(')' | ',' | '}' | ']') => true,
            Some(_) => ENDING_WORDS.iter().any(|word| after.looks_at_word(word)),
        }
    }

    /// The arguments of a call whose parenthesis was taken.
    #[inline(never)]
    pub(super) fn call(&mut self, holder: Option<Expr>, name: Arc<str>) -> Parsed<Expr> {
        self.remember(&name);
        let mut arguments = Vec::new();
        let mut names = Vec::new();
        if !self.cursor.eat(")") {
            let has_names = self.at_argument_name();
            loop {
                if has_names {
                    names.push(self.parameter("the name of an argument")?);
                    self.expect(":", "':' after the name of the argument")?;
                }
                arguments.push(argument(self.expression()?));
                if !self.cursor.eat(",") {
                    break;
                }
            }
            self.expect(")", "',' or ')' after the argument")?;
        }
        let builtins = builtins::named(&name);
        Ok(Expr::Call(Box::new(Invocation { holder, name, arguments, names, builtins })))
    }
}

/// A range as an argument is a value of its own, not a test.
fn argument(argument: Expr) -> Expr {
    match argument {
        Expr::Test(test) => match *test {
            Test::Range(ends) => Expr::Range(ends),
            test => Expr::Test(Box::new(test)),
        },
        argument => argument,
    }
}

fn in_range(ends: RangeEnds) -> Expr {
    Expr::Test(Box::new(Test::Range(Box::new(ends))))
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
