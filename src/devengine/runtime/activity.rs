//! What each kind of element does when a token enters it.

pub(super) mod call;
pub(super) mod multi_instance;
pub(super) mod sub_process;

use super::{Runtime, gateway::Choice, incident::Failure, instance::Work};
use crate::devengine::{
    bpmn::model::{Element, EndTrigger, Kind},
    record::Key,
};

impl Runtime {
    pub(super) fn enter_element(&mut self, key: Key, element: &Element) -> Result<(), Failure> {
        if self.instances.get(&key).is_some_and(|instance| instance.happened) {
            self.pass(key);
            return Ok(());
        }
        match &element.kind {
            Kind::Start(_)
            | Kind::Boundary(_)
            | Kind::End(EndTrigger::None | EndTrigger::Terminate) => self.pass(key),
            Kind::Parallel => self.activate(key, Work::Nothing),
            Kind::Pass | Kind::BroadcastSignal(_) | Kind::End(EndTrigger::Signal(_)) => {
                self.map_inputs(key)?;
                self.pass(key);
            }
            Kind::Job(work) | Kind::End(EndTrigger::Job(work)) => {
                self.enter_job(key, element, work)?;
            }
            Kind::User(work) => self.enter_user_task(key, element, work.as_ref())?,
            Kind::Message(_) | Kind::Timer(_) | Kind::Signal(_) | Kind::EventBased => {
                self.enter_catch(key)?;
            }
            Kind::Exclusive { default } => self.choose(key, element, *default, Choice::First)?,
            Kind::Inclusive { default } => self.choose(key, element, *default, Choice::All)?,
            Kind::SubProcess => self.enter_sub_process(key)?,
            Kind::EventSubProcess { .. } => self.enter_event_sub_process(key)?,
            Kind::Call(called) => self.enter_call(key, called)?,
            Kind::End(EndTrigger::Error(code)) => self.enter_error_end(key, code)?,
        }
        Ok(())
    }

    /// Waits for an event, or for the first of several.
    fn enter_catch(&mut self, key: Key) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let waits = self.plan_waits(key)?;
        self.activate(key, Work::Nothing);
        self.open_waits(key, waits);
        Ok(())
    }
}
