//! BPMN errors: up the scopes, and through call activities, to the nearest event that
//! catches their code.

use crate::devengine::{
    bpmn::model::{BoundaryTrigger, ElementIndex, ErrorCatch, Kind, StartTrigger, Text},
    record::Key,
    runtime::{
        Runtime,
        expression::text,
        incident::{Failure, Trouble},
        instance::{Instance, Phase, Role, Work},
        variables::Document,
    },
};

/// Nothing catches the error; the codes that something would catch.
#[derive(Debug)]
pub(in crate::devengine::runtime) struct Uncaught {
    codes: Vec<String>,
}

impl Uncaught {
    pub(in crate::devengine::runtime) fn available(&self) -> String {
        if self.codes.is_empty() {
            return "No error events are available in the scope.".to_owned();
        }
        format!("Available error events are [{}]", self.codes.join(", "))
    }
}

impl Runtime {
    /// Throws an error from an element.
    pub(in crate::devengine::runtime) fn throw(
        &mut self,
        from: Key,
        code: &str,
        variables: &Document,
    ) -> Result<(), Uncaught> {
        let mut codes = Vec::new();
        let mut at = Some(from);
        while let Some((key, instance)) = at.and_then(|key| Some((key, self.instances.get(&key)?)))
        {
            let catches = error_catches(instance);
            if let Some(element) = catching(&catches, code) {
                self.trigger(key, element, variables.clone());
                return Ok(());
            }
            codes.extend(catches.iter().filter_map(|(_, catch)| catch.code.clone()));
            at = self.next_catching(instance);
        }
        Err(Uncaught { codes })
    }

    /// Where an error goes on. As on a broker it does not leave a scope that an event
    /// sub-process has interrupted, except for the process's caller.
    fn next_catching(&self, instance: &Instance) -> Option<Key> {
        let outer = self.outer(instance)?;
        let is_interrupted = |key| self.instances.get(&key).is_some_and(|it| it.interrupted);
        if !is_interrupted(outer) {
            return Some(outer);
        }
        self.processes.get(&instance.process_key)?.caller
    }

    pub(in crate::devengine::runtime) fn enter_error_end(
        &mut self,
        key: Key,
        code: &Text,
    ) -> Result<(), Failure> {
        self.map_inputs(key)?;
        let code = text(code, &self.input(key), self.now)?;
        match self.throw(key, &code, &Document::new()) {
            Ok(()) => {
                self.activate(key, Work::Nothing);
                Ok(())
            }
            Err(uncaught) => Err(Trouble::UnhandledError.because(format!(
                "Expected to throw an error event with the code '{code}', but it was not caught. \
                 {}",
                uncaught.available()
            ))),
        }
    }
}

/// The error events of an instance, those within before those at its edge.
fn error_catches(instance: &Instance) -> Vec<(ElementIndex, &ErrorCatch)> {
    if instance.phase != Phase::Active || instance.is_closing() {
        return Vec::new();
    }
    let definition = &instance.definition;
    let mut catches = Vec::new();
    if instance.is_scope() && !instance.interrupted {
        let starts = definition.event_starts(instance.role.element());
        catches.extend(starts.filter_map(|start| match &definition.element(start).kind {
            Kind::Start(StartTrigger::Error(catch)) => Some((start, catch)),
            _ => None,
        }));
    }
    let edge = instance.element().filter(|_| !matches!(instance.role, Role::Inner(_)));
    let boundary = edge.map(|element| element.boundary.as_slice()).unwrap_or_default();
    catches.extend(boundary.iter().filter_map(|index| match &definition.element(*index).kind {
        Kind::Boundary(boundary) => match &boundary.trigger {
            BoundaryTrigger::Error(catch) => Some((*index, catch)),
            _ => None,
        },
        _ => None,
    }));
    catches
}

/// The event of that code, else one that catches every error.
fn catching(catches: &[(ElementIndex, &ErrorCatch)], code: &str) -> Option<ElementIndex> {
    let exact = catches.iter().find(|(_, catch)| catch.code.as_deref() == Some(code));
    let any = || catches.iter().find(|(_, catch)| catch.code.is_none());
    exact.or_else(any).map(|(element, _)| *element)
}
