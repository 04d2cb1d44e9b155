//! Deployed processes and their versions.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::events::On;
use crate::devengine::{
    bpmn::model::{Element, ElementIndex, Kind, Process, StartTrigger},
    record::{Key, ProcessRef},
};

/// A version of a process.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) key: Key,
    pub(super) version: i32,
    pub(super) process: Process,
    /// Tells whether a later deployment brings the same.
    pub(super) digest: Option<Vec<u8>>,
    /// What starts it besides a command.
    pub(super) starts: Vec<Start>,
}

/// A start event that waits for something.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) element: ElementIndex,
    pub(super) on: On,
}

/// All definitions.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    by_key: BTreeMap<Key, Arc<Definition>>,
    versions: HashMap<String, BTreeMap<i32, Key>>,
}

impl Definition {
    pub(super) fn element(&self, index: ElementIndex) -> &Element {
        &self.process.elements[index]
    }

    /// The none start event of a sub-process, or of the process itself.
    pub(super) fn none_start(&self, scope: Option<ElementIndex>) -> Option<ElementIndex> {
        let is_start = |element: &Element| {
            element.scope == scope && matches!(element.kind, Kind::Start(StartTrigger::None))
        };
        self.process.elements.iter().position(is_start)
    }

    /// The start events of the event sub-processes in this scope.
    pub(super) fn event_starts(
        &self,
        scope: Option<ElementIndex>,
    ) -> impl Iterator<Item = ElementIndex> + '_ {
        self.process.elements.iter().filter_map(move |element| match element.kind {
            Kind::EventSubProcess { start, .. } if element.scope == scope => Some(start),
            _ => None,
        })
    }
}

impl Definitions {
    pub(super) fn add(&mut self, definition: Arc<Definition>) {
        let id = definition.process.id.clone();
        self.versions.entry(id).or_default().insert(definition.version, definition.key);
        self.by_key.insert(definition.key, definition);
    }

    pub(super) fn latest(&self, process_id: &str) -> Option<&Arc<Definition>> {
        let (_, key) = self.versions.get(process_id)?.last_key_value()?;
        self.by_key.get(key)
    }

    pub(super) fn find(&self, process: &ProcessRef) -> Option<&Arc<Definition>> {
        match process {
            ProcessRef::Key(key) => self.by_key.get(key),
            ProcessRef::Latest(id) => self.latest(id),
            ProcessRef::Version(id, version) => {
                self.by_key.get(self.versions.get(id)?.get(version)?)
            }
        }
    }

    /// The newest version of every process, in the order of their keys.
    pub(super) fn all_latest(&self) -> Vec<Arc<Definition>> {
        let is_latest = |definition: &&Arc<Definition>| {
            self.latest(&definition.process.id).is_some_and(|latest| latest.key == definition.key)
        };
        self.by_key.values().filter(is_latest).cloned().collect()
    }
}
