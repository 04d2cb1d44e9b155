//! Commands about processes, for the runtime.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::Engine;
use crate::devengine::{
    bpmn::{self, Process},
    record::{
        CreatedInstance, Deployed, Incident, Key, Message, NewInstance, Refusal, RefusalKind,
        Variables,
    },
};

impl Engine {
    /// `DeployResource`: all files, or none when one of them cannot be read.
    pub(crate) fn deploy(
        &mut self,
        files: &[(&str, &[u8])],
    ) -> Result<Vec<(String, Deployed)>, Refusal> {
        let mut read = Vec::new();
        let mut ids = BTreeSet::new();
        for (name, content) in files {
            for process in processes(name, content)? {
                if !ids.insert(process.id.clone()) {
                    let message = format!("'{name}': process '{}' is there twice", process.id);
                    return Err(invalid(message));
                }
                read.push((*name, *content, process));
            }
        }
        let now = self.now();
        let deployed = read.into_iter().map(|(name, content, process)| {
            let deployed = self.runtime.deploy(now, process, content);
            (name.to_owned(), deployed)
        });
        let deployed = deployed.collect();
        self.settle();
        Ok(deployed)
    }

    /// `CreateProcessInstance`.
    pub(crate) fn create(&mut self, new: NewInstance) -> Result<CreatedInstance, Refusal> {
        let created = self.runtime.create_instance(self.now(), new)?;
        self.settle();
        Ok(created)
    }

    /// `CreateProcessInstanceWithResult`: also what brings the variables at its end. That
    /// of an instance that is cancelled never does.
    pub(crate) fn create_and_await(
        &mut self,
        new: NewInstance,
    ) -> Result<(CreatedInstance, oneshot::Receiver<Variables>), Refusal> {
        let created = self.runtime.create_instance(self.now(), new)?;
        let (ended, end) = oneshot::channel();
        self.awaiting.insert(created.key, ended);
        self.settle();
        Ok((created, end))
    }

    /// `CancelProcessInstance`.
    pub(crate) fn cancel(&mut self, instance: Key) -> Result<(), Refusal> {
        self.runtime.cancel(self.now(), instance)?;
        self.settle();
        Ok(())
    }

    /// `PublishMessage`.
    pub(crate) fn publish(&mut self, message: Message) -> Result<Key, Refusal> {
        let key = self.runtime.publish(self.now(), message)?;
        self.settle();
        Ok(key)
    }

    /// `BroadcastSignal`.
    pub(crate) fn broadcast(&mut self, signal: &str, variables: Variables) -> Result<Key, Refusal> {
        let key = self.runtime.broadcast(self.now(), signal, variables)?;
        self.settle();
        Ok(key)
    }

    /// `ResolveIncident`.
    pub(crate) fn resolve(&mut self, incident: Key) -> Result<(), Refusal> {
        self.runtime.resolve_incident(self.now(), incident)?;
        self.settle();
        Ok(())
    }

    /// Incidents that are open, oldest first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.runtime.incidents()
    }
}

fn processes(name: &str, content: &[u8]) -> Result<Vec<Process>, Refusal> {
    let xml = std::str::from_utf8(content)
        .map_err(|_| invalid(format!("'{name}': not UTF-8; save it as BPMN 2.0 XML")))?;
    bpmn::read(xml).map_err(|error| invalid(format!("'{name}': {error}")))
}

fn invalid(message: String) -> Refusal {
    Refusal { kind: RefusalKind::InvalidArgument, message }
}
