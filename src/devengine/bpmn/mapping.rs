//! Input and output mappings, and the names of variables.

use super::model::{Mapping, Text};
use super::reader::Reader;
use super::xml::{self, Node};

/// Words that are no variable's name, because FEEL reads them otherwise.
const RESERVED: &[&str] = &[
    "null", "true", "false", "function", "if", "then", "else", "for", "between", "instance", "of",
];

/// The input mappings of an element.
pub(super) fn inputs(node: Node<'_>, reader: &mut Reader<'_>) -> Vec<Mapping> {
    let read = |entry: Node<'_>, reader: &mut Reader<'_>| {
        let target = target(node, "input", entry, reader);
        // Nothing is null since 8.8; a broker of 8.6 asks for something.
        let source = xml::filled(entry, "source").unwrap_or("=null");
        let source = reader.text(node, &field("input", entry), source);
        Some(Mapping { source: source?, target: target? })
    };
    entries(node, "input").filter_map(|entry| read(entry, reader)).collect()
}

/// The output mappings of an element.
pub(super) fn outputs(node: Node<'_>, reader: &mut Reader<'_>) -> Vec<Mapping> {
    let read = |entry: Node<'_>, reader: &mut Reader<'_>| {
        let target = target(node, "output", entry, reader);
        let remedy = "an output mapping has no source; write an expression after '='";
        let source = reader.required(node, entry, "source", remedy)?;
        let source = reader.expression(node, &field("output", entry), source);
        Some(Mapping { source: Text::Expression(source?), target: target? })
    };
    entries(node, "output").filter_map(|entry| read(entry, reader)).collect()
}

fn entries<'x>(node: Node<'x>, name: &'static str) -> impl Iterator<Item = Node<'x>> {
    let mappings = xml::extension(node, "ioMapping");
    mappings.into_iter().flat_map(move |mappings| xml::zeebe_children(mappings, name))
}

/// How a mapping is called in problems.
fn field(kind: &str, entry: Node<'_>) -> String {
    format!("{kind} '{}'", entry.attribute("target").unwrap_or_default())
}

fn target(
    node: Node<'_>,
    kind: &str,
    entry: Node<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<String>> {
    let text = entry.attribute("target").unwrap_or_default().trim();
    if text.is_empty() {
        return reader.refuse(node, format!("an {kind} mapping has no target; name a variable"));
    }
    path(node, &format!("target of an {kind} mapping"), text, reader)
}

/// A path to a variable, `a` or `a.b`.
pub(super) fn path(
    node: Node<'_>,
    field: &str,
    text: &str,
    reader: &mut Reader<'_>,
) -> Option<Vec<String>> {
    if !text.split('.').all(is_name) {
        let reason = format!(
            "{field}: '{text}' is no variable; use letters, digits and underscores, \
             with dots between names"
        );
        return reader.refuse(node, reason);
    }
    if RESERVED.contains(&text) {
        let reason = format!("{field}: '{text}' is a word of FEEL; choose another name");
        return reader.refuse(node, reason);
    }
    Some(text.split('.').map(str::to_owned).collect())
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
