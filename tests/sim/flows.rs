//! What must hold of flows that may not start twice: they start once, or a person is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use servicenow_worker::devengine::{gateway::Call, record::Incident};
use tonic::Code;

use crate::{
    scene::{FLOW, Scene, title},
    world::World,
};

/// Starts of the jobs' flows, as many of each job.
pub(crate) fn starts_by_job(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for flow in world.sandbox().flows() {
        let job = flow.payload["title"].as_str().unwrap_or_default().to_owned();
        *counts.entry(job).or_default() += 1;
    }
    counts
}

/// Whether an incident asks a person whether a flow was started.
pub(crate) fn asks_a_person(incident: &Incident) -> bool {
    incident.process_id == FLOW && leaves_to_people(&incident.message)
}

/// Whether a failure says so.
pub(crate) fn leaves_to_people(message: &str) -> bool {
    message.starts_with("SN_OUTCOME_UNKNOWN") && message.contains("delivery is at_most_once")
}

/// Completions that the engine took of flows that were started.
pub(crate) fn completed(world: &World) -> usize {
    let flows = world.sandbox().flows();
    let started: BTreeSet<&str> = flows.iter().map(|flow| flow.execution_id.as_str()).collect();
    let Some(engine) = world.engine() else { return 0 };
    let calls = engine.gateway().calls().into_iter();
    let completions = calls.filter_map(|seen| match seen.call {
        Call::Complete(command) if seen.result == Code::Ok => Some(command.variables),
        _ => None,
    });
    let ids = completions.filter_map(|variables| {
        let variables: Value = serde_json::from_str(&variables).ok()?;
        Some(variables["made"]["executionId"].as_str()?.to_owned())
    });
    ids.collect::<BTreeSet<_>>().iter().filter(|id| started.contains(id.as_str())).count()
}

/// No flow starts twice; each that was not told of as started left its job to a person.
pub(crate) fn breaches(scene: &Scene, world: &World) -> Vec<String> {
    let counts = starts_by_job(world);
    let own: BTreeSet<_> = (0..scene.jobs).filter(|job| scene.is_flow(*job)).map(title).collect();
    let twice = counts.iter().filter(|(_, starts)| **starts > 1);
    let mut breaches: Vec<_> =
        twice.map(|(job, starts)| format!("the flow of {job} started {starts} times")).collect();
    let strange = counts.keys().filter(|job| !own.contains(*job));
    breaches.extend(strange.map(|job| format!("a flow of nobody started: '{job}'")));
    let asked = world.engine().map_or(0, |engine| {
        engine.incidents().iter().filter(|incident| asks_a_person(incident)).count()
    });
    let told = completed(world);
    if told + asked != own.len() {
        breaches
            .push(format!("{} flows: {told} told as started, {asked} left to a person", own.len()));
    }
    breaches
}
