//! Commands about processes, for the runtime.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::{Engine, as_kept};
use crate::devengine::{
    bpmn::{self, Process},
    record::{
        CreatedInstance, Deployed, Incident, Key, Message, NewInstance, ProcessRef, Refusal,
        RefusalKind, Variables,
    },
    runtime::{Deployable, InstanceView, Reach},
};

/// What a deployment made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its key.
    pub key: Key,
    /// Each process with the name of its file.
    pub processes: Vec<(String, Deployed)>,
}

impl Engine {
    /// `DeployResource`: all files, or none when one of them cannot be read.
    pub(crate) fn deploy(&mut self, files: &[(&str, &[u8])]) -> Result<Deployment, Refusal> {
        if files.is_empty() {
            return Err(invalid("resources: name at least one file".to_owned()));
        }
        let (mut names, mut processes) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(content);
            let digest = digest.finalize().to_vec();
            for process in read(name, content)? {
                names.push((*name).to_owned());
                processes.push(Deployable { process, digest: Some(digest.clone()) });
            }
        }
        let key = self.runtime.next_key();
        let deployed = self.runtime.deploy(processes, self.now())?;
        self.settle();
        Ok(Deployment { key, processes: names.into_iter().zip(deployed).collect() })
    }

    /// Refuses a process that is not there.
    pub(crate) fn demand(&self, process: &ProcessRef) -> Result<(), Refusal> {
        self.runtime.demand(process)
    }

    /// `CreateProcessInstance`.
    pub(crate) fn create(&mut self, new: NewInstance) -> Result<CreatedInstance, Refusal> {
        let created = self.begin(new)?;
        self.settle();
        Ok(created)
    }

    /// `CreateProcessInstanceWithResult`: also what brings the variables at its end. That
    /// of an instance that is cancelled never does.
    pub(crate) fn create_and_await(
        &mut self,
        new: NewInstance,
    ) -> Result<(CreatedInstance, oneshot::Receiver<Variables>), Refusal> {
        let created = self.begin(new)?;
        let (ended, end) = oneshot::channel();
        self.awaiting.insert(created.key, ended);
        self.settle();
        Ok((created, end))
    }

    fn begin(&mut self, new: NewInstance) -> Result<CreatedInstance, Refusal> {
        let new = NewInstance { variables: as_kept(new.variables), ..new };
        self.runtime.create_instance(new, self.now())
    }

    /// `CancelProcessInstance`.
    pub(crate) fn cancel(&mut self, instance: Key) -> Result<(), Refusal> {
        self.runtime.cancel(instance, self.now())?;
        self.settle();
        Ok(())
    }

    /// `PublishMessage`.
    pub(crate) fn publish(&mut self, message: Message) -> Result<Key, Refusal> {
        let message = Message { variables: as_kept(message.variables), ..message };
        let key = self.runtime.publish(message, self.now())?;
        self.settle();
        Ok(key)
    }

    /// `BroadcastSignal`.
    pub(crate) fn broadcast(&mut self, signal: &str, variables: Variables) -> Key {
        let key = self.runtime.broadcast(signal, as_kept(variables), self.now());
        self.settle();
        key
    }

    /// `ResolveIncident`.
    pub(crate) fn resolve(&mut self, incident: Key) -> Result<(), Refusal> {
        self.runtime.resolve_incident(incident, self.now())?;
        self.settle();
        Ok(())
    }

    /// `SetVariables`: answers the key of this change.
    pub(crate) fn set_variables(
        &mut self,
        element_instance: Key,
        variables: Variables,
        reach: Reach,
    ) -> Result<Key, Refusal> {
        let variables = as_kept(variables);
        if !self.jobs.set_variables(element_instance, &variables) {
            self.runtime.set_variables(element_instance, variables, reach, self.now())?;
        }
        self.settle();
        Ok(self.runtime.next_key())
    }

    /// Completes a user task that a process instance, or one it has called, waits at.
    pub(crate) fn complete_user_task(
        &mut self,
        instance: Key,
        element_id: &str,
        variables: Variables,
    ) -> Result<(), Refusal> {
        let variables = as_kept(variables);
        self.runtime.complete_user_task(instance, element_id, variables, self.now())?;
        self.settle();
        Ok(())
    }

    /// Process instances that run, in the order they began.
    pub(crate) fn instances(&self) -> Vec<InstanceView> {
        self.runtime.instances()
    }

    /// Incidents that are open, oldest first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.runtime.incidents()
    }
}

fn read(name: &str, content: &[u8]) -> Result<Vec<Process>, Refusal> {
    let is_bpmn = ["bpmn", "xml"].iter().any(|known| {
        Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case(known))
    });
    if !is_bpmn {
        return Err(invalid(format!("'{name}': the dev engine takes .bpmn and .xml files only")));
    }
    let xml = std::str::from_utf8(content)
        .map_err(|_| invalid(format!("'{name}': not UTF-8; save it as BPMN 2.0 XML")))?;
    bpmn::read(xml).map_err(|error| invalid(format!("'{name}': {error}")))
}

fn invalid(message: String) -> Refusal {
    Refusal::new(RefusalKind::InvalidArgument, message)
}
