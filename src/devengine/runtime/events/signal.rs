//! Signals: everybody who waits gets them, and nobody later.

use std::sync::Arc;

use crate::devengine::{
    bpmn::model::{Element, EndTrigger, Kind},
    record::Key,
    runtime::{
        Runtime,
        events::{On, Owner},
        expression::text,
        incident::Failure,
        instance::{ProcessInstance, Trigger},
        variables::Document,
    },
};

impl Runtime {
    /// The signal that an element broadcasts when it completes, with the element's own
    /// variables.
    pub(in crate::devengine::runtime) fn signal_thrown(
        &self,
        key: Key,
        element: &Element,
    ) -> Result<Option<(String, Document)>, Failure> {
        let (Kind::BroadcastSignal(name) | Kind::End(EndTrigger::Signal(name))) = &element.kind
        else {
            return Ok(None);
        };
        let name = text(name, &self.input(key), self.now)?;
        let variables = self.instances.get(&key).map(|instance| instance.variables.clone());
        Ok(Some((name, variables.unwrap_or_default())))
    }

    /// Brings a signal to all subscriptions and start events of that name.
    pub(in crate::devengine::runtime) fn broadcast_to_all(
        &mut self,
        name: &str,
        variables: &Document,
    ) {
        let is_meant = |on: &On| matches!(on, On::Signal(waited) if waited == name);
        let waits = self.waits.iter().filter(|(_, wait)| is_meant(&wait.on));
        let keys: Vec<Key> = waits.map(|(key, _)| key).collect();
        for key in keys {
            // One of those before may have ended it.
            let Some(wait) = self.waits.get(key).cloned() else { continue };
            if let Owner::Instance(owner) = wait.owner {
                self.trigger(owner, wait.element, variables.clone());
            }
        }
        for definition in self.definitions.all_latest() {
            for start in definition.starts.iter().filter(|start| is_meant(&start.on)) {
                let begin = Trigger { element: start.element, variables: variables.clone() };
                let process = ProcessInstance::default();
                self.start(Arc::clone(&definition), begin, Document::new(), process);
            }
        }
    }
}
