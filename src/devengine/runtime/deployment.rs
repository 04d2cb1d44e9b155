//! Deployments: versions of processes, and what starts them without a command.

use std::sync::Arc;

use super::{
    Process, Runtime,
    definition::{Definition, Start},
    events::{On, Owner, Wait, awaited, on},
};
use crate::{
    devengine::{
        bpmn::model::Kind,
        record::{Deployed, Key, Refusal, RefusalKind},
    },
    feel::Value,
};

/// A process to deploy.
#[derive(Clone, Debug)]
pub struct Deployable {
    /// The process.
    pub process: Process,
    /// Tells its resource's content: deployed again with the same, it stays as it is. `None`
    /// always makes a new version.
    pub digest: Option<Vec<u8>>,
}

impl Runtime {
    /// Evaluates all start events before anything changes.
    pub(super) fn start_events(&self, process: &Process) -> Result<Vec<Start>, Refusal> {
        let nothing = Value::context([]);
        let mut starts = Vec::new();
        for (index, element) in process.elements.iter().enumerate() {
            let is_start = element.scope.is_none() && matches!(element.kind, Kind::Start(_));
            let Some(awaited) = awaited(element).filter(|_| is_start) else { continue };
            let on = on(&awaited, &nothing, &nothing, self.now).map_err(|failure| {
                let message =
                    format!("start event {} of {}: {}", element.id, process.id, failure.message);
                Refusal::new(RefusalKind::InvalidArgument, message)
            })?;
            starts.push(Start { element: index, on });
        }
        Ok(starts)
    }

    pub(super) fn install(&mut self, deployable: Deployable, starts: Vec<Start>) -> Deployed {
        let Deployable { process, digest } = deployable;
        let latest = self.definitions.latest(&process.id).cloned();
        if let Some(same) = latest.as_ref().filter(|it| digest.is_some() && it.digest == digest) {
            return deployed(same, true);
        }
        if let Some(old) = &latest {
            self.stop_starting(old.key);
        }
        let version = latest.map_or(1, |latest| latest.version.saturating_add(1));
        let key = self.next_key();
        for start in starts.iter().filter(|start| matches!(start.on, On::Timer(_))) {
            let wait_key = self.next_key();
            let owner = Owner::Definition(key);
            let wait = Wait { owner, element: start.element, on: start.on.clone() };
            self.waits.add(wait_key, wait);
        }
        let definition = Arc::new(Definition { key, version, process, digest, starts });
        self.definitions.add(Arc::clone(&definition));
        deployed(&definition, false)
    }

    /// An older version's timers start nothing any more; its messages and signals are looked
    /// for at the newest version only.
    fn stop_starting(&mut self, definition: Key) {
        let is_its_own = |wait: &Wait| wait.owner == Owner::Definition(definition);
        let waits = self.waits.iter().filter(|(_, wait)| is_its_own(wait));
        let keys: Vec<Key> = waits.map(|(key, _)| key).collect();
        for key in keys {
            self.waits.close(key);
        }
    }
}

fn deployed(definition: &Definition, is_duplicate: bool) -> Deployed {
    Deployed {
        key: definition.key,
        process_id: definition.process.id.clone(),
        version: definition.version,
        is_duplicate,
    }
}
