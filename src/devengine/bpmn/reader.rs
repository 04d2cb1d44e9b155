//! What all readers of elements share: the file's definitions, and the list of problems.
//!
//! A reader that cannot go on reports why and answers `None`; its caller puts anything in
//! its place and goes on, so that one pass finds everything. With one problem reported, no
//! process leaves [`Reader::finish`].

use jiff::Timestamp;

use crate::feel::{Context, Environment, Expression, Value};

use super::definitions::Definitions;
use super::error::{ElementName, Problem, ReadError};
use super::model::Text;
use super::xml::{self, Node};

/// Reads the elements of one file.
pub(super) struct Reader<'x> {
    /// Messages, signals and errors of the file.
    pub(super) definitions: Definitions<'x>,
    problems: Vec<Problem>,
}

impl<'x> Reader<'x> {
    /// A reader of the file with that root.
    pub(super) fn new(root: Node<'x>) -> Self {
        Self { definitions: Definitions::of(root), problems: Vec::new() }
    }

    /// Reports a problem of an element.
    pub(super) fn report(&mut self, node: Node<'_>, reason: impl Into<String>) {
        let id = xml::filled(node, "id")
            .map_or_else(|| format!("line {}", xml::line(node)), str::to_owned);
        let element = Some(ElementName { id, kind: xml::name(node).to_owned() });
        self.problems.push(Problem { element, reason: reason.into() });
    }

    /// Reports a problem of an element and answers that there is nothing.
    pub(super) fn refuse<T>(&mut self, node: Node<'_>, reason: impl Into<String>) -> Option<T> {
        self.report(node, reason);
        None
    }

    /// Reports a problem of the file.
    pub(super) fn report_file(&mut self, reason: impl Into<String>) {
        self.problems.push(Problem { element: None, reason: reason.into() });
    }

    /// What was read, if nothing was reported.
    pub(super) fn finish<T>(self, read: T) -> Result<T, ReadError> {
        if self.problems.is_empty() { Ok(read) } else { Err(ReadError { problems: self.problems }) }
    }

    /// A text that is fixed, or an expression after `=`; `field` names it in problems.
    pub(super) fn text(&mut self, node: Node<'_>, field: &str, text: &str) -> Option<Text> {
        if is_expression(text) {
            return self.parsed(node, field, text).map(Text::Expression);
        }
        Some(Text::Fixed(text.to_owned()))
    }

    /// A text that must be an expression.
    pub(super) fn expression(
        &mut self,
        node: Node<'_>,
        field: &str,
        text: &str,
    ) -> Option<Expression> {
        if is_expression(text) {
            return self.parsed(node, field, text);
        }
        self.refuse(node, format!("{field}: '{text}' is no expression; write '={text}'"))
    }

    /// A name that must be known before there are variables.
    pub(super) fn constant(&mut self, node: Node<'_>, field: &str, text: Text) -> Option<Text> {
        let Text::Expression(expression) = &text else { return Some(text) };
        match without_variables(expression) {
            Some(Value::String(name)) => Some(Text::Fixed(name.to_string())),
            _ => self.refuse(
                node,
                format!(
                    "{field}: the expression gives no text before a process starts, when there \
                     are no variables; write it as fixed text"
                ),
            ),
        }
    }

    fn parsed(&mut self, node: Node<'_>, field: &str, text: &str) -> Option<Expression> {
        match Expression::parse(text.trim()) {
            Ok(expression) => Some(expression),
            Err(error) => self.refuse(node, format!("{field} is no FEEL: {error}")),
        }
    }

    /// An attribute that must be there.
    pub(super) fn required<'n>(
        &mut self,
        node: Node<'_>,
        holder: Node<'n>,
        attribute: &str,
        remedy: &str,
    ) -> Option<&'n str> {
        let value = xml::filled(holder, attribute);
        if value.is_none() {
            return self.refuse(node, remedy);
        }
        value
    }
}

/// Whether a text means something before there are variables.
pub(super) fn is_constant(text: &Text) -> bool {
    match text {
        Text::Fixed(_) => true,
        Text::Expression(expression) => {
            !matches!(without_variables(expression), None | Some(Value::Null))
        }
    }
}

/// What an expression gives when there are no variables; what it gives of `now()` matters to
/// nobody here.
fn without_variables(expression: &Expression) -> Option<Value> {
    let nothing = Value::Context(Context::default().into());
    let environment = Environment::new(Timestamp::UNIX_EPOCH);
    Some(expression.evaluate(&nothing, &environment).ok()?.value)
}

/// Whether a text is FEEL, as the engine tells it.
fn is_expression(text: &str) -> bool {
    text.trim_start().starts_with('=')
}
