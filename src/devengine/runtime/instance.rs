//! What runs: one entry for each token that stands on an element, and for each scope.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Runtime,
    activity::multi_instance::Repeat,
    definition::Definition,
    step::Step,
    variables::{Document, variables},
};
use crate::devengine::{
    bpmn::model::{Element, ElementIndex, FlowIndex, Kind},
    record::{Ending, Event, Key},
};

/// What an instance is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A process.
    Process,
    /// An element that runs once.
    Element(ElementIndex),
    /// The body around the runs of a multi-instance activity.
    Body(ElementIndex),
    /// One of these runs.
    Inner(ElementIndex),
}

/// How far an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The token is on its way.
    Coming,
    Entering,
    Active,
    Completing,
    Terminating,
}

/// An event that happened: the element that catches it and what it brings.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) element: ElementIndex,
    pub(super) variables: Document,
}

/// What an active instance waits for, or has decided.
#[derive(Debug)]
pub(super) enum Work {
    Nothing,
    Job(Key),
    UserTask,
    Called(Key),
    Repeat(Repeat),
    /// Flows that a gateway has chosen.
    Flows(Vec<FlowIndex>),
}

/// A token on an element, or a scope.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) process_key: Key,
    pub(super) definition: Arc<Definition>,
    pub(super) role: Role,
    pub(super) parent: Option<Key>,
    pub(super) phase: Phase,
    pub(super) children: BTreeSet<Key>,
    pub(super) variables: Document,
    /// What a job, message or called process handed in; placed by the output mappings.
    pub(super) payload: Option<Document>,
    /// The event that this scope begins with, or that an event-based gateway got.
    pub(super) begin: Option<Trigger>,
    /// The event sub-process that begins once everything else in this scope has ended.
    pub(super) interruption: Option<Trigger>,
    /// The boundary event that goes on once this activity has ended.
    pub(super) after: Option<Trigger>,
    /// An event sub-process has taken this scope over.
    pub(super) interrupted: bool,
    /// Completes as soon as its children have ended.
    pub(super) finishing: bool,
    /// Its event has happened already, at the event-based gateway before it.
    pub(super) happened: bool,
    /// Tokens that wait in front of parallel gateways.
    pub(super) joins: BTreeMap<ElementIndex, BTreeMap<FlowIndex, usize>>,
    /// Open subscriptions and timers.
    pub(super) waits: Vec<Key>,
    pub(super) incident: Option<Key>,
    pub(super) work: Work,
}

/// What is kept of a process instance besides its scope.
#[derive(Debug, Default)]
pub(super) struct ProcessInstance {
    /// The call activity that started it.
    pub(super) caller: Option<Key>,
    /// How many call activities are around it.
    pub(super) depth: usize,
    pub(super) business_id: Option<String>,
    /// The correlation key of the message that started it: one at a time.
    pub(super) lock: Option<String>,
    /// Elements to enter once the incident about the step limit is resolved.
    pub(super) parked: Vec<Key>,
}

/// Where an instance stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) definition: Arc<Definition>,
    pub(super) role: Role,
    pub(super) process_key: Key,
}

impl Role {
    /// The element; `None` for a process.
    pub(super) fn element(self) -> Option<ElementIndex> {
        match self {
            Self::Process => None,
            Self::Element(index) | Self::Body(index) | Self::Inner(index) => Some(index),
        }
    }
}

impl Instance {
    pub(super) fn new(definition: Arc<Definition>, process_key: Key, role: Role) -> Self {
        Self {
            process_key,
            definition,
            role,
            parent: None,
            phase: Phase::Coming,
            children: BTreeSet::new(),
            variables: Document::new(),
            payload: None,
            begin: None,
            interruption: None,
            after: None,
            interrupted: false,
            finishing: false,
            happened: false,
            joins: BTreeMap::new(),
            waits: Vec::new(),
            incident: None,
            work: Work::Nothing,
        }
    }

    pub(super) fn element(&self) -> Option<&Element> {
        self.role.element().map(|index| self.definition.element(index))
    }

    /// Id of the element, or of the process.
    pub(super) fn element_id(&self) -> &str {
        self.element().map_or(&self.definition.process.id, |element| &element.id)
    }

    /// Whether what stands in this scope is about to be ended.
    pub(super) fn is_closing(&self) -> bool {
        self.phase == Phase::Terminating || self.interruption.is_some() || self.finishing
    }

    /// Whether it ends with its last child.
    pub(super) fn is_scope(&self) -> bool {
        let is_sub_process = |element: &Element| {
            matches!(element.kind, Kind::SubProcess | Kind::EventSubProcess { .. })
        };
        match self.role {
            Role::Process => true,
            Role::Body(_) => false,
            Role::Element(_) | Role::Inner(_) => self.element().is_some_and(is_sub_process),
        }
    }
}

impl Runtime {
    pub(super) fn place(&self, key: Key) -> Option<Place> {
        let instance = self.instances.get(&key)?;
        Some(Place {
            definition: Arc::clone(&instance.definition),
            role: instance.role,
            process_key: instance.process_key,
        })
    }

    /// Puts a token on an element.
    pub(super) fn spawn(
        &mut self,
        parent: Key,
        role: Role,
        prepare: impl FnOnce(&mut Instance),
    ) -> Option<Key> {
        let place = self.place(parent)?;
        let key = self.next_key();
        let mut instance = Instance::new(place.definition, place.process_key, role);
        instance.parent = Some(parent);
        prepare(&mut instance);
        self.instances.insert(key, instance);
        self.instances.get_mut(&parent)?.children.insert(key);
        self.steps.push_back(Step::Enter(key));
        Some(key)
    }

    /// Puts a token on an element that a flow leads to.
    pub(super) fn spawn_at(&mut self, parent: Key, element: ElementIndex) -> Option<Key> {
        let place = self.place(parent)?;
        let is_repeated = place.definition.element(element).multi_instance.is_some();
        let role = if is_repeated { Role::Body(element) } else { Role::Element(element) };
        self.spawn(parent, role, |_| {})
    }

    /// Takes an instance away, with all that it waits for.
    pub(super) fn remove(&mut self, key: Key) -> Option<Instance> {
        self.close_waits(key);
        self.close_incident_of(key);
        self.cancel_job_of(key);
        let instance = self.instances.remove(&key)?;
        if let Some(parent) = instance.parent.and_then(|parent| self.instances.get_mut(&parent)) {
            parent.children.remove(&key);
        }
        Some(instance)
    }

    /// Whether the instance, or a scope around it, is about to be ended.
    pub(super) fn is_doomed(&self, key: Key) -> bool {
        let Some(instance) = self.instances.get(&key) else { return true };
        if instance.phase == Phase::Terminating {
            return true;
        }
        let mut outer = self.outer(instance);
        while let Some(scope) = outer.and_then(|key| self.instances.get(&key)) {
            if scope.is_closing() {
                return true;
            }
            outer = self.outer(scope);
        }
        false
    }

    /// The scope around an instance; around a process, the call activity.
    pub(super) fn outer(&self, instance: &Instance) -> Option<Key> {
        instance.parent.or_else(|| self.processes.get(&instance.process_key)?.caller)
    }

    /// Ends a process instance.
    pub(super) fn end_process(&mut self, key: Key, how: Ending) {
        let Some(instance) = self.remove(key) else { return };
        let process = self.processes.remove(&key).unwrap_or_default();
        let variables = variables(&instance.variables);
        self.events.push(Event::InstanceEnded { instance: key, how, variables });
        if let Some(caller) = process.caller {
            self.called_process_ended(caller, how, instance.variables);
        }
        if let Some(lock) = process.lock {
            self.start_by_next_message(&instance.definition.process.id, &lock);
        }
    }
}
