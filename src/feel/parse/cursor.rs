//! A place in the source text.

/// A place in the source text; every look skips blanks and comments first.
pub(super) struct Cursor<'s> {
    source: &'s str,
    position: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, position: 0 }
    }

    pub(super) fn source(&self) -> &'s str {
        self.source
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// What is left, blanks included.
    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    /// Goes on by this many bytes.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.position += bytes;
    }

    /// Goes back or forth to a place seen before.
    pub(super) fn jump(&mut self, position: usize) {
        self.position = position;
    }

    pub(super) fn at_end(&self) -> bool {
        self.position == self.source.len()
    }

    /// Goes over blanks and comments.
    pub(super) fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_blank);
            self.position += rest.len() - trimmed.len();
            let comment = if trimmed.starts_with("//") {
                trimmed.find(['\n', '\r']).unwrap_or(trimmed.len())
            } else {
                let end = trimmed.strip_prefix("/*").and_then(|inner| inner.find("*/"));
                let Some(end) = end else { return };
                end + 4
            };
            self.position += comment;
        }
    }

    /// The next character after blanks.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest().chars().next()
    }

    /// Whether this text comes next.
    pub(super) fn looks_at(&mut self, token: &str) -> bool {
        self.skip();
        self.rest().starts_with(token)
    }

    /// Takes this text if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.looks_at(token);
        if found {
            self.position += token.len();
        }
        found
    }

    /// Whether this whole word comes next.
    pub(super) fn looks_at_word(&mut self, word: &str) -> bool {
        self.looks_at(word) && !self.rest()[word.len()..].starts_with(is_name_part)
    }

    /// Takes this whole word if it comes next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.looks_at_word(word);
        if found {
            self.position += word.len();
        }
        found
    }
}

/// Blanks of all scripts.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{feff}' | '\u{180e}' | '\u{200b}')
}

/// Whether a name may begin so: letters, `_`, `$` and other currency signs, none of them
/// beyond the basic plane.
pub(super) fn is_name_start(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '_' | '$' => true,
        _ if character.is_ascii() || character > '\u{ffff}' => false,
        '¢'..='¥' | '\u{20a0}'..='\u{20cf}' | '\u{203f}' | '\u{2040}' => true,
        _ => character.is_alphabetic(),
    }
}

/// Whether a name may go on so.
pub(super) fn is_name_part(character: char) -> bool {
    is_name_start(character)
        || character.is_ascii_digit()
        || (!character.is_ascii()
            && character <= '\u{ffff}'
            && (character.is_numeric() || matches!(character, '\u{300}'..='\u{36f}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_comments_are_skipped() {
        let mut cursor = Cursor::new(" \u{a0}// one\n/* two */ x");
        assert_eq!(cursor.peek(), Some('x'));
    }

    #[test]
    fn a_word_ends_where_no_name_goes_on() {
        let mut cursor = Cursor::new("android");
        assert!(!cursor.looks_at_word("and"));
        assert!(cursor.looks_at("and"));
    }

    #[test]
    fn an_open_comment_is_left_for_the_error() {
        let mut cursor = Cursor::new(" /* never closed");
        assert_eq!(cursor.peek(), Some('/'));
    }
}
