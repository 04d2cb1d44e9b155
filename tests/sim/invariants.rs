//! What must hold after every play.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use servicenow_worker::devengine::gateway::{Call, Seen};
use tonic::Code;

use crate::{
    flows,
    log::{self, Log},
    scene::{NOTED_ID, Scene, title},
    world::World,
};

/// A record as the sandbox holds it.
pub(crate) type Row = Map<String, Value>;

/// Records that are the jobs', as many of each job.
pub(crate) fn records_by_job(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in ours(world) {
        *counts.entry(text(&row, "short_description").to_owned()).or_default() += 1;
    }
    counts
}

/// All breaches of what is promised.
pub(crate) fn breaches(scene: &Scene, world: &World, foreign: &[Row], log: &Log) -> Vec<String> {
    let mut breaches = world.books().violations.clone();
    each_job_has_one_record(scene, world, &mut breaches);
    each_note_is_written_once(scene, world, &mut breaches);
    foreign_records_are_untouched(world, foreign, &mut breaches);
    all_jobs_are_done(scene, world, &mut breaches);
    results_name_records(scene, world, &mut breaches);
    breaches.extend(flows::breaches(scene, world));
    calls_are_few(scene, world, &mut breaches);
    the_secret_is_nowhere(world, log, &mut breaches);
    breaches
}

fn each_job_has_one_record(scene: &Scene, world: &World, breaches: &mut Vec<String>) {
    let counts = records_by_job(world);
    for job in (0..scene.jobs).filter(|job| !scene.is_note(*job) && !scene.is_flow(*job)) {
        match counts.get(&title(job)) {
            Some(1) => {}
            Some(many) => breaches.push(format!("job {job} has {many} records")),
            None => breaches.push(format!("job {job} has no record")),
        }
    }
    let marks: BTreeSet<_> =
        ours(world).iter().map(|row| text(row, "correlation_id").to_owned()).collect();
    if marks.len() != counts.values().sum::<usize>() || marks.contains("") {
        breaches.push(format!("{} marks for {} records", marks.len(), counts.len()));
    }
}

/// Work notes that are the jobs', as many of each job.
pub(crate) fn notes_by_job(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in world.sandbox().records("sys_journal_field").iter().filter(|row| is_note(row)) {
        *counts.entry(text(row, "value").to_owned()).or_default() += 1;
    }
    counts
}

fn times_of_note(world: &World, text_of_note: &str) -> Vec<String> {
    let rows = world.sandbox().records("sys_journal_field");
    let own = rows.iter().filter(|row| text(row, "value") == text_of_note);
    own.map(|row| text(row, "sys_created_on").to_owned()).collect()
}

fn each_note_is_written_once(scene: &Scene, world: &World, breaches: &mut Vec<String>) {
    let counts = notes_by_job(world);
    if counts.len() > scene.all_notes() {
        breaches.push(format!("{} notes for {} jobs", counts.len(), scene.all_notes()));
    }
    for job in (0..scene.jobs).filter(|job| scene.is_note(*job)) {
        match counts.get(&title(job)) {
            Some(1) => {}
            Some(many) => breaches.push(format!(
                "job {job} has written its note {many} times: {}",
                times_of_note(world, &title(job)).join(", ")
            )),
            None => breaches.push(format!("job {job} has written no note")),
        }
    }
}

fn foreign_records_are_untouched(world: &World, before: &[Row], breaches: &mut Vec<String>) {
    if foreign(world) != before {
        breaches.push("a record that is no job's has changed, come or gone".to_owned());
    }
}

fn all_jobs_are_done(scene: &Scene, world: &World, breaches: &mut Vec<String>) {
    let Some(engine) = world.engine() else { return breaches.push("no engine".to_owned()) };
    let incidents = engine.incidents();
    if world.expects_incidents() {
        if incidents.len() != scene.jobs {
            breaches.push(format!("{} incidents for {} jobs", incidents.len(), scene.jobs));
        }
        return;
    }
    let (asking, others): (Vec<_>, Vec<_>) =
        incidents.iter().partition(|i| flows::asks_a_person(i));
    for incident in others {
        breaches.push(format!("incident: {}", incident.message));
    }
    let (open, running) = (engine.gateway().open_jobs(), engine.instances().len());
    if !world.books().all_asked || (open, running) != (asking.len(), asking.len()) {
        breaches.push(format!("{open} jobs and {running} instances are not at their end"));
    }
}

/// Records that no job has to do with.
pub(crate) fn foreign(world: &World) -> Vec<Row> {
    let is_foreign = |row: &Row| !is_ours(row) && text(row, "sys_id") != NOTED_ID;
    world.sandbox().records("task").into_iter().filter(is_foreign).collect()
}

/// Every completion that the engine took names a record that is there, each its own but for
/// the one that notes are written to.
fn results_name_records(scene: &Scene, world: &World, breaches: &mut Vec<String>) {
    let Some(engine) = world.engine() else { return };
    let ours = ours(world);
    let ids: BTreeSet<&str> =
        ours.iter().map(|row| text(row, "sys_id")).chain([NOTED_ID]).collect();
    let mut named = BTreeSet::new();
    let mut completed = 0;
    for seen in engine.gateway().calls() {
        let Call::Complete(command) = seen.call else { continue };
        if seen.result != Code::Ok {
            continue;
        }
        let variables: Value = serde_json::from_str(&command.variables).unwrap_or_default();
        if variables["made"]["executionId"].is_string() {
            continue;
        }
        completed += 1;
        let id = variables["made"]["sysId"].as_str().unwrap_or_default().to_owned();
        if !ids.contains(id.as_str()) {
            breaches.push(format!("a job was completed with '{id}', which is no record"));
        }
        named.insert(id);
    }
    let (notes, of_records) = (scene.all_notes(), scene.jobs - scene.all_flows());
    let records = of_records - notes + notes.min(1);
    let expected = if world.expects_incidents() { (0, 0) } else { (of_records, records) };
    if (completed, named.len()) != expected {
        breaches.push(format!("{completed} completions name {} records", named.len()));
    }
}

fn calls_are_few(scene: &Scene, world: &World, breaches: &mut Vec<String>) {
    let calls = world.sandbox().requests().len();
    let allowed = most_calls(scene, world);
    if calls > allowed {
        breaches.push(format!("{calls} calls where {allowed} are enough"));
    }
}

/// 1.1 times what the jobs need, and one for each doubt: a call without a clean success, or
/// a job that came again though the engine had not been told how its last run had ended.
pub(crate) fn most_calls(scene: &Scene, world: &World) -> usize {
    let books = world.books();
    let told = world.engine().map_or(0, |engine| {
        let calls = engine.gateway().calls();
        let failed = |seen: &&Seen| matches!(seen.call, Call::Fail(_)) && seen.result == Code::Ok;
        calls.iter().filter(failed).count()
    });
    let again = books.activations.saturating_sub(scene.jobs + told);
    scene.calls() * 11 / 10 + books.doubts + again
}

fn the_secret_is_nowhere(world: &World, log: &Log, breaches: &mut Vec<String>) {
    let (lines, leaks) = log.seen();
    breaches.extend(leaks.into_iter().map(|line| format!("the log shows the secret: {line}")));
    if lines == 0 {
        breaches.push("nothing was logged, so nothing was searched".to_owned());
    }
    for metrics in &world.books().metrics {
        if metrics.encode().map_or(true, |text| log::leaks(&text)) {
            breaches.push("the figures show the secret".to_owned());
        }
    }
    let Some(engine) = world.engine() else { return };
    if engine.gateway().calls().iter().any(|seen| log::leaks(&format!("{seen:?}"))) {
        breaches.push("a command shows the secret".to_owned());
    }
    let rows = world.sandbox().records("task");
    if rows.iter().any(|row| row.values().any(|value| log::leaks(&value.to_string()))) {
        breaches.push("a record shows the secret".to_owned());
    }
}

fn ours(world: &World) -> Vec<Row> {
    world.sandbox().records("incident").into_iter().filter(is_ours).collect()
}

fn is_ours(row: &Row) -> bool {
    text(row, "short_description").starts_with("simulated job ")
}

fn is_note(row: &Row) -> bool {
    text(row, "value").starts_with("simulated job ")
}

fn text<'a>(row: &'a Row, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
