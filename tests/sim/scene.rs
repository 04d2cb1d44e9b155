//! What is played: how many jobs, which process, which worker.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{job::Variables, worker};

/// A play's settings.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Process instances that are started, each with one job.
    pub(crate) jobs: usize,
    /// How many of them at once.
    pub(crate) burst: usize,
    /// The pause after each burst.
    pub(crate) pause: Duration,
    /// Every so many-th job is an upsert; none at 0.
    pub(crate) upserts: usize,
    /// Every so many-th job writes a work note to a record that is there; none at 0.
    pub(crate) notes: usize,
    /// Every so many-th job starts a flow that may not start twice; none at 0.
    pub(crate) flows: usize,
    /// ServiceNow gives records other ids than asked for, so that each insert needs a look.
    pub(crate) looks_first: bool,
    /// Every so many-th job brings its own lock; none at 0.
    pub(crate) resized: usize,
    /// The task's headers.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// Worker processes.
    pub(crate) workers: usize,
    /// The workers' settings.
    pub(crate) worker: worker::Config,
    /// Most calls at once, of one worker.
    pub(crate) max_concurrency: usize,
    /// How long ServiceNow takes, half before and half after it commits.
    pub(crate) latency: Duration,
    /// Every so many-th call takes so much longer.
    pub(crate) slow: Option<(u64, Duration)>,
    /// How far a worker's clock jumps.
    pub(crate) clock_step: Duration,
    /// How often all incidents are resolved once every job has raised one.
    pub(crate) resolves: usize,
    /// Longest play.
    pub(crate) limit: Duration,
    /// How long it is watched after its end, for what comes late.
    pub(crate) aftermath: Duration,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            jobs: 1_000,
            burst: 1_000,
            pause: Duration::ZERO,
            upserts: 0,
            notes: 0,
            flows: 0,
            looks_first: false,
            resized: 0,
            headers: vec![("resultVariable", "made")],
            workers: 1,
            worker: worker::Config { max_jobs_active: 32, ..worker::Config::default() },
            max_concurrency: 16,
            latency: Duration::from_millis(20),
            slow: None,
            clock_step: Duration::from_hours(1),
            resolves: 0,
            limit: Duration::from_hours(6),
            aftermath: Duration::from_secs(90),
        }
    }
}

/// The record that work notes are written to.
pub(crate) const NOTED_ID: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";
/// The same as the sandbox gets it.
pub(crate) const NOTED: &str = r#"{"incident": [
    {"sys_id": "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e", "short_description": "many write to it"}
]}"#;

/// The process whose task has the scene's headers.
pub(crate) const PLAIN: &str = "plain";
/// The same with a lock of its own.
pub(crate) const RESIZED: &str = "resized";
/// The process that starts a flow.
pub(crate) const FLOW: &str = "flow";

impl Scene {
    /// The process of a job, and its variables.
    pub(crate) fn instance(&self, job: usize) -> (&'static str, Variables) {
        let process = match (self.is_flow(job), every(self.resized, job)) {
            (true, _) => FLOW,
            (_, true) => RESIZED,
            _ => PLAIN,
        };
        let text = title(job);
        let variables = if self.is_flow(job) {
            json!({"operation": "start", "path": "/api/x_acme/orders/approve",
                   "delivery": "at_most_once", "payload": {"title": text}})
        } else if self.is_note(job) {
            json!({"operation": "update", "table": "incident", "sysId": NOTED_ID,
                   "fields": {"work_notes": text}})
        } else if every(self.upserts, job) {
            json!({"operation": "upsert", "table": "incident", "matchOn": ["short_description"],
                   "fields": {"short_description": text, "urgency": "2"}})
        } else {
            json!({"operation": "create", "table": "incident",
                   "fields": {"short_description": text, "urgency": "2"}})
        };
        let serde_json::Value::Object(variables) = variables else { unreachable!("an object") };
        (process, variables)
    }

    /// Whether a job writes a work note, and makes no record.
    pub(crate) fn is_note(&self, job: usize) -> bool {
        every(self.notes, job) && !self.is_flow(job)
    }

    /// Whether a job starts a flow, and makes no record.
    pub(crate) fn is_flow(&self, job: usize) -> bool {
        every(self.flows, job)
    }

    /// Jobs that start a flow.
    pub(crate) fn all_flows(&self) -> usize {
        (0..self.jobs).filter(|job| self.is_flow(*job)).count()
    }

    /// Jobs that write a work note.
    pub(crate) fn all_notes(&self) -> usize {
        (0..self.jobs).filter(|job| self.is_note(*job)).count()
    }

    /// Calls that the jobs take when nothing goes wrong, but for incidents that are resolved:
    /// each costs an insert that is refused and a look.
    pub(crate) fn calls(&self) -> usize {
        let looks_first = |job: &usize| {
            let is_upsert = every(self.upserts, *job) && !self.is_note(*job) && !self.is_flow(*job);
            self.looks_first || is_upsert
        };
        self.jobs * (1 + 2 * self.resolves) + (0..self.jobs).filter(looks_first).count()
    }

    /// The processes' files.
    pub(crate) fn processes(&self) -> [String; 3] {
        let own_lock = [self.headers.as_slice(), &[("jobTimeout", "PT12S")]].concat();
        [
            process(PLAIN, "record", &self.headers),
            process(RESIZED, "record", &own_lock),
            process(FLOW, "flow", &self.headers),
        ]
    }
}

/// The text by which a job's record or work note is known.
pub(crate) fn title(job: usize) -> String {
    format!("simulated job {job:05}")
}

fn every(step: usize, job: usize) -> bool {
    step > 0 && job % step == step - 1
}

fn process(id: &str, job_type: &str, headers: &[(&str, &str)]) -> String {
    let header = |(key, value): &(&str, &str)| {
        let value = value.replace('"', "&quot;");
        format!(r#"<zeebe:header key="{key}" value="{value}"/>"#)
    };
    let headers: String = headers.iter().map(header).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="file" targetNamespace="simulation">
  <bpmn:process id="{id}" isExecutable="true">
    <bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>
    <bpmn:serviceTask id="task"><bpmn:extensionElements>
      <zeebe:taskDefinition type="servicenow:{job_type}:1" retries="3"/>
      <zeebe:taskHeaders>{headers}</zeebe:taskHeaders>
    </bpmn:extensionElements></bpmn:serviceTask>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="task"/>
    <bpmn:sequenceFlow id="b" sourceRef="task" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>"#
    )
}
