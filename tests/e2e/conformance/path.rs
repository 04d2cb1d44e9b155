//! The path of each process instance, from the engines that tell it.

use std::collections::BTreeMap;

use serde_json::Value;
use servicenow_worker::devengine::{Note, record::Event};
use tokio::sync::broadcast::Receiver;

use crate::support::engine::Engine;

/// Who tells the paths.
pub(crate) enum Paths<'a> {
    /// Nobody.
    Untold,
    /// The dev engine's news.
    Notes(Receiver<Note>),
    /// The in-memory engine's records above a key.
    Records(&'a Engine, i64),
}

/// By process instance: its process and the steps.
#[derive(Default)]
struct Steps(BTreeMap<i64, (String, Vec<String>)>);

impl<'a> Paths<'a> {
    pub(crate) fn of_notes(notes: Receiver<Note>) -> Self {
        Self::Notes(notes)
    }

    pub(crate) fn of_records(engine: &'a Engine) -> Self {
        Self::Records(engine, 0)
    }

    pub(crate) fn are_told(&self) -> bool {
        !matches!(self, Self::Untold)
    }

    /// From now on, all keys above this one.
    pub(crate) fn begin(&mut self, low: i64) {
        match self {
            Self::Untold => {}
            Self::Notes(notes) => while notes.try_recv().is_ok() {},
            Self::Records(_, from) => *from = low,
        }
    }

    /// All paths since the beginning.
    pub(crate) async fn told(&mut self) -> Vec<String> {
        let mut steps = Steps::default();
        match self {
            Self::Untold => {}
            Self::Notes(notes) => {
                while let Ok(note) = notes.try_recv() {
                    steps.note(note);
                }
            }
            Self::Records(engine, low) => steps.records(&engine.steps(*low).await, *low),
        }
        let line =
            |(process, steps): (String, Vec<String>)| format!("{process}: {}", steps.join(" "));
        steps.0.into_values().map(line).collect()
    }
}

impl Steps {
    fn note(&mut self, note: Note) {
        let Note::Process(event) = note else { return };
        match event {
            Event::InstanceStarted { instance, process_id, .. } => {
                self.0.insert(instance, (process_id, Vec::new()));
            }
            Event::ElementEntered { instance, element_id } => self.add(instance, "+", &element_id),
            Event::ElementCompleted { instance, element_id } => {
                self.add(instance, "-", &element_id);
            }
            Event::ElementTerminated { instance, element_id } => {
                self.add(instance, "x ", &element_id);
            }
            _ => {}
        }
    }

    fn records(&mut self, records: &[Value], low: i64) {
        for record in records {
            let value = &record["value"];
            let instance = value["processInstanceKey"].as_i64().unwrap();
            let process = value["bpmnProcessId"].as_str().unwrap();
            let (intent, kind) = (record["intent"].as_str().unwrap(), &value["bpmnElementType"]);
            if instance <= low || kind == "SEQUENCE_FLOW" {
                continue;
            }
            if kind == "PROCESS" {
                self.0.entry(instance).or_insert_with(|| (process.to_owned(), Vec::new()));
                continue;
            }
            let element = value["elementId"].as_str().unwrap();
            match intent {
                "ELEMENT_ACTIVATING" => self.add(instance, "+", element),
                "ELEMENT_COMPLETED" => self.add(instance, "-", element),
                "ELEMENT_TERMINATED" => self.add(instance, "x ", element),
                _ => {}
            }
        }
    }

    fn add(&mut self, instance: i64, mark: &str, element: &str) {
        if let Some((_, steps)) = self.0.get_mut(&instance) {
            steps.push(format!("{mark}{element}"));
        }
    }
}
