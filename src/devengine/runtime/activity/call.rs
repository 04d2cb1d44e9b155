//! Call activities: a process instance of its own that ends before the activity does.

use std::sync::Arc;

use crate::devengine::{
    bpmn::model::{CalledProcess, Kind},
    record::{Ending, Key},
    runtime::{
        Runtime,
        definition::Definition,
        expression::text,
        incident::{Failure, Trouble},
        instance::{ProcessInstance, Trigger, Work},
        step::Step,
        variables::Document,
    },
};

/// How many call activities may be around a process; the broker's limit.
const DEEPEST: usize = 1_000;

impl Runtime {
    pub(super) fn enter_call(&mut self, key: Key, called: &CalledProcess) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let process_id = text(&called.process_id, &self.input(key), self.now)?;
        let (definition, start) = self.callable(&process_id)?;
        let depth = self.depth(key) + 1;
        if depth > DEEPEST {
            return Err(Trouble::CalledElement.because(format!(
                "The call activity has reached the maximum depth of {DEEPEST}. This is likely \
                 due to a recursive call. Cancel the root process instance if this was \
                 unintentional."
            )));
        }
        let waits = self.plan_waits(key)?;
        let variables = if called.propagate_all_parent_variables {
            self.visible(key)
        } else {
            self.instances.get(&key).map(|it| it.variables.clone()).unwrap_or_default()
        };
        let process = ProcessInstance { caller: Some(key), depth, ..ProcessInstance::default() };
        let begin = Trigger { element: start, variables: Document::new() };
        let child = self.start(definition, begin, variables, process);
        self.activate(key, Work::Called(child));
        self.open_waits(key, waits);
        Ok(())
    }

    /// The newest version of a process that can be called, and where it starts.
    fn callable(&self, process_id: &str) -> Result<(Arc<Definition>, usize), Failure> {
        let expected = |what: &str| {
            Trouble::CalledElement.because(format!(
                "Expected process with BPMN process id '{process_id}' to {what}, but not found."
            ))
        };
        let definition = self.definitions.latest(process_id);
        let definition = definition.ok_or_else(|| expected("be deployed"))?;
        let start = definition.none_start(None);
        let start = start.ok_or_else(|| expected("have a none start event"))?;
        Ok((Arc::clone(definition), start))
    }

    fn depth(&self, key: Key) -> usize {
        let process = self.instances.get(&key).map(|instance| instance.process_key);
        process.and_then(|key| self.processes.get(&key)).map_or(0, |process| process.depth)
    }

    /// The called process has ended: its variables come back, and the activity goes on.
    pub(in crate::devengine::runtime) fn called_process_ended(
        &mut self,
        caller: Key,
        how: Ending,
        variables: Document,
    ) {
        let Some(instance) = self.instances.get_mut(&caller) else { return };
        instance.work = Work::Nothing;
        if how == Ending::Cancelled {
            self.steps.push_back(Step::Settle(caller));
            return;
        }
        let is_handed_on = instance.element().is_some_and(|element| {
            let all = matches!(&element.kind, Kind::Call(it) if it.propagate_all_child_variables);
            all || !element.outputs.is_empty()
        });
        if is_handed_on {
            instance.payload = Some(variables);
        }
        self.steps.push_back(Step::Complete(caller));
    }
}
