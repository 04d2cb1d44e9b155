//! Timers: ISO 8601 durations, dates and cycles. They fire when the runtime is told the time.

use jiff::{Span, Timestamp};

use crate::{
    devengine::{
        bpmn::{model::Timer, timer},
        record::{Key, ProcessRef},
        runtime::{
            Runtime,
            events::{On, Owner, Wait},
            expression::temporal,
            incident::{Failure, Trouble},
            instance::{ProcessInstance, Trigger},
            variables::Document,
        },
    },
    feel::Value,
};

/// How many timers fire in one go; the rest is due at once.
const MOST_AT_ONCE: usize = 1_000;

/// When a timer fires next, and then.
#[derive(Clone, Debug)]
pub(in crate::devengine::runtime) struct Schedule {
    pub(super) due: Timestamp,
    cycle: Option<Cycle>,
}

#[derive(Clone, Debug)]
struct Cycle {
    /// Times left after the next one; `None` for ever.
    left: Option<u32>,
    interval: Span,
}

/// Evaluates when a timer fires.
pub(super) fn schedule(model: &Timer, input: &Value, now: Timestamp) -> Result<Schedule, Failure> {
    let (text, what, example) = match model {
        Timer::Duration(text) => (text, "duration", "PT15M"),
        Timer::Date(text) => (text, "date and time with an offset", "2026-01-31T12:00:00Z"),
        Timer::Cycle(text) => (text, "cycle", "R3/PT10S"),
    };
    let written = temporal(text, input, now)?;
    let schedule = match model {
        Timer::Duration(_) => after(&written, now),
        Timer::Date(_) => at(&written),
        Timer::Cycle(_) => again(&written, now),
    };
    schedule.ok_or_else(|| {
        Trouble::ExtractValue
            .because(format!("invalid timer '{written}': expected a {what} like {example}"))
    })
}

fn after(text: &str, now: Timestamp) -> Option<Schedule> {
    Some(Schedule { due: timer::after(now, &timer::duration(text)?)?, cycle: None })
}

fn at(text: &str) -> Option<Schedule> {
    Some(Schedule { due: timer::date(text)?, cycle: None })
}

fn again(text: &str, now: Timestamp) -> Option<Schedule> {
    let timer::Cycle { repetitions, start, interval } = timer::cycle(text)?;
    let first = timer::after(now, &interval)?;
    // An interval of nothing would fire for ever in no time.
    if first <= now {
        return None;
    }
    let left = match repetitions {
        Some(repetitions) => Some(repetitions.checked_sub(1)?),
        None => None,
    };
    Some(Schedule { due: start.unwrap_or(first), cycle: Some(Cycle { left, interval }) })
}

impl Schedule {
    /// When it fires again after having fired.
    fn next(&self) -> Option<Self> {
        let Cycle { left, interval } = self.cycle.as_ref()?;
        let left = match left {
            Some(left) => Some(left.checked_sub(1)?),
            None => None,
        };
        let due = timer::after(self.due, interval)?;
        Some(Self { due, cycle: Some(Cycle { left, interval: *interval }) })
    }
}

impl Runtime {
    /// Fires what is due, in order.
    pub(in crate::devengine::runtime) fn fire_due_timers(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            match self.waits.first_due() {
                Some((due, key)) if due <= self.now => self.fire_timer(key),
                _ => return,
            }
            self.run();
        }
    }

    fn fire_timer(&mut self, key: Key) {
        let Some(wait) = self.waits.close(key) else { return };
        let On::Timer(schedule) = &wait.on else { return };
        let next = schedule.next().map(|schedule| Wait { on: On::Timer(schedule), ..wait.clone() });
        if let Some(next) = next {
            self.waits.add(key, next);
        }
        match wait.owner {
            Owner::Instance(owner) => self.trigger(owner, wait.element, Document::new()),
            Owner::Definition(definition) => {
                let process = ProcessRef::Key(definition);
                let Some(definition) = self.definitions.find(&process).cloned() else { return };
                let begin = Trigger { element: wait.element, variables: Document::new() };
                self.start(definition, begin, Document::new(), ProcessInstance::default());
            }
        }
    }
}
