//! Names: identifiers, words in backticks, function names of several words.

use std::sync::Arc;

use super::cursor::{Cursor, is_name_part, is_name_start};
use super::{Parsed, Parser};

/// Words that are never names.
const RESERVED: [&str; 11] =
    ["null", "true", "false", "function", "in", "return", "then", "else", "satisfies", "and", "or"];
/// Function names with a reserved word in them.
const SPECIAL: [&str; 5] =
    ["and", "or", "date and time", "years and months duration", "get or else"];
/// Words that end a run of words although they are no reserved ones.
const STOPS: [&str; 2] = ["between", "instance"];

impl Parser<'_> {
    /// A name, in backticks or not.
    pub(super) fn name(&mut self, expected: &'static str) -> Parsed<Arc<str>> {
        self.cursor.skip();
        if self.cursor.rest().starts_with('`') {
            return self.quoted_name();
        }
        match identifier(self.cursor.rest()) {
            Some(name) => {
                self.cursor.advance(name.len());
                Ok(name.into())
            }
            None => self.unexpected(expected),
        }
    }

    /// The name of a property, which may be `time offset`.
    pub(super) fn property(&mut self) -> Parsed<Arc<str>> {
        if self.cursor.eat_word("time offset") {
            return Ok("time offset".into());
        }
        self.name("a name after the point")
    }

    fn quoted_name(&mut self) -> Parsed<Arc<str>> {
        let inner = &self.cursor.rest()[1..];
        match inner.find('`') {
            Some(end) if end > 0 => {
                self.cursor.advance(end + 2);
                Ok(inner[..end].into())
            }
            Some(_) => self.unexpected("a name between the backticks"),
            None => self.unexpected("a closing backtick"),
        }
    }

    /// The name of a parameter, which may have several words before this sign.
    pub(super) fn parameter(&mut self, expected: &'static str) -> Parsed<Arc<str>> {
        self.cursor.skip();
        let words = words(self.cursor.rest());
        if words.is_empty() {
            return self.name(expected);
        }
        self.cursor.advance(words.len());
        Ok(words.into())
    }

    /// The name of a function of several words or with a reserved word, if such a name
    /// and then a parenthesis come next; the parenthesis is taken too.
    pub(super) fn long_function_name(&mut self) -> Option<Arc<str>> {
        self.cursor.skip();
        let rest = self.cursor.rest();
        let special = SPECIAL.iter().find(|name| followed_by(rest, name.len(), '(', name));
        let name = match special {
            Some(name) => *name,
            None => Some(words(rest)).filter(|words| words.contains(' '))?,
        };
        let mut after = Cursor::new(rest);
        after.advance(name.len());
        if !after.eat("(") {
            return None;
        }
        self.cursor.advance(after.position());
        Some(single_blanks(name))
    }

    /// Whether named arguments come next.
    pub(super) fn at_argument_name(&mut self) -> bool {
        self.cursor.skip();
        let rest = self.cursor.rest();
        let length = match rest.strip_prefix('`') {
            Some(inner) => inner.find('`').map_or(0, |end| end + 2),
            None => words(rest).len(),
        };
        let mut after = Cursor::new(rest);
        after.advance(length);
        length > 0 && after.looks_at(":")
    }

    /// Whether a name and then `in` come next, as after `for`.
    pub(super) fn at_iterator(&mut self) -> bool {
        self.cursor.skip();
        let rest = self.cursor.rest();
        let length = match rest.strip_prefix('`') {
            Some(inner) => inner.find('`').map_or(0, |end| end + 2),
            None => identifier(rest).map_or(0, str::len),
        };
        let mut after = Cursor::new(rest);
        after.advance(length);
        length > 0 && after.looks_at_word("in")
    }

    /// Remembers a name for the functions around it.
    pub(super) fn remember(&mut self, name: &Arc<str>) {
        self.names.push(Arc::clone(name));
    }
}

/// The identifier at the front that is no reserved word.
pub(super) fn identifier(text: &str) -> Option<&str> {
    text.starts_with(is_name_start).then_some(())?;
    let end = text.find(|character| !is_name_part(character)).unwrap_or(text.len());
    Some(&text[..end]).filter(|name| !RESERVED.contains(name))
}

/// The identifiers at the front, parted by blanks.
fn words(text: &str) -> &str {
    let mut end = 0;
    let mut next = 0;
    while let Some(word) = identifier(&text[next..]) {
        if end > 0 && STOPS.contains(&word) {
            break;
        }
        end = next + word.len();
        let rest = &text[end..];
        next = end + (rest.len() - rest.trim_start_matches(' ').len());
        if next == end {
            break;
        }
    }
    &text[..end]
}

fn followed_by(text: &str, length: usize, sign: char, name: &str) -> bool {
    text.starts_with(name) && {
        let mut after = Cursor::new(text);
        after.advance(length);
        after.peek() == Some(sign)
    }
}

fn single_blanks(name: &str) -> Arc<str> {
    if !name.contains("  ") {
        return name.into();
    }
    name.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").into()
}
