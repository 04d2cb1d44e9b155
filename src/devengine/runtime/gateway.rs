//! Gateways: which flows a token takes, and which it waits for.

use super::{
    Runtime,
    incident::{Failure, Trouble},
    instance::Work,
};
use crate::devengine::{
    bpmn::model::{Element, ElementIndex, FlowIndex},
    record::Key,
};

/// How many of the flows whose condition holds are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    First,
    All,
}

impl Runtime {
    /// Chooses among a gateway's flows.
    pub(super) fn choose(
        &mut self,
        key: Key,
        element: &Element,
        default: Option<FlowIndex>,
        choice: Choice,
    ) -> Result<(), Failure> {
        let mut chosen = self.flows_that_hold(key, element, default, choice)?;
        if chosen.is_empty() {
            match default {
                Some(default) => chosen.push(default),
                None if element.outgoing.is_empty() => {}
                None => {
                    return Err(Trouble::Condition.because(
                        "Expected at least one condition to evaluate to true, or to have a \
                         default flow",
                    ));
                }
            }
        }
        self.activate(key, Work::Flows(chosen));
        Ok(())
    }

    fn flows_that_hold(
        &mut self,
        key: Key,
        element: &Element,
        default: Option<FlowIndex>,
        choice: Choice,
    ) -> Result<Vec<FlowIndex>, Failure> {
        let Some(place) = self.place(key) else { return Ok(Vec::new()) };
        let input = self.input(key);
        let mut chosen = Vec::new();
        // From the last flow of the file to the first, as a broker asks them: of several
        // conditions that hold, that of the last one wins.
        let flows = element.outgoing.iter().rev().copied();
        for flow in flows.filter(|flow| Some(*flow) != default) {
            let holds = match &place.definition.process.flows[flow].condition {
                Some(condition) => self.holds(key, condition, &input)?,
                None => true,
            };
            if holds {
                chosen.push(flow);
                if choice == Choice::First {
                    break;
                }
            }
        }
        Ok(chosen)
    }

    /// Notes that a flow into a parallel gateway was taken; whether all of them now are, which
    /// uses them up.
    pub(super) fn joined(
        &mut self,
        scope: Key,
        gateway: ElementIndex,
        element: &Element,
        flow: FlowIndex,
    ) -> bool {
        let Some(instance) = self.instances.get_mut(&scope) else { return false };
        let taken = instance.joins.entry(gateway).or_default();
        *taken.entry(flow).or_default() += 1;
        if taken.len() < element.incoming.len() {
            return false;
        }
        taken.retain(|_, tokens| {
            *tokens -= 1;
            *tokens > 0
        });
        if taken.is_empty() {
            instance.joins.remove(&gateway);
        }
        true
    }
}
