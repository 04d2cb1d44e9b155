//! What waits for an event: subscriptions and timers, opened with an element and closed
//! with it.

pub(super) mod error;
mod fire;
pub(super) mod message;
pub(super) mod signal;
pub(super) mod timer;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::timer::Schedule;
use super::{
    Runtime,
    definition::Definition,
    expression::{correlation_key, text},
    incident::Failure,
    instance::{Place, Role},
    step::Step,
};
use crate::{
    devengine::{
        bpmn::model::{
            BoundaryTrigger, Element, ElementIndex, Kind, MessageSubscription, StartTrigger, Text,
            Timer,
        },
        record::Key,
    },
    feel::Value,
};

/// How many turns pass before a kept message comes to a new subscription: until then an
/// element that does not wait is entered, but not left again.
pub(super) const WAY_TO_MESSAGES: usize = 2;

/// What is waited for, evaluated.
#[derive(Clone, Debug)]
pub(super) enum On {
    Message { name: String, correlation_key: String },
    Signal(String),
    Timer(Schedule),
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// An element or scope.
    Instance(Key),
    /// A process that a timer starts.
    Definition(Key),
}

/// An open subscription or timer.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) owner: Owner,
    /// The catching element.
    pub(super) element: ElementIndex,
    pub(super) on: On,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Waits {
    open: BTreeMap<Key, Wait>,
    due: BTreeSet<(Timestamp, Key)>,
}

/// What a model element waits for.
pub(super) enum Awaited<'a> {
    Message(&'a MessageSubscription),
    Signal(&'a Text),
    Timer(&'a Timer),
}

impl Waits {
    pub(super) fn add(&mut self, key: Key, wait: Wait) {
        if let On::Timer(schedule) = &wait.on {
            self.due.insert((schedule.due, key));
        }
        self.open.insert(key, wait);
    }

    pub(super) fn close(&mut self, key: Key) -> Option<Wait> {
        let wait = self.open.remove(&key)?;
        if let On::Timer(schedule) = &wait.on {
            self.due.remove(&(schedule.due, key));
        }
        Some(wait)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Wait> {
        self.open.get(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Wait)> {
        self.open.iter().map(|(key, wait)| (*key, wait))
    }

    pub(super) fn first_due(&self) -> Option<(Timestamp, Key)> {
        self.due.first().copied()
    }
}

/// What a model element waits for, if anything a subscription or timer can bring.
pub(super) fn awaited(element: &Element) -> Option<Awaited<'_>> {
    match &element.kind {
        Kind::Message(message) | Kind::Start(StartTrigger::Message(message)) => {
            Some(Awaited::Message(message))
        }
        Kind::Timer(timer) | Kind::Start(StartTrigger::Timer(timer)) => Some(Awaited::Timer(timer)),
        Kind::Signal(name) | Kind::Start(StartTrigger::Signal(name)) => Some(Awaited::Signal(name)),
        Kind::Boundary(boundary) => match &boundary.trigger {
            BoundaryTrigger::Message(message) => Some(Awaited::Message(message)),
            BoundaryTrigger::Timer(timer) => Some(Awaited::Timer(timer)),
            BoundaryTrigger::Signal(name) => Some(Awaited::Signal(name)),
            BoundaryTrigger::Error(_) => None,
        },
        _ => None,
    }
}

/// Evaluates what is waited for; correlation keys see `key_input`.
pub(super) fn on(
    awaited: &Awaited<'_>,
    input: &Value,
    key_input: &Value,
    now: Timestamp,
) -> Result<On, Failure> {
    Ok(match awaited {
        Awaited::Message(message) => On::Message {
            name: text(&message.name, input, now)?,
            correlation_key: match &message.correlation_key {
                Some(expression) => correlation_key(expression, key_input, now)?,
                None => String::new(),
            },
        },
        Awaited::Signal(name) => On::Signal(text(name, input, now)?),
        Awaited::Timer(timer) => On::Timer(timer::schedule(timer, input, now)?),
    })
}

/// The catching elements that an instance of this place opens subscriptions for, from the last
/// of the file to the first, as on a broker: if there are messages for several, that one wins.
fn catches(place: &Place) -> impl Iterator<Item = ElementIndex> {
    catches_in_order(place).into_iter().rev()
}

fn catches_in_order(place: &Place) -> Vec<ElementIndex> {
    let definition: &Definition = &place.definition;
    let Some(index) = place.role.element() else {
        return definition.event_starts(None).collect();
    };
    let element = definition.element(index);
    let mut catches = Vec::new();
    if !matches!(place.role, Role::Inner(_)) {
        catches.extend(&element.boundary);
    }
    if matches!(place.role, Role::Body(_)) {
        return catches;
    }
    match element.kind {
        Kind::Message(_) | Kind::Timer(_) | Kind::Signal(_) => catches.push(index),
        Kind::SubProcess | Kind::EventSubProcess { .. } => {
            catches.extend(definition.event_starts(Some(index)));
        }
        Kind::EventBased => {
            let targets =
                element.outgoing.iter().map(|flow| definition.process.flows[*flow].target);
            catches.extend(targets);
        }
        _ => {}
    }
    catches
}

impl Runtime {
    /// Evaluates everything that an instance is about to wait for.
    pub(super) fn plan_waits(&mut self, key: Key) -> Result<Vec<Wait>, Failure> {
        let Some(place) = self.place(key) else { return Ok(Vec::new()) };
        let mut catches = catches(&place).peekable();
        if catches.peek().is_none() {
            return Ok(Vec::new());
        }
        let input = self.input(key);
        let parent = self.instances.get(&key).and_then(|instance| instance.parent);
        let around = parent.map_or_else(|| input.clone(), |parent| self.input(parent));
        let mut waits = Vec::new();
        for index in catches {
            let element = place.definition.element(index);
            let Some(awaited) = awaited(element) else { continue };
            // The key of a boundary event does not see what is the activity's own.
            let is_boundary = matches!(element.kind, Kind::Boundary(_));
            let key_input = if is_boundary { &around } else { &input };
            let on = on(&awaited, &input, key_input, self.now)?;
            waits.push(Wait { owner: Owner::Instance(key), element: index, on });
        }
        Ok(waits)
    }

    pub(super) fn open_waits(&mut self, key: Key, waits: Vec<Wait>) {
        for wait in waits {
            let wait_key = self.next_key();
            if let On::Message { .. } = wait.on {
                self.steps.push_back(Step::Correlate(wait_key, WAY_TO_MESSAGES));
            }
            self.waits.add(wait_key, wait);
            if let Some(instance) = self.instances.get_mut(&key) {
                instance.waits.push(wait_key);
            }
        }
    }

    pub(super) fn close_waits(&mut self, key: Key) {
        self.close_waits_that(key, |_| true);
    }

    fn close_waits_that(&mut self, key: Key, closes: impl Fn(&Wait) -> bool) {
        let Some(instance) = self.instances.get_mut(&key) else { return };
        let waits = &mut self.waits;
        instance.waits.retain(|wait| {
            let is_kept = waits.get(*wait).is_some_and(|wait| !closes(wait));
            if !is_kept {
                waits.close(*wait);
            }
            is_kept
        });
    }
}
