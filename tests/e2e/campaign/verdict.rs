//! What a campaign has shown: the figures, and everything that must not be.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::atomic::Ordering};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    audit::{self, Audit},
    ear::Heard,
    proxy::Proxy,
    scene::Scene,
    stuck::Stuck,
    work::Work,
};

/// The figures and the breaches.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    faults: BTreeMap<String, u64>,
    figures: Vec<(&'static str, String)>,
    breaches: Vec<String>,
}

impl Verdict {
    pub(super) async fn of(
        scene: &mut Scene,
        stuck: Vec<Stuck>,
        logs: &[PathBuf],
        heard: &Heard,
    ) -> Self {
        let mut verdict = Self::default();
        verdict.breaches.append(&mut scene.work.findings.lock().unwrap());
        let doubts = verdict.count_faults(scene).await;
        // What has found nothing to strike must not strike our own looks.
        scene.servicenow.calm().await;
        // Before the looks at the records, which are calls as well.
        let tally = scene.servicenow.tally().await;
        scene.look().await;
        let audit = audit::records(scene, &tally).await;
        verdict.weigh_instances(&scene.work, &audit, stuck).await;
        verdict.weigh_calls(scene, &tally, &audit, [doubts, audit::untold(logs)], heard);
        verdict.weigh_words(scene, logs).await;
        verdict.weigh_retries(logs, heard);
        verdict.tell("time", &format!("{} s", scene.began.elapsed().as_secs()));
        if !scene.servicenow.is_running() {
            verdict.breaches.push("the sandbox has ended by itself".to_owned());
        }
        verdict
    }

    /// How many faults struck.
    pub(super) fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// What must not be, with the evidence.
    pub(super) fn breaches(&self) -> &[String] {
        &self.breaches
    }

    fn tell(&mut self, name: &'static str, figure: &impl ToString) {
        self.figures.push((name, figure.to_string()));
    }

    /// Adds the faults up and gives the number of calls that they left in doubt.
    async fn count_faults(&mut self, scene: &Scene) -> u64 {
        let (struck, mut doubts) = scene.servicenow.struck().await;
        doubts += scene.to_servicenow.doubts();
        self.add("in ServiceNow", struck);
        self.add("on the way to ServiceNow", scene.to_servicenow.struck());
        for proxy in &scene.to_gateway {
            self.add("on the way to the engine", proxy.struck());
        }
        let signals = scene.signals.lock().unwrap().clone();
        self.add("processes", signals.into_iter().map(|(name, count)| (name.into(), count)));
        doubts
    }

    fn add(&mut self, place: &str, struck: impl IntoIterator<Item = (String, u64)>) {
        for (name, count) in struck {
            *self.faults.entry(format!("{place}: {name}")).or_default() += count;
        }
    }

    /// All instances have ended, for the engine too, or it has lost them.
    async fn weigh_instances(&mut self, work: &Work, audit: &Audit, stuck: Vec<Stuck>) {
        let ended: Vec<_> = {
            let instances = work.instances.lock().unwrap();
            instances.iter().filter(|(_, i)| i.has_ended).map(|(key, _)| *key).collect()
        };
        let asked: Vec<_> = stream::iter(ended.iter().copied())
            .map(|key| async move { (key, work.client.has_ended(key).await) })
            .buffer_unordered(16)
            .collect()
            .await;
        let alive = asked.into_iter().filter(|(_, has_ended)| !has_ended);
        let alive = alive.map(|(key, _)| format!("the engine has instance {key} still"));
        self.breaches.extend(alive);
        let mut lost = Vec::new();
        for stuck in stuck {
            match stuck {
                Stuck::LostByTheEngine(evidence) => lost.push(evidence),
                Stuck::Ours(evidence) => self.breaches.push(evidence),
            }
        }
        self.tell("instances planned", &work.plan.len());
        self.tell("instances ended", &ended.len());
        self.tell("instances waiting", &work.open().len());
        self.tell("jobs lost by the engine (#16884)", &format!("{} {lost:?}", lost.len()));
        self.tell("jobs", &audit.jobs);
        self.tell("records", &audit.records);
        self.tell("inserted in all", &audit.inserted);
        self.tell("duplicates", &audit.duplicates);
        self.tell("lost", &audit.lost);
        self.tell("foreign records touched", &audit.foreign);
        self.tell("orphans of cancelled instances", &audit.orphans);
        self.tell("work notes due", &audit.notes_due);
        self.tell("work notes written", &audit.notes);
        self.tell("work notes found by a later attempt", &audit.notes_found);
        self.tell("work notes of cancelled instances", &audit.notes_of_cancelled);
        self.tell("work notes twice", &audit.notes_twice);
        self.tell("work notes missing", &audit.notes_missing);
        self.breaches.extend(audit.breaches.iter().cloned());
    }

    /// ServiceNow was not called more often than the jobs and the doubts explain. In doubt
    /// is a call that got no good answer, one whose answer nobody could tell the engine, and
    /// an insert that was refused since its record was there already: the last one of its
    /// record, those before it being among the others. After an announcement that no end is
    /// known of, a work note is looked for at once and when nobody can be writing it any
    /// more: two calls besides the one that writes it, or reads the record that has it.
    fn weigh_calls(
        &mut self,
        scene: &Scene,
        tally: &Value,
        audit: &Audit,
        doubts: [u64; 2],
        heard: &Heard,
    ) {
        let at_servicenow = audit::calls(tally) - scene.calls_before;
        let calls = at_servicenow + scene.to_servicenow.swallowed();
        let asked = scene.servicenow.asked.lock().unwrap();
        let repeated = asked.inserted_again();
        let announced = heard.announcements.len() as u64;
        let open_notes = announced.saturating_sub(audit.notes_by_last_attempt);
        let [unanswered, untold] = doubts;
        let bound = audit.needed * 11 / 10 + unanswered + untold + repeated + 2 * open_notes;
        if asked.missed > 0 {
            self.breaches.push(format!("{} requests were not looked at", asked.missed));
        }
        self.tell("calls needed without faults", &audit.needed);
        self.tell("calls", &calls);
        self.tell("doubts: no good answer", &unanswered);
        self.tell("doubts: answer not told to the engine", &untold);
        self.tell("doubts: inserted again", &repeated);
        self.tell("inserted again, all", &tally["repeatedInserts"]);
        self.tell("attempts at work notes", &announced);
        self.tell("attempts at work notes with open end", &open_notes);
        self.tell("looks for work notes", &asked.looks());
        let percent = 100 * calls / bound.max(1);
        self.tell("calls / (1.1 x needed + doubts)", &format!("{percent} % of {bound}"));
        if calls > bound {
            self.breaches.push(format!("{calls} calls, but {bound} at most are explained"));
        }
    }

    /// No retry was used up: the engine was told of each failure that the job keeps all it had.
    fn weigh_retries(&mut self, logs: &[PathBuf], heard: &Heard) {
        let told = audit::Failures::told(logs);
        let all = heard.failures.values().map(Vec::len).sum::<usize>();
        self.tell("failures told to the engine", &all);
        self.breaches.extend(told.breaches(heard));
    }

    /// The secret is nowhere, nothing has panicked, no BPMN error was thrown.
    async fn weigh_words(&mut self, scene: &Scene, logs: &[PathBuf]) {
        let mut traces = scene.leaks + scene.canary.traces_in(scene.servicenow.log());
        traces += scene.work.leaks.load(Ordering::Relaxed);
        traces += scene.to_gateway.iter().map(Proxy::leaks).sum::<u64>();
        for replica in &scene.replicas {
            traces += scene.canary.traces(replica.lock().await.shown.as_bytes());
        }
        for log in logs {
            let found = scene.canary.traces_in(log);
            traces += found;
            if found > 0 {
                self.breaches.push(format!("the secret is in {}", log.display()));
            }
            self.breaches.extend(audit::bad_lines(log));
        }
        self.tell("traces of the secret", &traces);
        if traces > 0 {
            self.breaches.push(format!("{traces} traces of the secret"));
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| fault | struck |\n|---|---|")?;
        for (fault, count) in &self.faults {
            writeln!(f, "| {fault} | {count} |")?;
        }
        writeln!(f, "| all | {} |\n\n| figure | |\n|---|---|", self.faults())?;
        for (name, figure) in &self.figures {
            writeln!(f, "| {name} | {figure} |")?;
        }
        write!(f, "| breaches | {} |", self.breaches.len())
    }
}
