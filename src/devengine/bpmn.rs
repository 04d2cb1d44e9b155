//! BPMN as the dev engine reads it: from XML to a [`Process`] that can be run as it stands.
//!
//! What the runtime could not honour is refused here, by element and with a remedy, and all
//! at once; so is what a Camunda cluster refuses at deployment. What has no effect on a run
//! (diagrams, lanes, data objects, annotations, templates' marks) is passed over.
#![deny(clippy::disallowed_types)]

mod check;
mod definitions;
mod element;
mod error;
mod event;
mod flow;
mod gateway;
mod mapping;
pub mod model;
mod multi_instance;
mod outline;
mod process;
mod reader;
mod task;
#[cfg(test)]
mod tests;
pub mod timer;
mod xml;

pub use error::{ElementName, Problem, ReadError};
pub use model::Process;

use reader::Reader;

/// Reads the executable processes of a BPMN file.
pub fn read(xml: &str) -> Result<Vec<Process>, ReadError> {
    let document = xml::parse(xml)?;
    let root = document.root_element();
    let mut reader = Reader::new(root);
    definitions::check_ids(&document, &mut reader);
    let processes: Vec<_> = xml::children(root)
        .filter(|node| xml::name(*node) == "process" && xml::flag(*node, "isExecutable", false))
        .map(|node| process::read(node, &mut reader))
        .collect();
    if processes.is_empty() {
        reader.report_file(
            "there is no executable process; set isExecutable=\"true\" on the one to run",
        );
    }
    reader.finish(processes)
}
