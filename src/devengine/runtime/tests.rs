//! Processes with scripts of commands and what must follow from each.
//!
//! A case is a title, a process (BPMN; a line `a -> b -> c` stands for sequence flows), after
//! `--` what stands beside it in the file, and after `==` the script: a command a line, and
//! below it, indented, what happened: `+a` entered, `-a` completed, `x a` terminated, `?a` a
//! job for it, `~a` its job gone, `(p` and `p)` an instance's begin and end.

mod limits;
mod script;

use script::mismatches;

fn hold(cases: &str) {
    let report = mismatches(cases);
    assert!(report.is_empty(), "{report}");
}

#[test]
fn jobs_and_tasks_do_as_scripted() {
    hold(include_str!("tests/jobs.txt"));
}

#[test]
fn gateways_do_as_scripted() {
    hold(include_str!("tests/gateways.txt"));
}

#[test]
fn variables_and_mappings_do_as_scripted() {
    hold(include_str!("tests/variables.txt"));
}

#[test]
fn messages_do_as_scripted() {
    hold(include_str!("tests/messages.txt"));
}

#[test]
fn signals_and_timers_do_as_scripted() {
    hold(include_str!("tests/signals_and_timers.txt"));
}

#[test]
fn errors_do_as_scripted() {
    hold(include_str!("tests/errors.txt"));
}

#[test]
fn scopes_do_as_scripted() {
    hold(include_str!("tests/scopes.txt"));
}

#[test]
fn multi_instances_do_as_scripted() {
    hold(include_str!("tests/multi_instance.txt"));
}

#[test]
fn calls_do_as_scripted() {
    hold(include_str!("tests/calls.txt"));
}

#[test]
fn incidents_do_as_scripted() {
    hold(include_str!("tests/incidents.txt"));
}

#[test]
fn deployments_and_commands_do_as_scripted() {
    hold(include_str!("tests/commands.txt"));
}
