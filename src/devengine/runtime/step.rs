//! The steps of an element's life, one after the other from a queue: no step calls another,
//! so nothing recurses however deep a process nests, and a budget ends what never waits.

use std::mem;

use super::{
    Runtime,
    incident::{Failure, Trouble},
    instance::{Instance, Phase, Place, Role, Work},
};
use crate::devengine::{
    bpmn::model::{EndTrigger, FlowIndex, Kind},
    record::{Ending, Event, Key},
};

/// What is to be done next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A token stands on an element.
    Enter(Key),
    /// The element's work is done.
    Complete(Key),
    /// The element is ended from outside.
    Terminate(Key),
    /// A child has ended: perhaps the scope has as well.
    Settle(Key),
    /// A multi-instance activity goes on with its next run.
    StartRun(Key),
    /// The children of a scope are ended one by one, from this key on.
    TerminateFrom(Key, Key),
    /// A subscription was opened: perhaps its message is here already. It is looked for after
    /// so many turns, as the way to a broker's messages and back takes them.
    Correlate(Key, usize),
    /// An incident was resolved.
    Retry(Key),
}

impl Runtime {
    /// Does everything that can be done without waiting.
    pub(super) fn run(&mut self) {
        let mut budget = self.options.step_limit;
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Enter(key) if budget == 0 => self.park(key),
                Step::Enter(key) => {
                    budget -= 1;
                    self.enter(key);
                }
                Step::Complete(key) => self.complete_element(key),
                Step::Terminate(key) => self.terminate(key),
                Step::TerminateFrom(scope, from) => self.terminate_from(scope, from),
                Step::StartRun(body) => self.start_run(body),
                Step::Settle(key) => self.settle(key),
                Step::Correlate(wait, 0) => self.correlate_kept(wait),
                Step::Correlate(wait, turns) => {
                    self.steps.push_back(Step::Correlate(wait, turns - 1));
                }
                Step::Retry(key) => self.retry_step(key),
            }
        }
    }

    /// Stops a process that goes on and on; one incident for all its tokens.
    fn park(&mut self, key: Key) {
        let Some(instance) = self.instances.get(&key) else { return };
        let element_id = instance.element_id().to_owned();
        let process_instance = instance.process_key;
        let Some(process) = self.processes.get_mut(&process_instance) else { return };
        process.parked.push(key);
        if process.parked.len() == 1 {
            let limit = self.options.step_limit;
            let failure = Trouble::StepLimit.because(format!(
                "the process entered {limit} elements without waiting for anything, so it \
                 probably loops; cancel it, or resolve the incident to let it go on"
            ));
            self.raise_as(process_instance, element_id, failure, None);
        }
    }

    /// Whether an element may go on: it is there, unhurt, and nobody is about to end it.
    fn may_go_on(&self, key: Key) -> bool {
        let Some(instance) = self.instances.get(&key) else { return false };
        let is_parked = || self.processes.get(&key).is_some_and(|it| !it.parked.is_empty());
        (instance.incident.is_none() || is_parked()) && !self.is_doomed(key)
    }

    fn enter(&mut self, key: Key) {
        let phase = self.instances.get(&key).map(|instance| instance.phase);
        let is_new = matches!(phase, Some(Phase::Coming | Phase::Entering));
        if !is_new || !self.may_go_on(key) {
            return;
        }
        self.tell_entered(key);
        match self.enter_place(key) {
            Ok(()) if self.is_gateway(key) => self.complete_element(key),
            Ok(()) => {}
            Err(failure) => self.raise(key, failure, None),
        }
    }

    fn tell_entered(&mut self, key: Key) {
        let Some(instance) = self.instances.get_mut(&key) else { return };
        let is_told = mem::replace(&mut instance.phase, Phase::Entering) == Phase::Entering;
        if !is_told && instance.role != Role::Process {
            let (instance, element_id) = (instance.process_key, instance.element_id().to_owned());
            self.events.push(Event::ElementEntered { instance, element_id });
        }
    }

    /// Whether it is a gateway that only decides, which a broker does in one step.
    fn is_gateway(&self, key: Key) -> bool {
        let kind = self.instances.get(&key).and_then(|it| it.element()).map(|it| &it.kind);
        matches!(kind, Some(Kind::Exclusive { .. } | Kind::Inclusive { .. } | Kind::Parallel))
    }

    fn enter_place(&mut self, key: Key) -> Result<(), Failure> {
        let Some(place) = self.place(key) else { return Ok(()) };
        match place.role {
            Role::Process => self.enter_process(key),
            Role::Body(index) => self.enter_body(key, place.definition.element(index)),
            Role::Element(index) | Role::Inner(index) => {
                self.enter_element(key, place.definition.element(index))
            }
        }
    }

    /// The element is done at once.
    pub(super) fn pass(&mut self, key: Key) {
        self.activate(key, Work::Nothing);
        self.steps.push_back(Step::Complete(key));
    }

    /// The element is entered and works or waits.
    pub(super) fn activate(&mut self, key: Key, work: Work) {
        if let Some(instance) = self.instances.get_mut(&key) {
            instance.phase = Phase::Active;
            instance.work = work;
        }
    }

    fn retry_step(&mut self, key: Key) {
        match self.instances.get(&key).map(|instance| instance.phase) {
            Some(Phase::Entering) => self.enter(key),
            Some(Phase::Completing) => self.complete_element(key),
            _ => {}
        }
    }

    fn complete_element(&mut self, key: Key) {
        if !self.may_go_on(key) {
            return;
        }
        if let Some(instance) = self.instances.get_mut(&key) {
            instance.phase = Phase::Completing;
        }
        if let Err(failure) = self.complete_place(key) {
            self.raise(key, failure, None);
        }
    }

    fn complete_place(&mut self, key: Key) -> Result<(), Failure> {
        let Some(place) = self.place(key) else { return Ok(()) };
        let element = place.role.element().map(|index| place.definition.element(index));
        let mut signal = None;
        match place.role {
            Role::Process => {
                self.end_process(key, Ending::Completed);
                return Ok(());
            }
            Role::Body(_) => self.hand_on_collection(key),
            Role::Element(_) | Role::Inner(_) => {
                signal = element.map(|it| self.signal_thrown(key, it)).transpose()?.flatten();
                self.map_outputs(key)?;
            }
        }
        if let (Role::Inner(_), Some(element)) = (place.role, element) {
            self.collect(key, element)?;
        }
        self.leave(key, &place);
        if let Some((name, variables)) = signal {
            self.broadcast_to_all(&name, &variables);
        }
        Ok(())
    }

    /// The element is done; the token goes on.
    fn leave(&mut self, key: Key, place: &Place) {
        let Some(mut instance) = self.remove(key) else { return };
        let element_id = instance.element_id().to_owned();
        self.events.push(Event::ElementCompleted { instance: instance.process_key, element_id });
        let (Some(scope), Some(index)) = (instance.parent, place.role.element()) else { return };
        let element = place.definition.element(index);
        match (place.role, &element.kind) {
            (Role::Inner(_), _) => self.run_ended(scope),
            (_, Kind::End(EndTrigger::Terminate)) => self.finish(scope),
            (_, Kind::EventBased) => {
                if let Some(trigger) = instance.begin.take() {
                    self.spawn(scope, Role::Element(trigger.element), |catch| {
                        catch.variables = trigger.variables;
                        catch.happened = true;
                    });
                }
            }
            (_, kind) => {
                for flow in flows_out(&instance, kind, &element.outgoing) {
                    self.take(scope, place, flow);
                }
            }
        }
        if self.instances.get(&scope).is_some_and(|scope| scope.children.is_empty()) {
            self.steps.push_back(Step::Settle(scope));
        }
    }

    /// Follows a sequence flow.
    fn take(&mut self, scope: Key, place: &Place, flow: FlowIndex) {
        let target = place.definition.process.flows[flow].target;
        let element = place.definition.element(target);
        if !matches!(element.kind, Kind::Parallel) || self.joined(scope, target, element, flow) {
            self.spawn_at(scope, target);
        }
    }

    /// A scope ends as soon as all within has been ended.
    pub(super) fn finish(&mut self, scope: Key) {
        let Some(instance) = self.instances.get_mut(&scope) else { return };
        instance.finishing = true;
        instance.joins.clear();
        self.terminate_children(scope);
    }

    pub(super) fn terminate_children(&mut self, scope: Key) {
        self.steps.push_back(Step::TerminateFrom(scope, 0));
    }

    /// Ends the next child, and lets others move before the one after it, as a broker does.
    fn terminate_from(&mut self, scope: Key, from: Key) {
        let Some(instance) = self.instances.get(&scope) else { return };
        let mut children = instance.children.range(from..).copied();
        let (next, more) = (children.next(), children.next());
        self.steps.push_back(next.map_or(Step::Settle(scope), Step::Terminate));
        self.steps.extend(more.map(|more| Step::TerminateFrom(scope, more)));
    }

    fn terminate(&mut self, key: Key) {
        let Some(instance) = self.instances.get_mut(&key) else { return };
        if instance.phase == Phase::Terminating {
            return;
        }
        if instance.phase == Phase::Coming && instance.role != Role::Process {
            self.turn_away(key);
            return;
        }
        instance.phase = Phase::Terminating;
        instance.interruption = None;
        if let Work::Called(called) = instance.work {
            self.steps.push_back(Step::Terminate(called));
        }
        self.close_waits(key);
        self.close_incident_of(key);
        self.cancel_job_of(key);
        let Some(instance) = self.instances.get(&key) else { return };
        if instance.children.is_empty() {
            self.settle(key);
        } else {
            self.terminate_children(key);
        }
    }

    /// The token on its way will not come any more.
    fn turn_away(&mut self, key: Key) {
        let Some(instance) = self.remove(key) else { return };
        let Some(scope) = instance.parent else { return };
        if let Role::Inner(_) = instance.role {
            self.run_terminated(scope);
        }
        self.settle(scope);
    }

    /// Looks whether a scope has come to its end, and, once it was ended, those around it.
    fn settle(&mut self, key: Key) {
        let mut ended = Some(key);
        while let Some(key) = ended {
            ended = self.settle_one(key);
        }
    }

    /// The scope around it is the answer if this one was ended.
    fn settle_one(&mut self, key: Key) -> Option<Key> {
        let instance = self.instances.get_mut(&key)?;
        let is_calling = matches!(instance.work, Work::Called(_));
        if !instance.children.is_empty() || is_calling {
            return None;
        }
        if instance.phase == Phase::Terminating {
            return self.terminated(key);
        }
        if let Some(trigger) = instance.interruption.take() {
            self.start_event_sub_process(key, trigger);
        } else if instance.phase == Phase::Active && instance.finishing {
            instance.finishing = false;
            self.steps.push_back(Step::Complete(key));
        } else if instance.phase == Phase::Active && instance.is_scope() {
            self.end_of_tokens(key);
        }
        None
    }

    /// No token moves in this scope any more.
    fn end_of_tokens(&mut self, key: Key) {
        let Some(instance) = self.instances.get(&key) else { return };
        if instance.joins.is_empty() {
            self.steps.push_back(Step::Complete(key));
            return;
        }
        let definition = &instance.definition;
        let gateways = instance.joins.keys().map(|index| definition.element(*index).id.as_str());
        let gateways = gateways.collect::<Vec<_>>().join(", ");
        self.warn_text(key, format!("{gateways} waits for flows that nothing can take any more"));
    }

    /// Takes away what was ended; answers the scope or call around it.
    fn terminated(&mut self, key: Key) -> Option<Key> {
        if let Some(process) = self.processes.get(&key) {
            let caller = process.caller;
            self.end_process(key, Ending::Cancelled);
            return caller;
        }
        let instance = self.remove(key)?;
        let element_id = instance.element_id().to_owned();
        self.events.push(Event::ElementTerminated { instance: instance.process_key, element_id });
        let scope = instance.parent?;
        let is_open = self.instances.get(&scope).is_some_and(|scope| !scope.is_closing());
        if let Some(trigger) = instance.after.filter(|_| is_open) {
            self.spawn(scope, Role::Element(trigger.element), |boundary| {
                boundary.variables = trigger.variables;
            });
        }
        if let Role::Inner(_) = instance.role {
            self.run_terminated(scope);
        }
        Some(scope)
    }
}

/// The flows that a token takes out of an element, from the last of the file to the first, as
/// a broker takes them.
fn flows_out(instance: &Instance, kind: &Kind, outgoing: &[FlowIndex]) -> Vec<FlowIndex> {
    match (&instance.work, kind) {
        (Work::Flows(chosen), _) => chosen.clone(),
        (_, Kind::EventSubProcess { .. }) => Vec::new(),
        _ => outgoing.iter().rev().copied().collect(),
    }
}
