//! `if`, `for`, `some`, `every` and function definitions.
//!
//! Their words are names too, where nothing follows that would fit them.

use std::collections::HashSet;
use std::sync::Arc;

use super::operator::Rank;
use super::{Parsed, Parser};
use crate::feel::ast::{Expr, FunctionDefinition, Iterated, Loop, Quantifier};

/// A word that begins a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    If,
    For,
    Some,
    Every,
    Function,
}

impl Parser<'_> {
    /// Takes the keyword that comes next, if it is one here. Only functions may be
    /// operands.
    pub(super) fn keyword(&mut self, rank: Rank) -> Option<Keyword> {
        if self.cursor.eat_word("function") {
            return Some(Keyword::Function);
        }
        if rank > Rank::Or {
            return None;
        }
        if self.takes_word("if", Self::at_condition) {
            return Some(Keyword::If);
        }
        let words = [("for", Keyword::For), ("some", Keyword::Some), ("every", Keyword::Every)];
        let found = words.into_iter().find(|(word, _)| self.takes_word(word, Self::at_iterator));
        found.map(|(_, keyword)| keyword)
    }

    /// Whether `if`, `for` or their like come next.
    pub(super) fn at_keyword(&mut self) -> bool {
        let start = self.cursor.position();
        let found = self.keyword(Rank::Or).is_some_and(|keyword| keyword != Keyword::Function);
        self.cursor.jump(start);
        found
    }

    /// Takes the word if what follows fits it.
    fn takes_word(&mut self, word: &str, fits: fn(&mut Self) -> bool) -> bool {
        let start = self.cursor.position();
        if self.cursor.eat_word(word) && fits(self) {
            return true;
        }
        self.cursor.jump(start);
        false
    }

    /// Whether an expression can begin here: else `if` is a name.
    fn at_condition(&mut self) -> bool {
        match self.cursor.peek() {
            Some('.') => self.cursor.rest()[1..].starts_with(|next: char| next.is_ascii_digit()),
            None | Some(')' | ']' | '}' | ',' | '=' | '!' | '*' | '/' | '+' | ':') => false,
            Some(_) => {
                let words = ["in", "between", "instance", "then", "else"];
                let joining = ["and", "or"].iter().any(|word| self.cursor.looks_at_word(word));
                let function = self.cursor.looks_at("and(") || self.cursor.looks_at("or(");
                function || !(joining || words.iter().any(|word| self.cursor.looks_at_word(word)))
            }
        }
    }

    /// `if a then b else if c then d else e`, read in one go.
    #[inline(never)]
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        let mut arms = Vec::new();
        loop {
            let condition = self.expression()?;
            self.expect_word("then", "an operator or 'then'")?;
            arms.push((condition, self.expression()?));
            self.expect_word("else", "an operator or 'else'")?;
            if !self.takes_word("if", Self::at_condition) {
                return Ok(Expr::If(Box::new((arms, self.expression()?))));
            }
        }
    }

    #[inline(never)]
    pub(super) fn iteration(&mut self, keyword: Keyword) -> Parsed<Expr> {
        let mut iterators = Vec::new();
        loop {
            let name = self.name("the name of the variable")?;
            self.expect_word("in", "'in' after the name of the variable")?;
            iterators.push((name, self.iterated()?));
            if !self.cursor.eat(",") {
                break;
            }
        }
        if keyword == Keyword::For {
            self.expect_word("return", "an operator, ',' or 'return'")?;
        } else {
            self.expect_word("satisfies", "an operator, ',' or 'satisfies'")?;
        }
        let iteration = Box::new(Loop { iterators, body: self.expression()? });
        Ok(match keyword {
            Keyword::Some => Expr::Quantified(Quantifier::Some, iteration),
            Keyword::Every => Expr::Quantified(Quantifier::Every, iteration),
            _ => Expr::For(iteration),
        })
    }

    /// A list, which no sum is unless it stands in parentheses, or two ends.
    #[inline(never)]
    fn iterated(&mut self) -> Parsed<Iterated> {
        self.cursor.skip();
        let begin = self.cursor.position();
        let start = self.ranked(Rank::Sum)?;
        let enclosed = self.parenthesis == (begin, self.cursor.position());
        if self.cursor.eat("..") {
            return Ok(Iterated::Between(start, self.ranked(Rank::Sum)?));
        }
        if matches!(start, Expr::Arithmetic(_) | Expr::Negated(_)) && !enclosed {
            return self.unexpected("'..' and the end of the range");
        }
        Ok(Iterated::List(start))
    }

    /// The rest of `function(a, b) body`.
    #[inline(never)]
    pub(super) fn function(&mut self) -> Parsed<Expr> {
        let parameters = self.parameters()?;
        let seen = self.names.len();
        let body = self.expression()?;
        let mut free = self.names.split_off(seen);
        free.sort_unstable();
        free.dedup();
        let own: HashSet<_> = parameters.iter().collect();
        free.retain(|name| !own.contains(name));
        // The functions around this one need no more: each name is looked at once a level.
        self.names.extend(free.iter().map(Arc::clone));
        Ok(Expr::Function(FunctionDefinition { parameters, body, free }.into()))
    }

    fn parameters(&mut self) -> Parsed<Vec<Arc<str>>> {
        self.expect("(", "'(' after 'function'")?;
        let mut parameters = Vec::new();
        if self.cursor.eat(")") {
            return Ok(parameters);
        }
        loop {
            parameters.push(self.parameter("the name of a parameter")?);
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.expect(")", "',' or ')' after the parameter")?;
        Ok(parameters)
    }
}
