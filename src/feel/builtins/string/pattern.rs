//! Functions of regular expressions, searched in linear time.
//!
//! The matches of a text are found as Java finds them: after a match the search goes on
//! at its end, after an empty match one character later. Letters match without regard
//! to case beyond ASCII too, and `$` is the end of the text alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::{Match, Regex, RegexBuilder};

use super::effort::{self, Effort};
use super::replacement::Replacement;
use super::syntax;
use crate::feel::builtins::Call;
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::value::Value;

/// Bytes that a compiled pattern may take.
const SIZE: usize = 1 << 20;
/// Bytes that a pattern may have.
const LENGTH: usize = 16 << 10;
/// Groups and repetitions nested in each other.
const NESTING: u32 = 64;
/// Compiled patterns that are kept.
const KEPT: usize = 128;
/// What compiling costs in elementary steps, at least, for each byte of the pattern, for each
/// of its parts that stand for thousands of characters, and with counts, by which a pattern
/// may be many times as large as it looks.
const COMPILATION: usize = 5_000;
const PER_BYTE: usize = 30;
const PER_CLASS: usize = 15_000;
const COUNTED: usize = 50_000;
/// What it costs at most, since [`SIZE`] ends it.
const COSTLIEST_COMPILATION: usize = 300_000;

pub(super) fn matches(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (text, pattern, flags) = match arguments {
        [Value::String(text), Value::String(pattern)] => (text, pattern, ""),
        [Value::String(text), Value::String(pattern), Value::String(flags)] => {
            (text, pattern, &**flags)
        }
        _ => return call.mismatch(arguments),
    };
    let Some(kept) = compiled(call, pattern, flags)? else { return Ok(Value::Null) };
    let (regex, effort) = &*kept;
    call.budget().steps(effort.first(text).saturating_add(effort.search(text)))?;
    Ok(Value::Boolean(regex.is_match(text)))
}

pub(super) fn replace(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (text, pattern, by, flags) = match arguments {
        [Value::String(text), Value::String(pattern), Value::String(by)] => (text, pattern, by, ""),
        [Value::String(text), Value::String(pattern), Value::String(by), Value::String(flags)] => {
            (text, pattern, by, &**flags)
        }
        _ => return call.mismatch(arguments),
    };
    let Some(kept) = compiled(call, pattern, flags)? else { return Ok(Value::Null) };
    let (regex, effort) = &*kept;
    call.budget().steps(cost::reading(by))?;
    let Some(replacement) = Replacement::parse(by, regex) else {
        call.budget().steps(effort.first(text).saturating_add(effort.search(text)))?;
        if regex.is_match(text) {
            return call.null(format!("'{by}' names a group that the pattern does not have"));
        }
        return Ok(Value::String(text.clone()));
    };
    replaced(call, (regex, *effort), text, &replacement).map(Value::from)
}

fn replaced(
    call: &mut Call<'_>,
    (regex, effort): (&Regex, Effort),
    text: &str,
    replacement: &Replacement,
) -> Result<String, Error> {
    let mut result = String::new();
    let mut end = 0;
    let mut matches = Matches::new(call, (regex, effort), text)?;
    while let Some(found) = matches.next(call)? {
        if replacement.has_groups() {
            call.budget().steps(effort.groups(&text[found.start()..], found.as_str()))?;
        }
        push(call, &mut result, &text[end..found.start()])?;
        replacement.each(regex, text, found, |piece| push(call, &mut result, piece))?;
        end = found.end();
    }
    push(call, &mut result, &text[end..])?;
    Ok(result)
}

fn push(call: &mut Call<'_>, result: &mut String, piece: &str) -> Result<(), Error> {
    call.budget().bytes(piece.len())?;
    result.push_str(piece);
    Ok(())
}

pub(super) fn split(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text), Value::String(delimiter)] = arguments else {
        return call.mismatch(arguments);
    };
    let Some(kept) = compiled(call, delimiter, "")? else { return Ok(Value::Null) };
    let (regex, effort) = &*kept;
    let mut items = Vec::new();
    let mut end = 0;
    let mut matches = Matches::new(call, (regex, *effort), text)?;
    while let Some(found) = matches.next(call)? {
        // Nothing stands before an empty match at the beginning.
        if found.end() > 0 {
            items.push(item(call, &text[end..found.start()])?);
            end = found.end();
        }
    }
    items.push(item(call, &text[end..])?);
    Ok(Value::list(items))
}

pub(super) fn extract(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text), Value::String(pattern)] = arguments else {
        return call.mismatch(arguments);
    };
    let Some(kept) = compiled(call, pattern, "")? else { return Ok(Value::Null) };
    let (regex, effort) = &*kept;
    let mut items = Vec::new();
    let mut matches = Matches::new(call, (regex, *effort), text)?;
    while let Some(found) = matches.next(call)? {
        items.push(item(call, found.as_str())?);
    }
    Ok(Value::list(items))
}

fn item(call: &mut Call<'_>, text: &str) -> Result<Value, Error> {
    call.budget().items(1)?;
    call.budget().bytes(text.len())?;
    Ok(Value::from(text))
}

/// The matches in a text, one after the other.
struct Matches<'a> {
    regex: &'a Regex,
    effort: Effort,
    text: &'a str,
    /// Where the search goes on; beyond the text when it is over.
    next: usize,
}

impl<'a> Matches<'a> {
    fn new(
        call: &mut Call<'_>,
        (regex, effort): (&'a Regex, Effort),
        text: &'a str,
    ) -> Result<Self, Error> {
        call.budget().steps(effort.first(text))?;
        Ok(Self { regex, effort, text, next: 0 })
    }

    /// A search may have to look at all that is left, so that is what it costs.
    fn next(&mut self, call: &mut Call<'_>) -> Result<Option<Match<'a>>, Error> {
        if self.next > self.text.len() {
            return Ok(None);
        }
        call.budget().steps(self.effort.search(&self.text[self.next..]))?;
        let found = self.regex.find_at(self.text, self.next);
        self.next = match found {
            None => usize::MAX,
            Some(found) if found.is_empty() => {
                let step = self.text[found.end()..].chars().next().map_or(1, char::len_utf8);
                found.end() + step
            }
            Some(found) => found.end(),
        };
        Ok(found)
    }
}

/// The compiled pattern, or none with a warning.
fn compiled(call: &mut Call<'_>, pattern: &str, flags: &str) -> Result<Option<Kept>, Error> {
    call.budget().steps(effort::asking(pattern))?;
    call.budget().steps(cost::reading(flags))?;
    let flags: String = "smix".chars().filter(|flag| flags.contains(*flag)).collect();
    let key = format!("{flags}/{pattern}");
    if let Some(kept) = kept().lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Some(Arc::clone(kept)));
    }
    call.budget().steps(compilation(pattern))?;
    match compile(pattern, &flags) {
        Ok(regex) => {
            let pattern = Arc::new((regex, Effort::of(pattern, &flags)));
            keep(key, Arc::clone(&pattern));
            Ok(Some(pattern))
        }
        Err(reason) => {
            call.warn(format!("cannot use the pattern '{}': {reason}", shortened(pattern)));
            Ok(None)
        }
    }
}

/// What compiling a pattern costs, so that a loop over patterns ends as soon as any other.
fn compilation(pattern: &str) -> usize {
    let classes: usize =
        ["\\p", "\\P", "[^"].iter().map(|part| pattern.matches(part).count()).sum();
    let counted = if pattern.contains('{') { COUNTED } else { 0 };
    let all = COMPILATION + counted + PER_BYTE * pattern.len() + PER_CLASS * classes;
    all.min(COSTLIEST_COMPILATION)
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, String> {
    if pattern.len() > LENGTH {
        return Err("it is too long".to_owned());
    }
    let built = RegexBuilder::new(&syntax::translated(pattern))
        .dot_matches_new_line(flags.contains('s'))
        .multi_line(flags.contains('m'))
        .case_insensitive(flags.contains('i'))
        .ignore_whitespace(flags.contains('x'))
        .crlf(true)
        .nest_limit(NESTING)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => reason(&other.to_string()),
    })
}

/// What is wrong, without the drawing that shows where.
fn reason(error: &str) -> String {
    let text = error.rsplit_once("error: ").map_or(error, |(_, reason)| reason);
    text.trim().replace('\n', " ")
}

fn shortened(pattern: &str) -> String {
    pattern.chars().take(100).collect()
}

/// A compiled pattern, with the room that searches reuse, and how much work it makes.
type Kept = Arc<(Regex, Effort)>;
type Patterns = Mutex<HashMap<String, Kept>>;

fn kept() -> &'static Patterns {
    static KEPT_PATTERNS: OnceLock<Patterns> = OnceLock::new();
    KEPT_PATTERNS.get_or_init(Patterns::default)
}

/// Patterns come from few expressions; should there be many, the store starts anew.
fn keep(key: String, pattern: Kept) {
    let mut kept = kept().lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, pattern);
}
