//! What others may see of the runtime.

use super::{Runtime, variables::variables};
use crate::devengine::record::{Incident, Key, Variables};

/// A running process instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceView {
    /// Its key.
    pub key: Key,
    /// Id of the process.
    pub process_id: String,
    /// Version of the definition.
    pub version: i32,
    /// The calling process instance.
    pub parent: Option<Key>,
    /// Its business id.
    pub business_id: Option<String>,
    /// Its variables.
    pub variables: Variables,
    /// The elements it is at, without the scopes around them.
    pub elements: Vec<ElementView>,
}

/// An element that a process instance is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementView {
    /// Key of this run of the element.
    pub key: Key,
    /// Id of the element.
    pub id: String,
    /// The incident that stops it.
    pub incident: Option<Key>,
}

impl Runtime {
    /// All running process instances, in the order they began.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.processes.keys().filter_map(|key| self.instance(*key)).collect()
    }

    /// A running process instance.
    pub fn instance(&self, key: Key) -> Option<InstanceView> {
        let process = self.processes.get(&key)?;
        let instance = self.instances.get(&key)?;
        let caller = process.caller.and_then(|caller| self.instances.get(&caller));
        Some(InstanceView {
            key,
            process_id: instance.definition.process.id.clone(),
            version: instance.definition.version,
            parent: caller.map(|caller| caller.process_key),
            business_id: process.business_id.clone(),
            variables: variables(&instance.variables),
            elements: self.leaves(key),
        })
    }

    /// What stands in the scopes of a process instance, oldest first.
    fn leaves(&self, process_instance: Key) -> Vec<ElementView> {
        let mut leaves = Vec::new();
        let mut scopes = vec![process_instance];
        while let Some(scope) = scopes.pop() {
            for key in self.instances.get(&scope).into_iter().flat_map(|it| &it.children) {
                let Some(instance) = self.instances.get(key) else { continue };
                if instance.children.is_empty() {
                    let id = instance.element_id().to_owned();
                    leaves.push(ElementView { key: *key, id, incident: instance.incident });
                } else {
                    scopes.push(*key);
                }
            }
        }
        leaves.sort_by_key(|leaf| leaf.key);
        leaves
    }

    /// All open incidents, oldest first.
    pub fn incidents(&self) -> Vec<Incident> {
        self.incidents.values().map(|open| open.incident.clone()).collect()
    }

    /// What the worker of a job gets to see: all variables, or those of these names; `None`
    /// once the job is gone.
    pub fn job_variables(&self, job: Key, fetch: &[String]) -> Option<Variables> {
        self.variables_for_job(job, fetch)
    }

    /// The variables that an element or process instance sees.
    pub fn visible_variables(&self, element_instance: Key) -> Option<Variables> {
        self.instances.get(&element_instance)?;
        Some(variables(&self.visible(element_instance)))
    }

    /// Retries of a job that exists.
    pub fn job_retries(&self, job: Key) -> Option<i32> {
        Some(self.jobs.get(&job)?.retries)
    }
}
