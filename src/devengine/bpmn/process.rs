//! A process: its outline, then its flows, then its elements, then what holds between them.

use super::check;
use super::element::{self, Site};
use super::flow::Flows;
use super::model::{Element, Flow, Kind, Process};
use super::outline::Outline;
use super::reader::Reader;
use super::xml::{self, Node};

/// Reads an executable process.
pub(super) fn read<'x>(node: Node<'x>, reader: &mut Reader<'x>) -> Process {
    let outline = Outline::of(node, reader);
    let flows = Flows::of(&outline, reader);
    let mut elements: Vec<_> = (0..outline.elements.len())
        .map(|index| element::read(&Site { index, outline: &outline, flows: &flows }, reader))
        .collect();
    connect(&mut elements, &flows.flows);
    let process = Process {
        id: xml::filled(node, "id").unwrap_or_default().to_owned(),
        name: node.attribute("name").unwrap_or_default().to_owned(),
        elements,
        flows: flows.flows,
    };
    check::process(node, &process, &outline, reader);
    process
}

/// Tells the elements of their flows and boundary events.
fn connect(elements: &mut [Element], flows: &[Flow]) {
    for (index, flow) in flows.iter().enumerate() {
        elements[flow.source].outgoing.push(index);
        elements[flow.target].incoming.push(index);
    }
    for index in 0..elements.len() {
        if let Kind::Boundary(boundary) = &elements[index].kind {
            let attached_to = boundary.attached_to;
            elements[attached_to].boundary.push(index);
        }
    }
}
