//! Reads the cases, does their commands, and writes down what happens.

use std::fmt::Write as _;

use jiff::{Span, Timestamp, tz::TimeZone};
use serde_json::Value as Json;

use super::super::{Deployable, Options, Reach, Runtime};
use crate::devengine::{
    bpmn,
    record::{
        Ending, Event, JobFailure, Key, Message, NewInstance, ProcessRef, Refusal, ThrownError,
        Variables,
    },
};

pub(super) const START: &str = "2026-11-24T12:00:00Z";
const HEAD: &str = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
                    xmlns:z=\"http://camunda.org/schema/zeebe/1.0\" id=\"definitions\">";

/// The cases that went another way, as they went.
pub(super) fn mismatches(cases: &str) -> String {
    let mut report = String::new();
    for case in cases.split("\n\n# ").skip(1) {
        let (model, script) = case.split_once("\n==\n").expect("a case has a script");
        let (_title, body) = model.split_once('\n').expect("a case has a process");
        let went = Play::new(body).follow(script);
        if went.trim_end() != script.trim_end() {
            _ = write!(report, "\n\n# {model}\n==\n{}", went.trim_end());
        }
    }
    report
}

/// The BPMN files of a case's body, one a process.
fn files(body: &str) -> Vec<String> {
    let (processes, beside) = body.split_once("\n--\n").unwrap_or((body, ""));
    let processes = processes.split("\n@").enumerate().map(|(place, process)| match place {
        0 => ("p", process),
        _ => process.split_once('\n').unwrap(),
    });
    let file = |(id, inside): (&str, &str)| {
        let inside: String = inside.lines().map(flows).collect();
        let process = format!("<process id=\"{id}\" isExecutable=\"true\">{inside}</process>");
        format!("{HEAD}{process}{beside}</definitions>")
    };
    processes.map(file).collect()
}

/// `a -> b [=x] -> c`, with a condition in brackets behind the flow's target.
fn flows(line: &str) -> String {
    if line.contains('<') || !line.contains(" -> ") {
        return format!("{line}\n");
    }
    let stops: Vec<_> = line.trim().split(" -> ").collect();
    let pairs = stops.windows(2).map(|pair| {
        let source = pair[0].split(' ').next().unwrap();
        let (target, condition) = pair[1].split_once(" [").unwrap_or((pair[1], ""));
        let condition = match condition.trim_end_matches(']') {
            "" => String::new(),
            text => {
                let text = text.replace('<', "&lt;");
                format!("<conditionExpression>{text}</conditionExpression>")
            }
        };
        format!(
            "<sequenceFlow id=\"{source}_{target}\" sourceRef=\"{source}\" \
             targetRef=\"{target}\">{condition}</sequenceFlow>"
        )
    });
    pairs.collect()
}

pub(super) fn deployables(body: &str) -> Vec<Deployable> {
    let mut deployables = Vec::new();
    for file in files(body) {
        let processes = bpmn::read(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
        let digest = Some(file.into_bytes());
        deployables.extend(
            processes.into_iter().map(|process| Deployable { process, digest: digest.clone() }),
        );
    }
    deployables
}

/// A runtime, its clock, and the names of the keys it gave.
struct Play<'a> {
    body: &'a str,
    runtime: Runtime,
    now: Timestamp,
    jobs: Vec<(Key, String)>,
    instances: Vec<(Key, String)>,
}

impl<'a> Play<'a> {
    fn new(body: &'a str) -> Self {
        let options = Options {
            complete_user_tasks_at_once: body.contains("complete user tasks at once"),
            ..Options::default()
        };
        let now = START.parse().unwrap();
        let mut runtime = Runtime::new(options);
        runtime.deploy(deployables(body), now).unwrap_or_else(|error| panic!("{error}\n{body}"));
        Self { body, runtime, now, jobs: Vec::new(), instances: Vec::new() }
    }

    fn follow(mut self, script: &str) -> String {
        let mut went = String::new();
        for command in script.lines().filter(|line| !line.starts_with(' ') && !line.is_empty()) {
            let answer = self.command(command);
            _ = writeln!(went, "{command}");
            let events = self.runtime.drain_events();
            for line in self.trace(events).into_iter().chain(answer) {
                _ = writeln!(went, "  {}", masked(&line));
            }
        }
        went
    }

    /// Does a command; what it answers besides its events.
    fn command(&mut self, command: &str) -> Option<String> {
        let (words, json) = match command.find(['{', '[']) {
            Some(at) => (&command[..at], serde_json::from_str(&command[at..]).unwrap()),
            None => (command, Json::Object(Variables::new())),
        };
        let variables = json.as_object().cloned().unwrap_or_default();
        let words: Vec<_> = words.split_whitespace().collect();
        let answer = match words[..] {
            ["see", ..] | ["at" | "due"] => return Some(self.look(&words)),
            ["deploy", ref rest @ ..] => return Some(self.deploy(rest)),
            ["start", ref rest @ ..] => self.start(rest, variables),
            ["complete" | "fail" | "throw" | "retries", element, ref rest @ ..] => {
                self.job_command(words[0], element, rest, variables)
            }
            _ => self.other_command(&words, variables),
        };
        answer.err().map(|refusal| format!("{:?}: {refusal}", refusal.kind))
    }

    fn look(&self, words: &[&str]) -> String {
        match words[..] {
            ["see", element, ref names @ ..] => {
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                let variables = self.runtime.job_variables(self.job(element), &names).unwrap();
                Json::Object(variables).to_string()
            }
            ["due"] => format!("{:?}", self.runtime.next_due().map(|due| due.to_string())),
            _ => {
                let instances = self.runtime.instances();
                let at = instances.iter().map(|instance| {
                    let ids: Vec<_> = instance.elements.iter().map(|it| it.id.as_str()).collect();
                    let variables = Json::Object(instance.variables.clone());
                    format!("{}: {} {variables}", instance.process_id, ids.join(" "))
                });
                at.collect::<Vec<_>>().join("; ")
            }
        }
    }

    fn start(&mut self, words: &[&str], variables: Variables) -> Result<(), Refusal> {
        let (process, business_id) = match *words {
            ["for", id] => (ProcessRef::Latest("p".into()), Some(id.to_owned())),
            [id] => (ProcessRef::Latest(id.into()), None),
            [id, version] => (ProcessRef::Version(id.into(), version.parse().unwrap()), None),
            _ => (ProcessRef::Latest("p".into()), None),
        };
        let new = NewInstance { process, variables, business_id };
        self.runtime.create_instance(new, self.now).map(|_| ())
    }

    fn deploy(&mut self, words: &[&str]) -> String {
        let mut processes = deployables(self.body);
        if *words == ["changed"] {
            for process in &mut processes {
                process.digest = None;
            }
        }
        let deployed = self.runtime.deploy(processes, self.now).unwrap();
        let texts = deployed.iter().map(|it| {
            let what = if it.is_duplicate { "as it was" } else { "new" };
            format!("{} version {} {what}", it.process_id, it.version)
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    fn job_command(
        &mut self,
        verb: &str,
        element: &str,
        rest: &[&str],
        variables: Variables,
    ) -> Result<(), Refusal> {
        let job = self.job(element);
        match verb {
            "complete" => self.runtime.complete(job, variables, self.now),
            "fail" => {
                let message = rest[1..].join(" ");
                let failure = JobFailure { retries: rest[0].parse().unwrap(), message, variables };
                self.runtime.fail(job, failure, self.now)
            }
            "throw" => {
                let message = rest[1..].join(" ");
                let error = ThrownError { code: rest[0].to_owned(), message, variables };
                self.runtime.throw_error(job, error, self.now)
            }
            _ => self.runtime.update_retries(job, rest[0].parse().unwrap()),
        }
    }

    fn other_command(&mut self, words: &[&str], variables: Variables) -> Result<(), Refusal> {
        let now = self.now;
        match *words {
            ["publish", name, key, ref rest @ ..] => {
                let message = Message {
                    name: name.to_owned(),
                    correlation_key: if key == "-" { String::new() } else { key.to_owned() },
                    time_to_live_ms: rest.first().map_or(0, |ttl| ttl.parse().unwrap()),
                    message_id: rest.get(1).map_or_else(String::new, ToString::to_string),
                    variables,
                };
                self.runtime.publish(message, now).map(|_| ())
            }
            ["signal", name] => {
                self.runtime.broadcast(name, variables, now);
                Ok(())
            }
            ["wait", span] => {
                let later = now.to_zoned_datetime(TimeZone::UTC);
                self.now = later.checked_add(span.parse::<Span>().unwrap()).unwrap().timestamp();
                self.runtime.advance(self.now);
                Ok(())
            }
            ["resolve"] => {
                let incident = self.runtime.incidents().first().map_or(1, |incident| incident.key);
                self.runtime.resolve_incident(incident, now)
            }
            ["cancel", name] => self.runtime.cancel(self.instance(name), now),
            ["task", element] => {
                self.runtime.complete_user_task(self.instance("p"), element, variables, now)
            }
            ["set", name] => {
                self.runtime.set_variables(self.instance(name), variables, Reach::Outwards, now)
            }
            _ => panic!("no such command: {words:?}"),
        }
    }

    /// The newest job of an element that still exists, else the newest.
    fn job(&self, element: &str) -> Key {
        let jobs = || self.jobs.iter().rev().filter(|(_, at)| at == element);
        let open = jobs().find(|(key, _)| self.runtime.job_retries(*key).is_some());
        open.or_else(|| jobs().next()).map_or(7, |(key, _)| *key)
    }

    /// The newest instance of a process.
    fn instance(&self, process: &str) -> Key {
        self.instances.iter().rev().find(|(_, id)| id == process).map_or(7, |(key, _)| *key)
    }

    /// What happened, short events on one line.
    fn trace(&mut self, events: Vec<Event>) -> Vec<String> {
        let mut lines = vec![String::new()];
        for event in events {
            let (text, ends_line) = self.text(event);
            let line = lines.last_mut().unwrap();
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&text);
            if ends_line {
                lines.push(String::new());
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn text(&mut self, event: Event) -> (String, bool) {
        match event {
            Event::InstanceStarted { instance, process_id, version, .. } => {
                self.instances.push((instance, process_id.clone()));
                let version = if version == 1 { String::new() } else { format!("@{version}") };
                (format!("({process_id}{version}"), false)
            }
            Event::ElementEntered { element_id, .. } => (format!("+{element_id}"), false),
            Event::ElementCompleted { element_id, .. } => (format!("-{element_id}"), false),
            Event::ElementTerminated { element_id, .. } => (format!("x {element_id}"), false),
            Event::JobCreated(job) => {
                self.jobs.push((job.key, job.element_id.clone()));
                let retries =
                    if job.retries == 3 { String::new() } else { format!("*{}", job.retries) };
                (format!("?{}:{}{retries}", job.element_id, job.job_type), false)
            }
            Event::JobCancelled(key) => (format!("~{}", self.job_name(key)), false),
            Event::JobResumed { job, retries } => {
                (format!("?{} again*{retries}", self.job_name(job)), false)
            }
            Event::IncidentRaised(incident) => {
                let message = incident.message.replace('\n', " | ");
                (format!("! {} at {}: {message}", incident.kind, incident.element_id), true)
            }
            Event::IncidentClosed(_) => ("!ok".to_owned(), false),
            Event::InstanceEnded { instance, how, variables } => {
                let name = self.instances.iter().find(|(key, _)| *key == instance).unwrap();
                let sign = if how == Ending::Completed { "" } else { "x " };
                (format!("{sign}{}) {}", name.1, Json::Object(variables)), true)
            }
            Event::Warned { element_id, warning, .. } => {
                (format!("warning at {element_id}: {warning}"), true)
            }
        }
    }

    fn job_name(&self, key: Key) -> &str {
        self.jobs.iter().find(|(job, _)| *job == key).map_or("?", |(_, element)| element)
    }
}

/// Keys differ with every element before them.
fn masked(line: &str) -> String {
    let mut masked = String::new();
    let mut digits = String::new();
    for c in line.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        masked.push_str(if digits.len() > 12 { "KEY" } else { &digits });
        digits.clear();
        masked.push(c);
    }
    masked.trim_end().to_owned()
}
