//! Scopes: processes, embedded sub-processes and event sub-processes.

use crate::devengine::{
    record::Key,
    runtime::{
        Runtime,
        incident::Failure,
        instance::{Role, Trigger, Work},
        step::Step,
    },
};

impl Runtime {
    /// Listens for the process's event sub-processes and goes to the start event.
    pub(in crate::devengine::runtime) fn enter_process(&mut self, key: Key) -> Result<(), Failure> {
        let waits = self.plan_waits(key)?;
        self.activate(key, Work::Nothing);
        self.begin(key);
        self.open_waits(key, waits);
        Ok(())
    }

    pub(super) fn enter_sub_process(&mut self, key: Key) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let waits = self.plan_waits(key)?;
        self.activate(key, Work::Nothing);
        let start =
            self.place(key).and_then(|place| place.definition.none_start(place.role.element()));
        match start {
            Some(start) => _ = self.spawn_at(key, start),
            None => self.steps.push_back(Step::Complete(key)),
        }
        self.open_waits(key, waits);
        Ok(())
    }

    pub(super) fn enter_event_sub_process(&mut self, key: Key) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let waits = self.plan_waits(key)?;
        self.activate(key, Work::Nothing);
        self.begin(key);
        self.open_waits(key, waits);
        Ok(())
    }

    /// Goes to the start event that began this scope, with what it brought.
    fn begin(&mut self, key: Key) {
        let begin = self.instances.get_mut(&key).and_then(|instance| instance.begin.take());
        if let Some(Trigger { element, variables }) = begin {
            self.spawn(key, Role::Element(element), |start| start.variables = variables);
        }
    }

    /// Starts the event sub-process around this start event.
    pub(in crate::devengine::runtime) fn start_event_sub_process(
        &mut self,
        scope: Key,
        trigger: Trigger,
    ) {
        let Some(place) = self.place(scope) else { return };
        if let Some(around) = place.definition.element(trigger.element).scope {
            self.spawn(scope, Role::Element(around), |sub_process| {
                sub_process.begin = Some(trigger);
            });
        }
    }
}
