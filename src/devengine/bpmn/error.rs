//! Why a file is refused: every reason at once, each with its element and a remedy.

use std::fmt;

/// Everything that keeps a file from being deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The reasons, in the order they were found; never empty.
    pub problems: Vec<Problem>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The element; `None` when it is about the file.
    pub element: Option<ElementName>,
    /// What is wrong, and what to do about it.
    pub reason: String,
}

/// What an element is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementName {
    /// Its id; `line N` when it has none.
    pub id: String,
    /// The kind of element, as BPMN names it.
    pub kind: String,
}

impl ReadError {
    /// A file that cannot be read at all.
    pub(super) fn file(reason: impl Into<String>) -> Self {
        Self { problems: vec![Problem { element: None, reason: reason.into() }] }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.element {
            Some(element) => write!(f, "{element}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl fmt::Display for ElementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "element '{}' ({})", self.id, self.kind)
    }
}

impl std::error::Error for ReadError {}
