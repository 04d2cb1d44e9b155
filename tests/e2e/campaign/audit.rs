//! The records after a campaign, held against the instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    ear::Heard,
    scene::{JOURNAL, Scene, TABLES},
    servicenow::Records,
    work::{Instance, Kind, RETRIES},
};

/// What work notes begin with, before the instance's marker.
const NOTED: &str = "noted ";
/// What a result says of a note that was there already.
const FOUND: &str = "was written by an earlier attempt";

/// What became of the records.
#[derive(Debug, Default)]
pub(super) struct Audit {
    pub(super) jobs: usize,
    /// Calls that the jobs take when nothing goes wrong.
    pub(super) needed: u64,
    pub(super) records: usize,
    pub(super) inserted: u64,
    pub(super) duplicates: usize,
    pub(super) lost: usize,
    pub(super) foreign: usize,
    pub(super) orphans: usize,
    pub(super) breaches: Vec<String>,
    /// Work notes that must be there, and those that are.
    pub(super) notes_due: usize,
    pub(super) notes: usize,
    pub(super) notes_twice: usize,
    pub(super) notes_missing: usize,
    pub(super) notes_of_cancelled: usize,
    /// Notes that the attempt which the job ended with has found written.
    pub(super) notes_found: usize,
    /// Notes that it has written itself.
    pub(super) notes_by_last_attempt: u64,
    /// Inserts that the instances explain.
    explained: u64,
}

/// Looks at all records.
pub(super) async fn records(scene: &Scene, tally: &Value) -> Audit {
    let mut audit = Audit::default();
    let mut made = BTreeMap::<String, Vec<Map<String, Value>>>::new();
    for (table, before) in TABLES.iter().zip(&scene.before) {
        let now = scene.servicenow.records(table).await;
        let (ours, others) = now.into_iter().partition(|(_, r)| is_ours(r, &scene.work.mark));
        audit.compare(table, before, &others);
        let ours: Records = ours;
        audit.records += ours.len();
        for record in ours.into_values() {
            made.entry(text(&record, "short_description").to_owned()).or_default().push(record);
        }
    }
    let mut notes = audit.read_journal(scene).await;
    let instances = scene.work.instances.lock().unwrap().clone();
    for (key, instance) in &instances {
        let records = made.remove(&instance.marker).unwrap_or_default();
        audit.weigh(*key, instance, &records);
        let notes = notes.remove(&instance.marker).unwrap_or_default();
        audit.weigh_notes(*key, instance, &notes);
    }
    // Started after all, perhaps, and not even seen: one record and one note at most.
    let doubtful = scene.work.doubtful.lock().unwrap();
    for (marker, kind) in doubtful.iter() {
        let records = made.remove(marker).unwrap_or_default();
        audit.explained += records.len().min(1) as u64;
        audit.duplicates += records.len().saturating_sub(1);
        let notes = notes.remove(marker).unwrap_or_default();
        if notes.len() > kind.notes() {
            audit.notes_twice += 1;
            audit.breaches.push(format!("{marker}, {kind:?}, has notes {notes:?}"));
        }
    }
    drop(doubtful);
    let unknown = made.into_keys().chain(notes.into_keys());
    audit.breaches.extend(unknown.map(|marker| format!("nobody started {marker}")));
    audit.inserted =
        tally["inserted"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    if audit.inserted != audit.explained {
        let (inserted, explained) = (audit.inserted, audit.explained);
        audit.breaches.push(format!("{inserted} records were inserted, {explained} explained"));
    }
    audit
}

impl Audit {
    /// Other people's records are as they were.
    fn compare(&mut self, table: &str, before: &Records, now: &Records) {
        let ids = before.keys().chain(now.keys().filter(|id| !before.contains_key(*id)));
        for id in ids.filter(|id| before.get(*id) != now.get(*id)) {
            self.foreign += 1;
            let (before, now) = (before.get(id), now.get(id));
            self.breaches.push(format!("{table} {id} was {before:?} and is {now:?}"));
        }
    }

    /// The entries of the journal by the instances' markers. Others' are as they were.
    async fn read_journal(&mut self, scene: &Scene) -> BTreeMap<String, Vec<Map<String, Value>>> {
        let mark = format!("{NOTED}{}", scene.work.mark);
        let now = scene.servicenow.records(JOURNAL).await;
        let (ours, others): (Records, _) =
            now.into_iter().partition(|(_, entry)| text(entry, "value").starts_with(&mark));
        self.compare(JOURNAL, &scene.before[TABLES.len()], &others);
        let mut notes = BTreeMap::<String, Vec<_>>::new();
        for entry in ours.into_values() {
            self.notes += 1;
            notes.entry(text(&entry, "value")[NOTED.len()..].to_owned()).or_default().push(entry);
        }
        notes
    }

    /// An instance that ended has written its work note once, to its record; one that did not,
    /// or was cancelled, at most once.
    fn weigh_notes(&mut self, key: i64, instance: &Instance, notes: &[Map<String, Value>]) {
        let most = instance.kind.notes();
        let report = instance.report.as_ref().filter(|_| instance.has_ended);
        let is_due = report.is_some() && most > 0;
        self.notes_due += usize::from(is_due);
        self.notes_twice += notes.len().saturating_sub(most);
        self.notes_missing += usize::from(is_due && notes.is_empty());
        if instance.kind.is_cancelled() {
            self.notes_of_cancelled += if is_due { 0 } else { notes.len() };
            // Its call is needed when it came to that.
            self.needed += notes.len().min(most) as u64;
        }
        let record = report.and_then(|(_, variables)| variables["result"]["sysId"].as_str());
        if let Some((_, variables)) = report.filter(|_| is_due) {
            let is_found = variables["second"]["warnings"].to_string().contains(FOUND);
            self.notes_found += usize::from(is_found);
            self.notes_by_last_attempt += u64::from(!is_found);
        }
        let is_right = |entry: &Map<String, Value>| {
            text(entry, "element") == "work_notes"
                && record.is_none_or(|record| text(entry, "element_id") == record)
        };
        let is_enough = if is_due { notes.len() == most } else { notes.len() <= most };
        if !is_enough || !notes.iter().all(is_right) {
            let kind = instance.kind;
            self.breaches.push(format!("instance {key}, {kind:?}, has notes {notes:?}"));
        }
    }

    /// An instance has the records that it should have.
    fn weigh(&mut self, key: i64, instance: &Instance, records: &[Map<String, Value>]) {
        let kind = instance.kind;
        self.jobs += kind.jobs();
        self.needed += kind.calls() as u64;
        if !instance.has_ended {
            // Judged elsewhere; it may have its record or not.
            self.explained += records.len().min(1) as u64;
            return;
        }
        let fits = match (kind, &instance.report) {
            (kind, None) if kind.is_cancelled() => {
                self.orphans += records.len();
                self.explained += records.len().min(1) as u64;
                records.len() <= 1
            }
            (_, None) => false,
            (kind, Some((_, variables))) => {
                self.explained += 1;
                has_its_record(kind, instance, variables, records)
            }
        };
        self.duplicates += records.len().saturating_sub(1);
        self.lost += usize::from(kind != Kind::Delete && !fits && records.is_empty());
        if !fits {
            let ids: Vec<_> = records.iter().map(|record| text(record, "sys_id")).collect();
            let report = &instance.report;
            let what =
                format!("instance {key}, {kind:?}, has records {ids:?}, reported {report:?}");
            self.breaches.push(what);
        }
    }
}

fn has_its_record(
    kind: Kind,
    instance: &Instance,
    variables: &Map<String, Value>,
    records: &[Map<String, Value>],
) -> bool {
    let reported = variables["result"]["sysId"].as_str();
    match (kind, records) {
        (Kind::Delete, []) => {
            let outcome = &variables["second"]["outcome"];
            reported.is_some() && (outcome == "deleted" || outcome == "absent")
        }
        (Kind::Delete, _) => false,
        (_, [record]) => {
            let changed = format!("changed {}", instance.marker);
            reported == Some(text(record, "sys_id"))
                && !text(record, "correlation_id").is_empty()
                && (kind != Kind::Change || text(record, "description") == changed)
        }
        _ => false,
    }
}

fn is_ours(record: &Map<String, Value>, mark: &str) -> bool {
    text(record, "short_description").starts_with(mark)
}

fn text<'r>(record: &'r Map<String, Value>, field: &str) -> &'r str {
    record.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Calls that the sandbox has counted.
pub(super) fn calls(tally: &Value) -> u64 {
    tally["calls"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

/// Calls that came to an end while nobody could tell the engine what came of them: the
/// worker died, or could not reach it. By their logs: all calls, less those of jobs whose
/// end the engine has heard of.
pub(super) fn untold(logs: &[PathBuf]) -> u64 {
    let (mut made, mut told) = (0, 0);
    for log in logs {
        let text = std::fs::read_to_string(log).unwrap();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            made += u64::from(line["message"] == "answered" || line["message"] == "not answered");
            let is_told = line["reported"].as_str().is_some_and(|how| how != "GivenUp");
            told += line["calls"].as_u64().filter(|_| is_told).unwrap_or_default();
        }
    }
    made.saturating_sub(told)
}

/// What the logs tell of failures.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Jobs of which the engine took one.
    taken: BTreeSet<i64>,
    /// Jobs of which it would not, since they were not ours any more. That did no harm.
    refused: BTreeSet<i64>,
}

impl Failures {
    pub(super) fn told(logs: &[PathBuf]) -> Self {
        let mut told = Self::default();
        for log in logs {
            let text = std::fs::read_to_string(log).unwrap();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for line in lines.filter(|line| line["command"] == "fail") {
                let job: i64 = line["job_key"].as_str().unwrap().parse().unwrap();
                match line["reported"].as_str().unwrap() {
                    "Accepted" => drop(told.taken.insert(job)),
                    "Gone" | "Cancelled" | "Superseded" => drop(told.refused.insert(job)),
                    // Whether it arrived nobody knows.
                    _ => {}
                }
            }
        }
        told
    }

    /// Failures that cost a retry, and those that were told of but not heard on the wire.
    pub(super) fn breaches(&self, heard: &Heard) -> Vec<String> {
        let unheard = self.taken.iter().filter(|job| !heard.failures.contains_key(job));
        let unheard = unheard.map(|job| format!("no failure of job {job} was heard on the wire"));
        let costly = heard.failures.iter().filter(|(job, failures)| {
            !self.refused.contains(job) && failures.iter().any(|how| how.retries < RETRIES)
        });
        let costly = costly.map(|(job, failures)| format!("job {job} was failed: {failures:?}"));
        unheard.chain(costly).collect()
    }
}

/// Lines of a worker's log that tell of a panic or a BPMN error.
pub(super) fn bad_lines(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let bad = text.lines().filter(|line| is_bad(line));
    bad.map(|line| format!("{}: {line}", log.display())).collect()
}

fn is_bad(line: &str) -> bool {
    let Ok(fields) = serde_json::from_str::<Value>(line) else {
        // What comes beside the log, such as a panic before it was set up.
        return line.contains("panicked at");
    };
    let message = fields["message"].as_str().unwrap_or_default();
    if message.starts_with("panic: ") || message.contains("panicked") {
        return true;
    }
    // What the engine did not take, since the job was not ours any more, did no harm.
    fields["reported"] == "Accepted" && fields["command"] == "throw_error"
}

#[test]
fn a_panic_in_a_log_is_a_bad_line() {
    let said = "panic: a bug of the worker, please report it";
    assert!(include_str!("../../../src/telemetry.rs").contains(said));
    let line = |message: &str| serde_json::json!({"level": "ERROR", "message": message});
    assert!(is_bad(&line(said).to_string()));
    assert!(is_bad("thread 'main' panicked at src/main.rs:1:1:"));
    assert!(!is_bad(&line("job ended").to_string()));
}
