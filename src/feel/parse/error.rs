//! What is wrong with a text that is no expression.

use std::fmt;

/// The longest excerpt shown, in characters.
const EXCERPT: usize = 40;

/// A text that is no expression: where, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What could have stood there.
    pub expected: String,
    /// What stood there.
    pub found: String,
    /// The text around the place.
    pub excerpt: String,
}

impl SyntaxError {
    #[cold]
    pub(super) fn at(source: &str, position: usize, expected: impl Into<String>) -> Self {
        let before = &source[..position];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            expected: expected.into(),
            found: found(&source[position..]),
            excerpt: excerpt(source, position),
        }
    }

    #[cold]
    pub(super) fn too_long(length: usize) -> Self {
        Self {
            line: 1,
            column: 1,
            expected: "an expression of at most 262144 bytes".to_owned(),
            found: format!("{length} bytes"),
            excerpt: String::new(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected, found, excerpt } = self;
        write!(f, "line {line}, column {column}: expected {expected}, found {found}")?;
        if excerpt.is_empty() { Ok(()) } else { write!(f, ": `{excerpt}`") }
    }
}

impl std::error::Error for SyntaxError {}

/// The word or the sign at the place.
fn found(rest: &str) -> String {
    let Some(first) = rest.chars().next() else { return "the end".to_owned() };
    let word = |character: &char| character.is_alphanumeric() || *character == '_';
    if word(&first) {
        format!("'{}'", rest.chars().take_while(word).take(EXCERPT).collect::<String>())
    } else {
        format!("'{}'", first.escape_debug())
    }
}

/// The line around the place, on one line of its own.
fn excerpt(source: &str, position: usize) -> String {
    let before: Vec<char> = source[..position].chars().rev().take(EXCERPT / 2).collect();
    let around = before.into_iter().rev().chain(source[position..].chars().take(EXCERPT / 2));
    let flat: String =
        around.map(|character| if character.is_control() { ' ' } else { character }).collect();
    flat.trim().to_owned()
}
