//! Java's syntax of patterns in that of the `regex` crate.
//!
//! What differs is rewritten: the classes `\d`, `\w`, `\s` and the POSIX ones are ASCII,
//! `\Q..\E` quotes, any sign may be escaped, and a possessive `+` is dropped. What has no
//! counterpart (looking around, back references, atomic groups) is left for the compiler
//! to refuse.

/// `\s`, free of literal blanks, which the flag `x` would drop.
const SPACE: &str = r"\t\n\x0B\x0C\r\x20";
/// `\h`, blanks within a line.
const HORIZONTAL: &str = r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
/// `\v`, the ends of lines.
const VERTICAL: &str = r"\n\x0B\x0C\r\x{85}\x{2028}\x{2029}";

/// A pattern of Java in the syntax of the `regex` crate.
pub(super) fn translated(pattern: &str) -> String {
    let mut translation = Translation { rest: pattern, result: String::new(), classes: 0 };
    while let Some(character) = translation.take() {
        match character {
            '\\' => translation.escape(),
            '[' => translation.open_class(),
            ']' if translation.classes > 0 => translation.close_class(),
            '~' if translation.classes > 0 => translation.result.push_str(r"\~"),
            '*' | '+' | '?' | '{' if translation.classes == 0 => translation.repetition(character),
            other => translation.result.push(other),
        }
    }
    translation.result
}

struct Translation<'a> {
    rest: &'a str,
    result: String,
    /// Open brackets.
    classes: usize,
}

impl Translation<'_> {
    fn take(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Takes this text, if it comes next.
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A bracket that closes a class at once is part of it.
    fn open_class(&mut self) {
        self.classes += 1;
        self.result.push('[');
        if self.skip("^") {
            self.result.push('^');
        }
        if self.skip("]") {
            self.result.push_str(r"\]");
        }
    }

    fn close_class(&mut self) {
        self.classes -= 1;
        self.result.push(']');
    }

    /// A repetition with its bounds and its `?`, without the `+` of a possessive one.
    fn repetition(&mut self, sign: char) {
        self.result.push(sign);
        if self.result.ends_with("(?") {
            return;
        }
        if sign == '{' {
            let end = self.rest.find('}').map_or(0, |at| at + 1);
            self.result.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
        }
        if self.skip("?") {
            self.result.push('?');
        } else {
            self.skip("+");
        }
    }

    fn escape(&mut self) {
        let Some(character) = self.take() else { return self.result.push('\\') };
        match character {
            'd' => self.result.push_str("[0-9]"),
            'D' => self.result.push_str("[^0-9]"),
            'w' => self.result.push_str("[0-9A-Za-z_]"),
            'W' => self.result.push_str("[^0-9A-Za-z_]"),
            's' | 'S' => self.class(SPACE, character == 'S'),
            'h' | 'H' => self.class(HORIZONTAL, character == 'H'),
            'v' | 'V' => self.class(VERTICAL, character == 'V'),
            'R' => self.result.extend([r"(?:\r\n|[", VERTICAL, "])"]),
            'Z' => self.result.push_str(r"\z"),
            'e' => self.result.push_str(r"\x1B"),
            'p' | 'P' => self.property(character),
            'x' | 'u' => self.braced(character),
            'Q' => self.quote(),
            '<' | '>' => self.result.push(character),
            other if !other.is_ascii() => self.result.push(other),
            other => self.result.extend(['\\', other]),
        }
    }

    fn class(&mut self, set: &str, negated: bool) {
        let caret = if negated { "^" } else { "" };
        self.result.extend(["[", caret, set, "]"]);
    }

    /// Everything up to `\E` stands for itself.
    fn quote(&mut self) {
        let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
        self.result.push_str(&regex::escape(quoted));
        self.rest = rest;
    }

    /// The POSIX names are ASCII; the names of Unicode are the same here and there.
    fn property(&mut self, sign: char) {
        let name = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        match name.and_then(|(name, rest)| Some((posix(name)?, rest))) {
            Some((class, rest)) => {
                let caret = if sign == 'P' { "^" } else { "" };
                self.result.extend(["[[:", caret, class, ":]]"]);
                self.rest = rest;
            }
            None => self.braced(sign),
        }
    }

    /// An escape whose braces are no repetition.
    fn braced(&mut self, sign: char) {
        let end = if self.rest.starts_with('{') { self.rest.find('}') } else { None };
        let (braces, rest) = self.rest.split_at(end.map_or(0, |at| at + 1));
        self.result.extend(['\\', sign]);
        self.result.push_str(braces);
        self.rest = rest;
    }
}

fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "lower",
        "Upper" => "upper",
        "ASCII" => "ascii",
        "Alpha" => "alpha",
        "Digit" => "digit",
        "Alnum" => "alnum",
        "Punct" => "punct",
        "Graph" => "graph",
        "Print" => "print",
        "Blank" => "blank",
        "Cntrl" => "cntrl",
        "XDigit" => "xdigit",
        "Space" => "space",
        _ => return None,
    })
}
