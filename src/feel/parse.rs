//! From text to the parsed form.
//!
//! A recursive descent without separate tokens: what a word means depends on where it
//! stands (`for` may be a name, a key may hold blanks and operators). It never goes back
//! over an expression, so that its time is linear, and it bounds how deep they nest.

mod chain;
mod control;
mod cursor;
mod error;
mod literal;
mod name;
mod operator;
mod primary;

use std::sync::Arc;

use super::ast::Expr;
use cursor::Cursor;
use operator::Rank;

pub use error::SyntaxError;

/// The longest source, in bytes.
const SOURCE: usize = 256 << 10;
/// The deepest nesting of brackets, calls and other enclosing forms.
const NESTING: u32 = 64;

/// A result with a small error: the frames of the descent hold many of them.
type Parsed<T> = Result<T, Box<SyntaxError>>;

/// Reads one expression; a leading `=` is taken off.
pub(super) fn parse(source: &str) -> Result<Expr, SyntaxError> {
    if source.len() > SOURCE {
        return Err(SyntaxError::too_long(source.len()));
    }
    whole(source).map_err(|error| *error)
}

fn whole(source: &str) -> Parsed<Expr> {
    let mut parser = Parser::new(source);
    parser.cursor.eat("=");
    let expression = parser.expression()?;
    parser.cursor.skip();
    if parser.cursor.at_end() {
        Ok(expression)
    } else {
        parser.unexpected("an operator or the end")
    }
}

struct Parser<'s> {
    cursor: Cursor<'s>,
    depth: u32,
    /// The depth at which the end of a range is read, where `[` may close that range.
    range_end: Option<u32>,
    /// Where the last parenthesis began and ended.
    parenthesis: (usize, usize),
    /// Names met so far, for what a function takes with it.
    names: Vec<Arc<str>>,
    /// How often `?` was met.
    inputs: usize,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            cursor: Cursor::new(source),
            depth: 0,
            range_end: None,
            parenthesis: (0, 0),
            names: Vec::new(),
            inputs: 0,
        }
    }

    /// An expression of the lowest rank.
    fn expression(&mut self) -> Parsed<Expr> {
        self.ranked(Rank::Or)
    }

    /// Begins one level of nesting, which the caller ends with [`Self::leave`]. An error
    /// ends the whole parse, so that nobody leaves after one.
    fn enter(&mut self) -> Parsed<()> {
        if self.depth >= NESTING {
            return self.unexpected("an expression nested at most 64 deep");
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The error that something else stands here.
    #[cold]
    #[inline(never)]
    fn unexpected<T>(&self, expected: &'static str) -> Parsed<T> {
        let error = SyntaxError::at(self.cursor.source(), self.cursor.position(), expected);
        Err(Box::new(error))
    }

    /// Takes this token or complains.
    fn expect(&mut self, token: &str, expected: &'static str) -> Parsed<()> {
        if self.cursor.eat(token) { Ok(()) } else { self.unexpected(expected) }
    }

    /// Takes this keyword or complains.
    fn expect_word(&mut self, word: &str, expected: &'static str) -> Parsed<()> {
        if self.cursor.eat_word(word) { Ok(()) } else { self.unexpected(expected) }
    }
}
