//! What follows from an event: a boundary event, an event sub-process, or the element that
//! waited goes on.

use std::sync::Arc;

use crate::devengine::{
    bpmn::model::{ElementIndex, Kind},
    record::Key,
    runtime::{
        Runtime,
        definition::Definition,
        instance::{Instance, Phase, Place, Role, Trigger},
        step::Step,
        variables::Document,
    },
};

impl Runtime {
    /// The event of this element has happened for an instance that waits for it.
    fn fire(&mut self, owner: Key, trigger: Trigger) {
        let phase = self.instances.get(&owner).map(|instance| instance.phase);
        if self.is_doomed(owner) || phase == Some(Phase::Completing) {
            // What is about to be left does not hear any more, even if an incident stops it.
            return;
        }
        let Some(place) = self.place(owner) else { return };
        match &place.definition.element(trigger.element).kind {
            Kind::Boundary(boundary) if boundary.interrupting => self.interrupt(owner, trigger),
            Kind::Boundary(_) => self.pass_by(owner, trigger),
            Kind::Start(_) => self.fire_event_sub_process(owner, &place, trigger),
            _ => self.catch(owner, &place, trigger),
        }
    }

    /// The activity ends, and its boundary event goes on.
    fn interrupt(&mut self, owner: Key, trigger: Trigger) {
        self.close_waits(owner);
        if let Some(instance) = self.instances.get_mut(&owner) {
            instance.after = Some(trigger);
        }
        self.steps.push_back(Step::Terminate(owner));
    }

    /// The boundary event goes on, and so does the activity.
    fn pass_by(&mut self, owner: Key, trigger: Trigger) {
        let Some(scope) = self.instances.get(&owner).and_then(|instance| instance.parent) else {
            return;
        };
        self.spawn(scope, Role::Element(trigger.element), |boundary| {
            boundary.variables = trigger.variables;
        });
    }

    fn fire_event_sub_process(&mut self, scope: Key, place: &Place, trigger: Trigger) {
        if self.instances.get(&scope).is_none_or(Instance::is_closing) {
            return;
        }
        if !is_interrupting(&place.definition, trigger.element) {
            self.start_event_sub_process(scope, trigger);
            return;
        }
        let definition = Arc::clone(&place.definition);
        self.close_waits_that(scope, |wait| {
            matches!(definition.element(wait.element).kind, Kind::Start(_))
        });
        if let Some(instance) = self.instances.get_mut(&scope) {
            instance.interruption = Some(trigger);
            instance.interrupted = true;
            instance.joins.clear();
        }
        self.terminate_children(scope);
    }

    /// What the element itself waited for.
    fn catch(&mut self, owner: Key, place: &Place, trigger: Trigger) {
        let Some(instance) = self.instances.get_mut(&owner) else { return };
        if instance.phase != Phase::Active {
            return;
        }
        let Trigger { element, variables } = trigger;
        if place.role.element() == Some(element) {
            instance.payload = Some(variables);
            self.close_waits_that(owner, |wait| wait.element == element);
        } else {
            instance.begin = Some(Trigger { element, variables });
            self.close_waits(owner);
        }
        self.steps.push_back(Step::Complete(owner));
    }

    /// An event has happened at an element for whoever waits for it.
    pub(in crate::devengine::runtime) fn trigger(
        &mut self,
        owner: Key,
        element: ElementIndex,
        variables: Document,
    ) {
        self.fire(owner, Trigger { element, variables });
    }
}

/// Whether the event sub-process around this start event ends its scope.
fn is_interrupting(definition: &Definition, start: ElementIndex) -> bool {
    let around = definition.element(start).scope.map(|index| &definition.element(index).kind);
    matches!(around, Some(Kind::EventSubProcess { interrupting: true, .. }))
}
