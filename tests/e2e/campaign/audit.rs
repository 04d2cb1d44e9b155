//! The records after a campaign, held against the instances.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    scene::{Scene, TABLES},
    servicenow::Records,
    work::{Instance, Kind},
};

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
    let instances = scene.work.instances.lock().unwrap().clone();
    for (key, instance) in &instances {
        let records = made.remove(&instance.marker).unwrap_or_default();
        audit.weigh(*key, instance, &records);
    }
    // Started after all, perhaps, and not even seen: one record at most.
    let doubtful = scene.work.doubtful.lock().unwrap();
    for records in doubtful.keys().filter_map(|marker| made.remove(marker)) {
        audit.explained += records.len().min(1) as u64;
        audit.duplicates += records.len().saturating_sub(1);
    }
    drop(doubtful);
    let unknown = made.into_keys().map(|marker| format!("nobody started {marker}"));
    audit.breaches.extend(unknown);
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
            (Kind::Cancelled, None) => {
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

/// Lines of a worker's log that tell of a panic, or of a retry that was used up.
pub(super) fn bad_lines(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let bad = text.lines().filter(|line| is_bad(line));
    bad.map(|line| format!("{}: {line}", log.display())).collect()
}

fn is_bad(line: &str) -> bool {
    if line.contains("panicked at") {
        return true;
    }
    let Ok(fields) = serde_json::from_str::<Value>(line) else { return false };
    let keeps_retries = |detail: &str| detail.contains("no retry is used up");
    // What the engine did not take, since the job was not ours any more, did no harm.
    let is_taken = fields["reported"] == "Accepted";
    is_taken
        && (fields["command"] == "throw_error"
            || fields["command"] == "fail" && !fields["detail"].as_str().is_some_and(keeps_retries))
}
