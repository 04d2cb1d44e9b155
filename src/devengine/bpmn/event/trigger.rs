//! Event definitions: message, signal, timer, error.

use crate::devengine::bpmn::model::{ErrorCatch, MessageSubscription, Text, Timer};
use crate::devengine::bpmn::reader::{self, Reader};
use crate::devengine::bpmn::timer;
use crate::devengine::bpmn::xml::{self, Node};

const DURATION: &str = "duration; write e.g. PT10S or P1DT12H";
const DATE: &str = "date and time; write e.g. 2030-01-31T08:00:00Z";
const CYCLE: &str = "cycle the dev engine knows (cron is not); write e.g. R3/PT10S or R/P1D";

/// What an event waits for or throws.
pub(super) struct Trigger<'x> {
    /// The event.
    node: Node<'x>,
    /// Its definition; the event itself when it has none.
    definition: Node<'x>,
    /// `message`, `timer`, …, or `none`.
    pub(super) kind: &'x str,
}

/// Whether a message needs a correlation key: at the start of a process it has none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Correlation {
    /// A key tells which instance is meant.
    Needed,
    /// The message makes its own instance.
    None,
}

impl<'x> Trigger<'x> {
    /// The trigger of an event, which has one at most.
    pub(super) fn of(node: Node<'x>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut definitions = xml::children(node).filter_map(|definition| {
            let name = xml::name(definition);
            let kind = name.strip_suffix("EventDefinition");
            let kind = kind.or((name == "eventDefinitionRef").then_some("shared"))?;
            Some(Self { node, definition, kind })
        });
        let first = definitions.next();
        if definitions.next().is_some() {
            return reader.refuse(node, "it has several event definitions; leave one");
        }
        Some(first.unwrap_or(Self { node, definition: node, kind: "none" }))
    }

    /// A receive task waits as a message event does.
    pub(super) fn of_receive_task(node: Node<'x>) -> Self {
        Self { node, definition: node, kind: "message" }
    }

    /// Refuses a trigger that is not known at this place.
    pub(super) fn unknown<T>(&self, place: &str, reader: &mut Reader<'_>) -> Option<T> {
        let words = match self.kind {
            "compensate" => "compensation",
            kind => kind,
        };
        let reason = format!(
            "the dev engine does not know {words} {place} events; \
             use another one or a Camunda cluster"
        );
        reader.refuse(self.node, reason)
    }

    /// The message waited for.
    pub(super) fn message(
        &self,
        correlation: Correlation,
        reader: &mut Reader<'x>,
    ) -> Option<MessageSubscription> {
        let message = self.referred("message", reader)?;
        let remedy = "its message has no name; name the message";
        let name = reader
            .required(self.node, message, "name", remedy)
            .and_then(|name| reader.text(self.node, "message name", name));
        if correlation == Correlation::None {
            return Some(MessageSubscription { name: name?, correlation_key: None });
        }
        let key = xml::extension(message, "subscription")
            .and_then(|subscription| xml::filled(subscription, "correlationKey"));
        let key = match key {
            Some(key) => reader.expression(self.node, "correlation key", key),
            None => reader.refuse(
                self.node,
                "its message has no correlation key; set the correlationKey of its \
                 zeebe:subscription",
            ),
        };
        Some(MessageSubscription { name: name?, correlation_key: Some(key?) })
    }

    /// The signal waited for or thrown.
    pub(super) fn signal(&self, reader: &mut Reader<'x>) -> Option<Text> {
        let signal = self.referred("signal", reader)?;
        let name = reader.required(
            self.node,
            signal,
            "name",
            "its signal has no name; name the signal",
        )?;
        reader.text(self.node, "signal name", name)
    }

    /// The error an end event throws.
    pub(super) fn thrown_error(&self, reader: &mut Reader<'x>) -> Option<Text> {
        let error = self.referred("error", reader)?;
        let remedy = "its error has no code; set the errorCode";
        let code = reader.required(self.node, error, "errorCode", remedy)?;
        reader.text(self.node, "error code", code)
    }

    /// The errors caught: one code, or all without a reference. `flag` is the attribute that
    /// says whether it interrupts, as catching an error always does.
    pub(super) fn error_catch(&self, flag: &str, reader: &mut Reader<'x>) -> Option<ErrorCatch> {
        if !xml::flag(self.node, flag, true) {
            let reason = format!("an error ends what threw it; remove {flag}=\"false\"");
            return reader.refuse(self.node, reason);
        }
        if xml::reference(self.definition, "errorRef").is_none() {
            return Some(ErrorCatch { code: None });
        }
        match self.thrown_error(reader)? {
            Text::Fixed(code) => Some(ErrorCatch { code: Some(code) }),
            Text::Expression(_) => reader.refuse(
                self.node,
                "the error code to catch is an expression; write it as fixed text, \
                 or catch all errors and decide behind it",
            ),
        }
    }

    /// The timer, which may come again; one at the start of a process has no variables.
    pub(super) fn constant_timer(&self, reader: &mut Reader<'_>) -> Option<Timer> {
        let timer = self.timer(reader)?;
        let (Timer::Duration(text) | Timer::Date(text) | Timer::Cycle(text)) = &timer;
        if !reader::is_constant(text) {
            let reason = "its timer needs a variable, but there are none before a process starts; \
                          write it as fixed text";
            return reader.refuse(self.node, reason);
        }
        Some(timer)
    }

    /// The timer, which may come again unless it interrupts, as the attribute `flag` says.
    pub(super) fn timer_unless(&self, flag: &str, reader: &mut Reader<'_>) -> Option<Timer> {
        match self.timer(reader)? {
            Timer::Cycle(_) if xml::flag(self.node, flag, true) => {
                let reason = format!(
                    "its timer is a cycle, but it fires once because it interrupts; \
                     give a duration or a date, or set {flag}=\"false\""
                );
                reader.refuse(self.node, reason)
            }
            timer => Some(timer),
        }
    }

    /// The timer.
    fn timer(&self, reader: &mut Reader<'_>) -> Option<Timer> {
        let kinds = ["timeDuration", "timeDate", "timeCycle"];
        let mut times = xml::children(self.definition)
            .filter(|time| kinds.contains(&xml::name(*time)) && !xml::text(*time).is_empty());
        let (Some(time), None) = (times.next(), times.next()) else {
            return reader.refuse(self.node, "its timer needs one of duration, date or cycle");
        };
        let text = xml::text(time);
        let read = reader.text(self.node, xml::name(time), &text)?;
        let (is_time, wanted) = match xml::name(time) {
            "timeDuration" => (timer::duration(&text).is_some(), DURATION),
            "timeDate" => (timer::date(&text).is_some(), DATE),
            _ => (timer::cycle(&text).is_some(), CYCLE),
        };
        // What an expression gives shows at run time.
        if matches!(read, Text::Fixed(_)) && !is_time {
            return reader.refuse(self.node, format!("its timer '{text}' is no {wanted}"));
        }
        Some(match xml::name(time) {
            "timeDuration" => Timer::Duration(read),
            "timeDate" => Timer::Date(read),
            _ => Timer::Cycle(read),
        })
    }

    /// A timer that fires once.
    pub(super) fn single_timer(&self, reader: &mut Reader<'_>) -> Option<Timer> {
        match self.timer(reader)? {
            Timer::Cycle(_) => reader.refuse(
                self.node,
                "its timer is a cycle, but it fires once; give a duration or a date",
            ),
            timer => Some(timer),
        }
    }

    /// The message, signal or error that is referred to.
    fn referred(&self, kind: &str, reader: &mut Reader<'x>) -> Option<Node<'x>> {
        let id = xml::reference(self.definition, &format!("{kind}Ref"));
        if let Some(node) = id.and_then(|id| reader.definitions.get(kind, id)) {
            return Some(node);
        }
        let reason = match id {
            Some(id) => format!("its {kind} '{id}' is not in the file; choose a {kind}"),
            None => format!("it refers to no {kind}; choose one"),
        };
        reader.refuse(self.node, reason)
    }
}
