//! What `replace` puts in the place of a match: text, and `$1` or `${name}` for a group.

use regex::{Match, Regex};

use crate::feel::error::Error;

/// A replacement as Java reads it: a backslash takes the next character as it is.
pub(super) struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for a pattern; none if it names no group of the pattern.
    pub(super) fn parse(text: &str, regex: &Regex) -> Option<Self> {
        let mut parts = vec![];
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\\' => push(&mut parts, rest.next()?),
                '$' if rest.peek() == Some(&'{') => {
                    let name: String =
                        rest.by_ref().skip(1).take_while(|end| *end != '}').collect();
                    parts.push(Part::Group(
                        regex.capture_names().position(|group| group == Some(&*name))?,
                    ));
                }
                '$' => parts.push(Part::Group(number(&mut rest, regex.captures_len())?)),
                other => push(&mut parts, other),
            }
        }
        Some(Self(parts))
    }

    /// Whether it takes groups of a match besides all of it.
    pub(super) fn has_groups(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Group(1..)))
    }

    /// Hands over the pieces for one match.
    pub(super) fn each(
        &self,
        regex: &Regex,
        text: &str,
        found: Match<'_>,
        mut piece: impl FnMut(&str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let captures =
            if self.has_groups() { regex.captures_at(text, found.start()) } else { None };
        for part in &self.0 {
            match part {
                Part::Text(text) => piece(text)?,
                Part::Group(0) => piece(found.as_str())?,
                Part::Group(group) => {
                    let group = captures.as_ref().and_then(|captures| captures.get(*group));
                    piece(group.map_or("", |group| group.as_str()))?;
                }
            }
        }
        Ok(())
    }
}

fn push(parts: &mut Vec<Part>, character: char) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(character),
        _ => parts.push(Part::Text(character.into())),
    }
}

/// The number of a group: as many digits as still name one.
fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, groups: usize) -> Option<usize> {
    let mut group = rest.next()?.to_digit(10)? as usize;
    if group >= groups {
        return None;
    }
    while let Some(digit) = rest.peek().and_then(|character| character.to_digit(10)) {
        let longer = group * 10 + digit as usize;
        if longer >= groups {
            break;
        }
        group = longer;
        rest.next();
    }
    Some(group)
}
