//! Commands about whole process instances: start, cancel, variables, user tasks.

use std::sync::Arc;

use super::{
    Reach, Runtime,
    definition::Definition,
    instance::{Instance, Phase, ProcessInstance, Role, Trigger},
    step::Step,
    variables::{Document, document},
};
use crate::devengine::{
    bpmn::model::Kind,
    record::{
        CreatedInstance, Event, Key, NewInstance, ProcessRef, Refusal, RefusalKind, Variables,
    },
};

impl Runtime {
    /// Refuses a process that is not there.
    pub(in crate::devengine) fn demand(&self, process: &ProcessRef) -> Result<(), Refusal> {
        self.find(process).map(|_| ())
    }

    fn find(&self, process: &ProcessRef) -> Result<&Arc<Definition>, Refusal> {
        self.definitions.find(process).ok_or_else(|| no_such_process(process))
    }

    pub(super) fn create(&mut self, new: NewInstance) -> Result<CreatedInstance, Refusal> {
        let definition = Arc::clone(self.find(&new.process)?);
        let start = definition.none_start(None).ok_or_else(|| {
            Refusal::new(
                RefusalKind::FailedPrecondition,
                "Expected to create instance of process with none start event, but there is no \
                 such event",
            )
        })?;
        let business_id = new.business_id.filter(|id| !id.is_empty());
        if let Some(id) = &business_id {
            self.refuse_taken(&definition.process.id, id)?;
        }
        let process = ProcessInstance { business_id, ..ProcessInstance::default() };
        let begin = Trigger { element: start, variables: Document::new() };
        let key = self.start(Arc::clone(&definition), begin, document(new.variables), process);
        Ok(CreatedInstance {
            key,
            definition_key: definition.key,
            process_id: definition.process.id.clone(),
            version: definition.version,
        })
    }

    fn refuse_taken(&self, process_id: &str, business_id: &str) -> Result<(), Refusal> {
        let is_taken = self.processes.iter().any(|(key, process)| {
            process.business_id.as_deref() == Some(business_id)
                && self
                    .instances
                    .get(key)
                    .is_some_and(|instance| instance.definition.process.id == process_id)
        });
        if !is_taken {
            return Ok(());
        }
        let message = format!(
            "Expected to create an instance of process '{process_id}' with business id \
             '{business_id}', but an instance with that business id is already running"
        );
        Err(Refusal::new(RefusalKind::AlreadyExists, message))
    }

    /// Starts an instance at a start event.
    pub(super) fn start(
        &mut self,
        definition: Arc<Definition>,
        begin: Trigger,
        variables: Document,
        process: ProcessInstance,
    ) -> Key {
        let key = self.next_key();
        let caller = process.caller.and_then(|caller| self.instances.get(&caller));
        self.events.push(Event::InstanceStarted {
            instance: key,
            process_id: definition.process.id.clone(),
            version: definition.version,
            parent: caller.map(|caller| caller.process_key),
        });
        let mut instance = Instance::new(definition, key, Role::Process);
        instance.variables = variables;
        instance.begin = Some(begin);
        self.instances.insert(key, instance);
        self.processes.insert(key, process);
        self.steps.push_back(Step::Enter(key));
        key
    }

    pub(super) fn cancel_root(&mut self, instance: Key) -> Result<(), Refusal> {
        let Some(process) = self.processes.get(&instance) else {
            let message = format!(
                "Expected to cancel a process instance with key '{instance}', but no such process \
                 was found"
            );
            return Err(Refusal::new(RefusalKind::NotFound, message));
        };
        if process.caller.is_some() {
            let message = format!(
                "Expected to cancel a process instance with key '{instance}', but it is created \
                 by a parent process instance. Cancel the root process instance '{}' instead.",
                self.root_of(instance)
            );
            return Err(Refusal::new(RefusalKind::FailedPrecondition, message));
        }
        self.steps.push_back(Step::Terminate(instance));
        Ok(())
    }

    /// The process instance at the beginning of a chain of calls.
    pub(super) fn root_of(&self, instance: Key) -> Key {
        let mut root = instance;
        while let Some(caller) = self.processes.get(&root).and_then(|process| process.caller) {
            let Some(calling) = self.instances.get(&caller) else { break };
            root = calling.process_key;
        }
        root
    }

    pub(super) fn update_variables(
        &mut self,
        element_instance: Key,
        variables: Variables,
        reach: Reach,
    ) -> Result<(), Refusal> {
        if !self.instances.contains_key(&element_instance) {
            let message = format!(
                "Expected to update variables for element with key '{element_instance}', but no \
                 such element was found"
            );
            return Err(Refusal::new(RefusalKind::NotFound, message));
        }
        match reach {
            Reach::Local => self.set_local(element_instance, document(variables)),
            Reach::Outwards => self.merge(element_instance, document(variables)),
        }
        Ok(())
    }

    /// The oldest active user task of that id.
    pub(super) fn user_task(&self, instance: Key, element_id: &str) -> Result<Key, Refusal> {
        let is_it = |candidate: &Instance| {
            let kind = candidate.element().map(|element| &element.kind);
            candidate.phase == Phase::Active
                && !matches!(candidate.role, Role::Body(_))
                && matches!(kind, Some(Kind::User(_)))
                && candidate.element_id() == element_id
                && (candidate.process_key == instance
                    || self.root_of(candidate.process_key) == instance)
        };
        let found = self.instances.iter().find(|(_, candidate)| is_it(candidate));
        found.map(|(key, _)| *key).ok_or_else(|| {
            let message = format!(
                "no user task '{element_id}' waits in process instance '{instance}'; see which \
                 elements it waits at"
            );
            Refusal::new(RefusalKind::NotFound, message)
        })
    }
}

fn no_such_process(process: &ProcessRef) -> Refusal {
    let what = match process {
        ProcessRef::Key(key) => format!("key '{key}'"),
        ProcessRef::Latest(id) => format!("process ID '{id}'"),
        ProcessRef::Version(id, version) => format!("process ID '{id}' and version '{version}'"),
    };
    let message = format!("Expected to find process definition with {what}, but none found");
    Refusal::new(RefusalKind::NotFound, message)
}
