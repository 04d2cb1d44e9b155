//! `[[inbound.routes]]`.

use std::time::Duration;

use super::{
    super::section::{Key, Section},
    name, picker,
};
use crate::{
    inbound::{Action, Guard, Pattern, Picker, Route},
    ports::DEFAULT_TENANT,
};

#[derive(Clone, Copy, Debug)]
enum Verb {
    Start,
    Message,
    StartOrCorrelate,
    Signal,
    Cancel,
}

/// How a route holds repetitions off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Once {
    Message,
    Wrapper,
    BusinessId,
    /// It does not: `at_least_once`.
    Nothing,
    /// A word that means nothing, which is told already.
    Unknown,
}

/// Reads all of them.
pub(super) fn read(section: &mut Section<'_>, has_rest: bool) -> Vec<Route> {
    let routes = section.sections("routes").into_iter();
    routes.filter_map(|route| one(route, has_rest)).collect()
}

fn one(mut section: Section<'_>, has_rest: bool) -> Option<Route> {
    let name = name(&mut section);
    let once = once(&mut section);
    let action = action(&mut section, once, has_rest);
    let tenant = section.text(Key::new("tenant"));
    let [key, variables, response] =
        ["key", "variables", "response"].map(|name| picker(&mut section, name));
    let ttl = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
    let time_to_live = section.duration(Key::new("ttl"), ttl);
    section.finish();
    // All of it is read by now, or one mistake would hide the others.
    Some(Route {
        name: name?,
        action: action?,
        tenant: tenant.unwrap_or_else(|| DEFAULT_TENANT.to_owned()),
        key,
        variables,
        response,
        at_least_once: once == Some(Once::Nothing),
        time_to_live,
    })
}

fn once(section: &mut Section<'_>) -> Option<Once> {
    let words = [
        ("message", Once::Message),
        ("wrapper", Once::Wrapper),
        ("business_id", Once::BusinessId),
        ("at_least_once", Once::Nothing),
    ];
    let is_there = section.has("once");
    section.one_of(Key::new("once"), &words).or(is_there.then_some(Once::Unknown))
}

fn action(section: &mut Section<'_>, once: Option<Once>, has_rest: bool) -> Option<Action> {
    let verbs = [
        ("start", Verb::Start),
        ("message", Verb::Message),
        ("start_or_correlate", Verb::StartOrCorrelate),
        ("signal", Verb::Signal),
        ("cancel", Verb::Cancel),
    ];
    if !section.has("do") {
        section.mistake(
            "do",
            "is what the route does: start, message, start_or_correlate, signal or cancel",
        );
    }
    let Some(verb) = section.one_of(Key::new("do"), &verbs) else {
        nothing(section);
        return None;
    };
    match verb {
        Verb::Start => start(section, once),
        Verb::Message => message(section, once, false),
        Verb::StartOrCorrelate => message(section, once, true),
        Verb::Signal => signal(section, once),
        Verb::Cancel => cancel(section, has_rest),
    }
}

/// Reads what any action would: nobody knows which of it is one too many.
fn nothing(section: &mut Section<'_>) {
    for key in ["process", "message", "signal"] {
        section.text(Key::new(key));
    }
    for key in ["version", "await"] {
        section.value(key);
    }
    for key in ["correlation_key", "instance"] {
        picker(section, key);
    }
}

fn needed(section: &mut Section<'_>, key: &'static str, why: &str) -> Option<String> {
    let value = section.text(Key::new(key));
    if value.is_none() {
        section.mistake(key, &format!("is missing: {why}"));
    }
    value
}

fn start(section: &mut Section<'_>, once: Option<Once>) -> Option<Action> {
    let process = needed(section, "process", "name the BPMN process id");
    let version = section.count(Key::new("version"), 1..=i32::MAX as usize);
    let version = version.and_then(|version| i32::try_from(version).ok());
    let await_completion = section.boolean(Key::new("await")).unwrap_or(false);
    let guard = match once {
        Some(Once::Wrapper) => Guard::Wrapper,
        Some(Once::BusinessId) => Guard::BusinessId,
        Some(Once::Nothing) => Guard::Nothing,
        Some(Once::Unknown) => return None,
        Some(Once::Message) | None => {
            section.mistake(
                "once",
                "says what keeps a second start off: \"wrapper\" (a process of ours around \
                 yours, on every cluster), \"business_id\" (where the cluster enforces it) or \
                 \"at_least_once\"; for a process with a message start event write do = \
                 \"message\"",
            );
            return None;
        }
    };
    if guard == Guard::Wrapper && version.is_some() {
        section.mistake("version", "cannot be chosen with once = \"wrapper\"");
    }
    if guard == Guard::Wrapper && await_completion {
        section.mistake("await", "cannot be had with once = \"wrapper\": nobody learns the end");
    }
    Some(Action::Start { process: process?, version, guard, await_completion })
}

fn message(
    section: &mut Section<'_>,
    once: Option<Once>,
    needs_correlation_key: bool,
) -> Option<Action> {
    let name = needed(section, "message", "name the message");
    let is_there = section.has("correlation_key");
    let correlation_key = picker(section, "correlation_key");
    if !is_there && needs_correlation_key {
        section.mistake(
            "correlation_key",
            "is missing: say whom the message is for, e.g. \"$.sys_id\"",
        );
    }
    if matches!(once, Some(Once::Wrapper | Once::BusinessId)) {
        section.mistake("once", "is \"message\" or \"at_least_once\" for a message");
    }
    Some(Action::Message { name: name?, correlation_key })
}

fn signal(section: &mut Section<'_>, once: Option<Once>) -> Option<Action> {
    let name = needed(section, "signal", "name the signal");
    if !matches!(once, Some(Once::Nothing | Once::Unknown)) {
        section.mistake(
            "once",
            "is \"at_least_once\" for a signal: the engine broadcasts a repetition again",
        );
    }
    Some(Action::Signal { name: name? })
}

fn cancel(section: &mut Section<'_>, has_rest: bool) -> Option<Action> {
    let is_there = section.has("instance");
    let instance: Option<Picker> = picker(section, "instance");
    if !is_there {
        section.mistake("instance", "is missing: where the body has the instance's key");
    }
    let processes = section.text(Key::new("process")).unwrap_or_else(|| "*".to_owned());
    let processes = Pattern::new(&processes);
    if !processes.is_any() && !has_rest {
        section.mistake("process", "needs zeebe.rest_address, which tells an instance's process");
    }
    Some(Action::Cancel { instance: instance?, processes })
}
