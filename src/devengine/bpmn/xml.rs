//! XML with namespaces, within limits, and what is asked of its nodes.

use roxmltree::{Document, NodeType, ParsingOptions};

use super::error::ReadError;

/// A node; one lifetime is enough here.
pub(super) type Node<'x> = roxmltree::Node<'x, 'x>;

/// The largest file, in bytes: a gRPC message is no larger either.
const SIZE: usize = 4 << 20;
/// The most XML nodes in a file.
const NODES: u32 = 500_000;

const MODEL: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";

/// Parses a file that is within the limits; document types are refused.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, ReadError> {
    if xml.len() > SIZE {
        let size = xml.len();
        return Err(ReadError::file(format!(
            "the file has {size} bytes; a process of at most {SIZE} bytes can be deployed"
        )));
    }
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml.trim_start_matches('\u{feff}'), options)
        .map_err(|error| ReadError::file(not_xml(&error)))?;
    let root = document.root_element();
    if root.has_tag_name((MODEL, "definitions")) {
        return Ok(document);
    }
    Err(ReadError::file(format!(
        "line {}: not BPMN: the root element is '{}' where 'definitions' of BPMN 2.0 was expected",
        line(root),
        root.tag_name().name()
    )))
}

fn not_xml(error: &roxmltree::Error) -> String {
    let line = error.pos().row;
    match error {
        roxmltree::Error::DtdDetected => {
            format!("line {line}: document types are not read; remove the DOCTYPE")
        }
        roxmltree::Error::NodesLimitReached => {
            format!("the file has more than {NODES} XML nodes; split it")
        }
        other => {
            let text = other.to_string();
            let place = format!(" at {}", other.pos());
            format!("line {line}: not XML: {}", text.strip_suffix(&place).unwrap_or(&text))
        }
    }
}

/// The line a node begins in, from 1.
pub(super) fn line(node: Node<'_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

/// The name without prefix.
pub(super) fn name(node: Node<'_>) -> &str {
    node.tag_name().name()
}

/// The BPMN elements right below a node.
pub(super) fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.children().filter(|child| is_bpmn(*child))
}

/// Whether a node is an element of the BPMN model.
pub(super) fn is_bpmn(node: Node<'_>) -> bool {
    node.node_type() == NodeType::Element && node.tag_name().namespace() == Some(MODEL)
}

/// The first BPMN element of that name right below a node.
pub(super) fn child<'x>(node: Node<'x>, name: &str) -> Option<Node<'x>> {
    node.children().find(|child| child.has_tag_name((MODEL, name)))
}

/// The extension of that name.
pub(super) fn extension<'x>(node: Node<'x>, name: &str) -> Option<Node<'x>> {
    let extensions = child(node, "extensionElements")?;
    extensions.children().find(|child| child.has_tag_name((ZEEBE, name)))
}

/// Zeebe's elements of that name right below one of its elements.
pub(super) fn zeebe_children<'x>(
    node: Node<'x>,
    name: &'static str,
) -> impl Iterator<Item = Node<'x>> {
    node.children().filter(move |child| child.has_tag_name((ZEEBE, name)))
}

/// An attribute that is there and not blank.
pub(super) fn filled<'x>(node: Node<'x>, name: &str) -> Option<&'x str> {
    node.attribute(name).filter(|value| !value.trim().is_empty())
}

/// A reference to another element, without its prefix: ids have none.
pub(super) fn reference<'x>(node: Node<'x>, name: &str) -> Option<&'x str> {
    let value = filled(node, name)?.trim();
    Some(value.rsplit_once(':').map_or(value, |(_, id)| id))
}

/// An attribute of type `xsd:boolean`.
pub(super) fn flag(node: Node<'_>, name: &str, default: bool) -> bool {
    match node.attribute(name).map(str::trim) {
        Some("true" | "1") => true,
        Some("false" | "0") => false,
        _ => default,
    }
}

/// All text below a node, without blanks around it.
pub(super) fn text(node: Node<'_>) -> String {
    let whole: String = node.children().filter_map(|child| child.text()).collect();
    whole.trim().to_owned()
}
