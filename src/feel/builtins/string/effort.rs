//! What it may cost to search a text for a pattern.
//!
//! Most searches look at each byte once or twice. Patterns of many parts that stand for
//! several characters, and bounds of words in texts beyond ASCII, are searched with all
//! places of the pattern at once, for each byte.

use super::parts::Parts;
use crate::feel::cost;

/// Bytes of text that a step looks at.
const BYTES: usize = 8;
/// Bytes that a step looks at where upper and lower case are one.
const FOLDED: usize = 4;
/// Places of a slow pattern that a step tries for a byte.
const PLACES: usize = 4;
/// Parts that stand for several characters, as many as are searched fast.
const FEW: usize = 4;
/// What a search costs at least, and one that keeps the groups of a match.
const SEARCH: usize = 8;
const GROUPS: usize = 150;

/// How much work a pattern makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Characters and parts, repeated as often as they are counted.
    places: usize,
    /// Parts among them that stand for several characters.
    classes: usize,
    /// Whether it asks for bounds of words.
    words: bool,
    groups: usize,
    /// Whether upper and lower case are one.
    folds: bool,
    /// Whether a search that finds something may have looked far beyond it.
    looks_far: bool,
}

impl Effort {
    pub(super) fn of(pattern: &str, flags: &str) -> Self {
        let (places, classes) = size(pattern);
        // Flags change what parts stand for.
        let parts = Parts::of(pattern).filter(|_| flags.is_empty());
        let is_alone = parts.as_ref().is_some_and(Parts::begin_alone);
        let is_stopped = parts.as_ref().is_some_and(Parts::stop_each_other);
        Self {
            places,
            classes: if is_alone { classes.min(FEW) } else { classes },
            words: pattern.contains("\\b") || pattern.contains("\\B"),
            folds: flags.contains('i') || pattern.contains("(?"),
            groups: pattern.matches('(').count(),
            looks_far: !is_stopped && looks_far(pattern),
        }
    }

    /// What it costs before the first search.
    pub(super) fn first(self, text: &str) -> usize {
        if self.looks_far { 0 } else { self.bytes(text) }
    }

    /// What a search costs that may look at all of this text.
    pub(super) fn search(self, rest: &str) -> usize {
        let seen = if self.looks_far { usize::MAX } else { self.places.saturating_mul(4) };
        SEARCH.saturating_add(self.bytes(&rest[..rest.floor_char_boundary(seen)]))
    }

    /// What it costs to find the groups of a match, from where it begins.
    pub(super) fn groups(self, rest: &str, found: &str) -> usize {
        let places = self.places.saturating_mul(1 + self.groups / 8);
        let within = (1 + found.len()).saturating_mul(places).saturating_mul(3) / 2;
        GROUPS.saturating_add(self.search(rest)).saturating_add(within)
    }

    fn bytes(self, text: &str) -> usize {
        if self.classes > FEW || (self.words && !text.is_ascii()) {
            text.len().saturating_mul(self.places) / PLACES
        } else {
            text.len() / if self.folds { FOLDED } else { BYTES }
        }
    }
}

/// What it costs to ask for a pattern that is at hand.
pub(super) fn asking(pattern: &str) -> usize {
    cost::key(pattern)
}

/// Whether a match, or what might have become one, can be of any length and yet fail at its end.
/// What repeats at the end alone cannot.
fn looks_far(pattern: &str) -> bool {
    let simple = !pattern.contains(['(', '|']);
    let before = pattern.strip_suffix(['*', '+']).filter(|_| simple).unwrap_or(pattern);
    let endless = |count: &str| count.trim_start().starts_with('}');
    before.contains(['*', '+']) || before.split(',').skip(1).any(endless)
}

/// The places of a pattern, and those among them that stand for several characters.
fn size(pattern: &str) -> (usize, usize) {
    let mut groups = vec![(0_usize, 0_usize)];
    let mut last = (0_usize, 0_usize);
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        let part = match character {
            '(' => {
                groups.push((0, 0));
                continue;
            }
            ')' if groups.len() > 1 => groups.pop().unwrap_or_default(),
            '{' => {
                let counts: String = rest.by_ref().take_while(|end| *end != '}').collect();
                let most = counts.split(',').filter_map(|count| count.trim().parse().ok()).max();
                // The part has been counted once.
                let more = most.unwrap_or(1_usize).saturating_sub(1);
                (last.0.saturating_mul(more), last.1.saturating_mul(more))
            }
            '\\' => {
                rest.next();
                (1, 1)
            }
            '[' => {
                skip_class(&mut rest);
                (1, 1)
            }
            '.' | '?' => (1, 1),
            // Of two alternatives as of two characters, either may be meant.
            '|' => (0, 1),
            '*' | '+' | '^' | '$' => continue,
            _ => (1, 0),
        };
        last = part;
        if let Some(sum) = groups.last_mut() {
            *sum = (sum.0.saturating_add(part.0), sum.1.saturating_add(part.1));
        }
    }
    let all = groups.iter();
    all.fold((0, 0), |all, group| (all.0.saturating_add(group.0), all.1.saturating_add(group.1)))
}

/// Goes behind the bracket that closes a class.
fn skip_class(rest: &mut impl Iterator<Item = char>) {
    while let Some(character) = rest.next() {
        match character {
            '\\' => drop(rest.next()),
            ']' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{looks_far, size};

    #[test]
    fn only_what_repeats_without_end_before_its_end_looks_far() {
        for pattern in ["a.*b", "(a|b)*", "a+|b", "a{2,}b", "a{2, }b", "a*?"] {
            assert!(looks_far(pattern), "{pattern}");
        }
        for pattern in ["abc", "a?b", "\\s+", "[0-9]{1,4}x", "a|b", "ab*", "a{2}, b"] {
            assert!(!looks_far(pattern), "{pattern}");
        }
    }

    #[test]
    fn counts_multiply_what_they_repeat() {
        for (pattern, places, classes) in [
            ("abc", 3, 0),
            ("a[bc]d", 3, 1),
            ("[^\\]]{10}", 10, 10),
            ("\\d{4}-\\d{2}", 7, 6),
            ("(ab{3}){2,5}", 20, 0),
            ("(([ab]{10}){10}){10}", 1000, 1000),
            ("a{1,", 1, 0),
            ("((a", 1, 0),
            ("(a|b){5}", 10, 5),
        ] {
            assert_eq!(size(pattern), (places, classes), "{pattern}");
        }
    }
}
