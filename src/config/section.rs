//! Typed reading of one section of the file, with the environment before it.
//!
//! A getter takes its key out of the section; what is left at the end is unknown. Mistakes
//! are collected, never returned early.

use std::{cell::RefCell, fmt, ops::RangeInclusive, time::Duration};

use toml::{Table, Value};

use super::Environment;

/// Everything wrong with a configuration.
#[derive(Debug)]
pub struct Mistakes(Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

/// Where mistakes gather while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Findings(RefCell<Vec<String>>);

impl Findings {
    pub(super) fn add(&self, key: &str, what: &str) {
        self.0.borrow_mut().push(format!("{key}: {what}"));
    }

    /// The mistakes, if there are any.
    pub(super) fn into_result(self) -> Result<(), Mistakes> {
        let found = self.0.into_inner();
        if found.is_empty() { Ok(()) } else { Err(Mistakes(found)) }
    }
}

/// A setting: its name in the file and in the environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    name: &'static str,
    env: &'static [&'static str],
}

impl Key {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, env: &[] }
    }

    /// The environment variables that set it, the strongest first.
    pub(super) const fn env(self, env: &'static [&'static str]) -> Self {
        Self { name: self.name, env }
    }
}

/// One section of the file.
#[derive(Debug)]
pub(super) struct Section<'m> {
    path: String,
    table: Table,
    known: Vec<&'static str>,
    environment: &'m Environment,
    findings: &'m Findings,
}

/// A value as found, with the name to blame.
struct Found {
    blame: String,
    value: Value,
    from_environment: bool,
}

impl<'m> Section<'m> {
    pub(super) fn root(table: Table, environment: &'m Environment, findings: &'m Findings) -> Self {
        Self { path: String::new(), table, known: Vec::new(), environment, findings }
    }

    /// A part of this section; empty when absent.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'m> {
        self.known.push(name);
        let path = self.path_of(name);
        let table = match self.table.remove(name) {
            Some(Value::Table(table)) => table,
            None => Table::new(),
            Some(other) => {
                self.findings.add(&path, &format!("is a section, not {}", other.type_str()));
                Table::new()
            }
        };
        self.child(path, table)
    }

    /// A part of this section, when it is there.
    pub(super) fn optional_section(&mut self, name: &'static str) -> Option<Section<'m>> {
        if self.table.contains_key(name) {
            return Some(self.section(name));
        }
        self.known.push(name);
        None
    }

    /// The parts of a list of sections, `[[name]]`.
    pub(super) fn sections(&mut self, name: &'static str) -> Vec<Section<'m>> {
        self.known.push(name);
        let path = self.path_of(name);
        let items = match self.table.remove(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.findings.add(&path, &format!("is a list: write [[{path}]]"));
                Vec::new()
            }
        };
        let part = |(number, item): (usize, Value)| match item {
            Value::Table(table) => Some(self.child(format!("{path}[{number}]"), table)),
            other => {
                let what = format!("is a section, not {}", other.type_str());
                self.findings.add(&format!("{path}[{number}]"), &what);
                None
            }
        };
        items.into_iter().enumerate().filter_map(part).collect()
    }

    /// The parts of this section that its author named.
    pub(super) fn named_sections(&mut self) -> Vec<(String, Section<'m>)> {
        let mut sections = Vec::new();
        for (name, value) in std::mem::take(&mut self.table) {
            let path = self.path_of(&name);
            match value {
                Value::Table(table) => sections.push((name, self.child(path, table))),
                other => {
                    self.findings.add(&path, &format!("is a section, not {}", other.type_str()));
                }
            }
        }
        sections
    }

    fn child(&self, path: String, table: Table) -> Section<'m> {
        Section {
            path,
            table,
            known: Vec::new(),
            environment: self.environment,
            findings: self.findings,
        }
    }

    /// A section that is not in the file.
    pub(super) fn empty(&self, path: &str) -> Section<'m> {
        self.child(path.to_owned(), Table::new())
    }

    /// Whether the file has something at this key, and be it wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// A value of any shape, from the file.
    pub(super) fn value(&mut self, name: &'static str) -> Option<serde_json::Value> {
        let found = self.take(Key::new(name))?;
        match serde_json::to_value(&found.value) {
            Ok(value) => Some(value),
            Err(error) => self.wrong(&found.blame, &format!("cannot be read: {error}")),
        }
    }

    /// The environment.
    pub(super) fn environment(&self) -> &'m Environment {
        self.environment
    }

    /// Records a mistake about a key of this section.
    pub(super) fn mistake(&self, key: &str, what: &str) {
        self.findings.add(&self.path_of(key), what);
    }

    /// Records a mistake about this section itself.
    pub(super) fn mistake_in_all(&self, what: &str) {
        self.findings.add(&self.path, what);
    }

    /// Text that is not blank.
    pub(super) fn text(&mut self, key: Key) -> Option<String> {
        self.text_or_empty(key).filter(|text| !text.is_empty())
    }

    /// Text, blank or not, without surrounding blanks.
    pub(super) fn text_or_empty(&mut self, key: Key) -> Option<String> {
        let found = self.take(key)?;
        match found.value {
            Value::String(text) => Some(text.trim().to_owned()),
            other => self.wrong(&found.blame, &format!("is text in quotes, not {other}")),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: Key) -> Option<bool> {
        let found = self.take(key)?;
        match &found.value {
            Value::Boolean(value) => Some(*value),
            Value::String(text) if found.from_environment && text.eq_ignore_ascii_case("true") => {
                Some(true)
            }
            Value::String(text) if found.from_environment && text.eq_ignore_ascii_case("false") => {
                Some(false)
            }
            other => self.wrong(&found.blame, &format!("is true or false, not {other}")),
        }
    }

    /// A whole number within a range.
    pub(super) fn count(&mut self, key: Key, range: RangeInclusive<usize>) -> Option<usize> {
        let found = self.take(key)?;
        let number = match &found.value {
            Value::Integer(number) => usize::try_from(*number).ok(),
            Value::String(text) if found.from_environment => text.parse().ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).or_else(|| {
            let (from, to, given) = (range.start(), range.end(), &found.value);
            self.wrong(&found.blame, &format!("is a number from {from} to {to}, not {given}"))
        })
    }

    /// A duration within a range, as `10s`, `5m` or `PT10S`.
    pub(super) fn duration(
        &mut self,
        key: Key,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let found = self.take(key)?;
        let duration = found.value.as_str().and_then(parse_duration);
        duration.filter(|duration| range.contains(duration)).or_else(|| {
            let (from, to, given) = (range.start(), range.end(), &found.value);
            let what =
                format!("is a duration such as \"10s\" from {from:?} to {to:?}, not {given}");
            self.wrong(&found.blame, &what)
        })
    }

    /// A list of texts; in the environment separated by commas.
    pub(super) fn texts(&mut self, key: Key) -> Option<Vec<String>> {
        let found = self.take(key)?;
        let texts: Option<Vec<String>> = match &found.value {
            Value::String(text) if found.from_environment => {
                Some(text.split(',').map(|part| part.trim().to_owned()).collect())
            }
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        let texts = texts.or_else(|| {
            let what = format!("is a list of texts in quotes, not {}", found.value);
            self.wrong(&found.blame, &what)
        })?;
        Some(texts.into_iter().filter(|text| !text.is_empty()).collect())
    }

    /// One of a few words.
    pub(super) fn one_of<T: Clone>(&mut self, key: Key, words: &[(&str, T)]) -> Option<T> {
        let found = self.take(key)?;
        let given = found.value.as_str().unwrap_or_default();
        let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(given));
        meant.map(|(_, meaning)| meaning.clone()).or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let what = format!("is one of {}, not {}", known.join(", "), found.value);
            self.wrong(&found.blame, &what)
        })
    }

    /// Whatever is left is unknown.
    pub(super) fn finish(self) {
        self.finish_ref();
    }

    /// As [`Self::finish`], for a borrowed section.
    pub(super) fn finish_ref(&self) {
        for name in self.table.keys() {
            let known = self.known.join(", ");
            self.mistake(name, &format!("is no setting; known here: {known}"));
        }
    }

    fn take(&mut self, key: Key) -> Option<Found> {
        self.known.push(key.name);
        let in_file = self.table.remove(key.name);
        if let Some((name, text)) = self.environment.first(key.env) {
            let value = Value::String(text.to_owned());
            return Some(Found { blame: name.to_owned(), value, from_environment: true });
        }
        let blame = self.path_of(key.name);
        in_file.map(|value| Found { blame, value, from_environment: false })
    }

    fn wrong<T>(&self, blame: &str, what: &str) -> Option<T> {
        self.findings.add(blame, what);
        None
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// Reads `10s`, `5m`, `1h 30m` or ISO-8601.
fn parse_duration(text: &str) -> Option<Duration> {
    let duration: jiff::SignedDuration = text.trim().parse().ok()?;
    Duration::try_from(duration).ok()
}
