//! Literals: numbers, strings, temporals, contexts.

use std::sync::Arc;

use super::{Parsed, Parser};
use crate::feel::ast::Expr;
use crate::feel::number::Number;
use crate::feel::temporal::{self, Kind};
use crate::feel::value::Value;

/// Signs that no bare key of a context may hold.
const KEY_ENDS: [char; 8] = ['"', '{', '}', ':', ',', '[', ']', '`'];

impl Parser<'_> {
    /// `12`, `1.5` or `.5`; there are no exponents.
    pub(super) fn number(&mut self) -> Parsed<Expr> {
        let rest = self.cursor.rest();
        let whole = digits(rest);
        let fraction = rest[whole..].strip_prefix('.').map_or(0, digits);
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let Some(number) = Number::parse(&rest[..length]) else {
            return self.unexpected("an expression");
        };
        self.cursor.advance(length);
        Ok(Expr::Literal(Value::Number(number)))
    }

    pub(super) fn string(&mut self) -> Parsed<Expr> {
        let raw = self.quoted()?;
        Ok(Expr::Literal(Value::String(unescaped(raw))))
    }

    /// What stands between two quotes, escapes untouched.
    fn quoted(&mut self) -> Parsed<&str> {
        let inner = &self.cursor.rest()[1..];
        let mut escaped = false;
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.cursor.advance(at + 2);
                    return Ok(&inner[..at]);
                }
                _ => {}
            }
        }
        self.unexpected("a closing '\"' of the text")
    }

    /// `@"2026-05-01"`
    pub(super) fn temporal(&mut self) -> Parsed<Expr> {
        self.cursor.advance(1);
        if self.cursor.peek() != Some('"') {
            return self.unexpected("a quoted date, time or duration after '@'");
        }
        let text = self.quoted()?;
        Ok(literal(text, temporal::parse(text)))
    }

    /// `date("2026-05-01")` and its like, which are literals too.
    pub(super) fn temporal_call(&mut self) -> Parsed<Option<Expr>> {
        let kinds = [
            ("date and time", Kind::DateTime),
            ("duration", Kind::Duration),
            ("date", Kind::Date),
            ("time", Kind::Time),
        ];
        let start = self.cursor.position();
        for (name, kind) in kinds {
            if !self.cursor.eat_word(name) {
                continue;
            }
            if self.cursor.eat("(") && self.cursor.looks_at("\"") {
                let text = self.quoted()?;
                let literal = literal(text, temporal::parse_kind(kind, text));
                if self.cursor.eat(")") {
                    return Ok(Some(literal));
                }
            }
            self.cursor.jump(start);
        }
        Ok(None)
    }

    /// `{a: 1, "b c": 2}`
    pub(super) fn context(&mut self) -> Parsed<Expr> {
        self.cursor.advance(1);
        let mut entries = Vec::new();
        if self.cursor.eat("}") {
            return Ok(Expr::Context(entries));
        }
        loop {
            let key = self.key()?;
            self.expect(":", "':' after the key")?;
            entries.push((key, self.expression()?));
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.expect("}", "',' or '}' after the entry")?;
        Ok(Expr::Context(entries))
    }

    fn key(&mut self) -> Parsed<Arc<str>> {
        match self.cursor.peek() {
            Some('"') => Ok(self.quoted()?.into()),
            Some('`') => self.name("a key"),
            _ => {
                let rest = self.cursor.rest();
                let mut key = rest[..rest.find(KEY_ENDS).unwrap_or(rest.len())].trim_end();
                while let Some(comment) = key.rfind("/*").filter(|_| key.ends_with("*/")) {
                    key = key[..comment].trim_end();
                }
                if key.is_empty() {
                    return self.unexpected("a key");
                }
                self.cursor.advance(key.len());
                Ok(key.into())
            }
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn literal(text: &str, value: Option<Value>) -> Expr {
    match value {
        Some(value) => Expr::Literal(value),
        None => Expr::NoTemporal(text.into()),
    }
}

/// Resolves the escapes; what is none stays as written, `\u` too.
fn unescaped(raw: &str) -> Arc<str> {
    if !raw.contains('\\') {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some(same @ ('"' | '\'' | '\\')) => text.push(same),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text.into()
}
