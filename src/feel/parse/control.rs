//! `if`, `for`, `some`, `every` and function definitions.
//!
//! Their words are names too, where nothing follows that would fit them.

use super::operator::Rank;
use super::{Parser, SyntaxError};
use crate::feel::ast::{Expr, FunctionDefinition, Iterated, Loop, Quantifier};

impl Parser<'_> {
    /// The form that begins with one of the words, if one does.
    pub(super) fn control(&mut self) -> Result<Option<Expr>, SyntaxError> {
        if self.takes_word("if", Self::at_condition) {
            return self.condition().map(Some);
        }
        if self.takes_word("for", Self::at_iterator) {
            let iteration = self.iteration("return")?;
            return Ok(Some(Expr::For(Box::new(iteration))));
        }
        for (word, quantifier) in [("some", Quantifier::Some), ("every", Quantifier::Every)] {
            if self.takes_word(word, Self::at_iterator) {
                let iteration = self.iteration("satisfies")?;
                return Ok(Some(Expr::Quantified(quantifier, Box::new(iteration))));
            }
        }
        Ok(None)
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
            None | Some(')' | ']' | '}' | ',' | '.' | '=' | '!' | '*' | '/' | '+' | ':') => false,
            Some(_) => {
                let words = ["and", "or", "in", "between", "instance", "then", "else"];
                !words.iter().any(|word| self.cursor.looks_at_word(word))
            }
        }
    }

    /// `if a then b else if c then d else e`, read in one go.
    fn condition(&mut self) -> Result<Expr, SyntaxError> {
        let mut arms = Vec::new();
        loop {
            let condition = self.expression()?;
            self.expect_word("then", "an operator or 'then'")?;
            let then = self.expression()?;
            self.expect_word("else", "an operator or 'else'")?;
            arms.push((condition, then));
            if !self.takes_word("if", Self::at_condition) {
                return Ok(Expr::If(arms, Box::new(self.expression()?)));
            }
        }
    }

    fn iteration(&mut self, word: &'static str) -> Result<Loop, SyntaxError> {
        let mut iterators = Vec::new();
        loop {
            let name = self.name("the name of the variable")?;
            self.expect_word("in", "'in' after the name of the variable")?;
            iterators.push((name, self.nested(Self::iterated)?));
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.expect_word(word, if word == "return" { "',' or 'return'" } else { "',' or 'satisfies'" })?;
        Ok(Loop { iterators, body: self.expression()? })
    }

    fn iterated(&mut self) -> Result<Iterated, SyntaxError> {
        let start = self.ranked(Rank::Sum)?;
        if !self.cursor.eat("..") {
            return Ok(Iterated::List(start));
        }
        Ok(Iterated::Between(start, self.ranked(Rank::Sum)?))
    }

    /// The rest of `function(a, b) body`.
    pub(super) fn function(&mut self) -> Result<Expr, SyntaxError> {
        self.expect("(", "'(' after 'function'")?;
        let mut parameters = Vec::new();
        if !self.cursor.eat(")") {
            loop {
                parameters.push(self.parameter("the name of a parameter")?);
                if !self.cursor.eat(",") {
                    break;
                }
            }
            self.expect(")", "',' or ')' after the parameter")?;
        }
        let seen = self.names.len();
        let body = self.expression()?;
        let mut free = self.names[seen..].to_vec();
        free.sort_unstable();
        free.dedup();
        free.retain(|name| !parameters.contains(name));
        Ok(Expr::Function(FunctionDefinition { parameters, body, free }.into()))
    }
}
