//! The parts of a plain pattern, one behind the other: enough to tell what a search cannot
//! run into.

use std::iter::Peekable;

/// What a part stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    One(char),
    /// `\s`, `\d` or `\w`.
    Kind(char),
    /// `[a-z_]`, or with `^` all but these.
    Listed {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// Nothing is known of it.
    Any,
}

/// How often a part may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    is_needed: bool,
    is_endless: bool,
}

/// The parts of a pattern.
#[derive(Debug)]
pub(super) struct Parts(Vec<(Set, Count)>);

impl Parts {
    /// The parts of a pattern; `None` where it has groups, alternatives or anything else that
    /// is not plain.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            let set = match character {
                '\\' => escaped(rest.next()?)?,
                '[' => listed(&mut rest)?,
                '.' => Set::Any,
                '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' | ']' | '^' | '$' => return None,
                one => Set::One(one),
            };
            parts.push((set, count(&mut rest)?));
        }
        Some(Self(parts))
    }

    /// Whether each part that may go on for ever is stopped by the next one, or ends the
    /// pattern: then a search that finds something has not looked beyond it.
    pub(super) fn stop_each_other(&self) -> bool {
        self.0.iter().enumerate().all(|(at, (set, count))| {
            if !count.is_endless {
                return true;
            }
            match self.0.get(at + 1) {
                None => true,
                Some((Set::One(next), next_count)) => next_count.is_needed && set.excludes(*next),
                Some(_) => false,
            }
        })
    }

    /// Whether it begins with a character at which no later part can be: then no two matches
    /// are tried at once.
    pub(super) fn begin_alone(&self) -> bool {
        let Some(((Set::One(first), count), later)) = self.0.split_first() else { return false };
        count.is_needed && later.iter().all(|(set, _)| set.excludes(*first))
    }
}

impl Set {
    /// Whether it surely does not stand for a character.
    fn excludes(&self, character: char) -> bool {
        match self {
            Self::One(one) => *one != character,
            Self::Kind('s') => !character.is_whitespace(),
            Self::Kind('d') => !character.is_numeric(),
            Self::Kind('w') => character.is_ascii() && !is_word(character),
            Self::Listed { negated, ranges } => {
                let is_listed =
                    ranges.iter().any(|(first, last)| (first..=last).contains(&&character));
                is_listed == *negated
            }
            Self::Kind(_) | Self::Any => false,
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// What an escaped character stands for.
fn escaped(character: char) -> Option<Set> {
    match character {
        's' | 'd' | 'w' => Some(Set::Kind(character)),
        mark if mark.is_ascii_punctuation() => Some(Set::One(mark)),
        _ => None,
    }
}

/// A class up to its bracket: characters and ranges only.
fn listed(rest: &mut Peekable<impl Iterator<Item = char>>) -> Option<Set> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let first = match rest.next()? {
            ']' if !ranges.is_empty() => return Some(Set::Listed { negated, ranges }),
            ']' | '[' | '\\' | '&' | '-' | '~' => return None,
            first => first,
        };
        let last = if rest.next_if_eq(&'-').is_some() {
            rest.next().filter(|last| !matches!(last, ']' | '[' | '\\'))?
        } else {
            first
        };
        ranges.push((first, last));
    }
}

/// How often the part before may come; `None` for what is not plain, such as `*?`.
fn count(rest: &mut Peekable<impl Iterator<Item = char>>) -> Option<Count> {
    let (is_needed, is_endless) = match rest.peek() {
        Some('*') => (false, true),
        Some('+') => (true, true),
        Some('?') => (false, false),
        Some('{') => return times(rest),
        _ => return Some(Count { is_needed: true, is_endless: false }),
    };
    rest.next();
    plain(rest, Count { is_needed, is_endless })
}

/// `{2}`, `{2,}` or `{2,3}`.
fn times(rest: &mut Peekable<impl Iterator<Item = char>>) -> Option<Count> {
    let counts: String = rest.by_ref().skip(1).take_while(|end| *end != '}').collect();
    let (least, most) = counts.split_once(',').unwrap_or((&counts, &counts));
    let least: u32 = least.parse().ok()?;
    let is_endless = most.is_empty();
    if !is_endless {
        most.parse::<u32>().ok()?;
    }
    plain(rest, Count { is_needed: least > 0, is_endless })
}

fn plain(rest: &mut Peekable<impl Iterator<Item = char>>, count: Count) -> Option<Count> {
    let goes_on = matches!(rest.peek(), Some('?' | '+' | '*' | '{'));
    (!goes_on).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn parts_that_stop_each_other_are_told_from_those_that_do_not() {
        let stop = |pattern: &str| Parts::of(pattern).is_some_and(|parts| parts.stop_each_other());
        for pattern in [
            "<[^>]*>",
            "\\s*,\\s*",
            "class=\"[^\"]*\"",
            "a+b",
            "[0-9]+;",
            "\\d{2,}-",
            "ab*",
            "\\w+@",
        ] {
            assert!(stop(pattern), "{pattern}");
        }
        for pattern in [
            "<.*>", "a+a", "[^>]*x", "\\s*\\d", "a*?b", "(ab)*c", "a*|b", "[^>]*>?", "\\w+é",
            "a*^", "[a\\]]*;", "a{2, }b", "a++b",
        ] {
            assert!(!stop(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_beginning_that_no_later_part_can_be_stands_alone() {
        let alone = |pattern: &str| Parts::of(pattern).is_some_and(|parts| parts.begin_alone());
        for pattern in ["INC[0-9]{7}", "#\\d{4}", "<[^<]{9}"] {
            assert!(alone(pattern), "{pattern}");
        }
        for pattern in ["a.{10}", "a[^b]{9}", "[0-9]{7}", "I?[0-9]{7}", "1\\d{9}", ""] {
            assert!(!alone(pattern), "{pattern}");
        }
    }
}
