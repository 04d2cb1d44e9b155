//! What elements refer to by id: messages, signals and errors; and that ids are unique.

use std::collections::HashMap;

use roxmltree::Document;

use super::reader::Reader;
use super::xml::{self, Node};

/// The messages, signals and errors of a file.
pub(super) struct Definitions<'x> {
    by_id: HashMap<(&'x str, &'x str), Node<'x>>,
}

impl<'x> Definitions<'x> {
    /// Those below the root.
    pub(super) fn of(root: Node<'x>) -> Self {
        let named = |node| Some(((xml::name(node), xml::filled(node, "id")?), node));
        Self { by_id: xml::children(root).filter_map(named).collect() }
    }

    /// The one of that kind (`message`, `signal`, `error`) and id.
    pub(super) fn get(&self, kind: &str, id: &str) -> Option<Node<'x>> {
        self.by_id.get(&(kind, id)).copied()
    }
}

/// Reports every id that two BPMN elements share.
pub(super) fn check_ids<'x>(document: &'x Document<'x>, reader: &mut Reader<'_>) {
    let mut first: HashMap<&str, Node<'x>> = HashMap::new();
    for node in document.descendants().filter(|node| xml::is_bpmn(*node)) {
        let Some(id) = xml::filled(node, "id") else { continue };
        if let Some(earlier) = first.get(id) {
            let line = xml::line(*earlier);
            let kind = xml::name(*earlier);
            reader.report(
                node,
                format!("the id is that of the {kind} in line {line} already; rename one of them"),
            );
        } else {
            first.insert(id, node);
        }
    }
}
