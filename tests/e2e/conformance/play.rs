//! Plays a case on an engine and writes down what follows from each command.

use std::time::Duration;

use serde_json::{Map, Value};
use servicenow_worker::zeebe::proto::ActivatedJob;
use tokio::{task::JoinHandle, time::Instant};
use tonic::{Code, Status};

use super::{
    calls::{Calls, Message},
    script::{Case, Step, folder},
};

/// How long what is expected may take.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long nothing must happen when nobody knows what to expect.
const QUIET: Duration = Duration::from_millis(250);
/// A key of nothing, where an engine does not have what a script means.
const NOTHING: i64 = (1 << 51) + (1 << 40);
const PAUSE: Duration = Duration::from_millis(10);

/// A case on an engine.
pub(crate) struct Play<'a> {
    calls: Calls,
    case: &'a Case,
    /// Whether nobody knows yet what to expect.
    recording: bool,
    /// Told apart from what earlier plays have deployed.
    mark: String,
    /// No key of this case is lower.
    low: i64,
    jobs: Vec<ActivatedJob>,
    running: Vec<Running>,
    versions: Vec<i32>,
    fetch: Vec<String>,
    /// The files were refused: there is nothing to play.
    refused: bool,
}

struct Running {
    process: String,
    key: Option<i64>,
    end: Option<JoinHandle<Result<Value, Status>>>,
}

impl<'a> Play<'a> {
    /// Deploys what the case needs.
    pub(crate) async fn begin(calls: Calls, case: &'a Case, low: i64, recording: bool) -> Self {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        let mut play = Self {
            calls,
            case,
            recording,
            mark: format!("<!-- {since:?} -->"),
            low,
            jobs: Vec::new(),
            running: Vec::new(),
            versions: Vec::new(),
            fetch: Vec::new(),
            refused: false,
        };
        let files = case.files.iter().map(|name| play.file(name)).collect();
        match play.calls.deploy(files).await {
            Ok(versions) => play.versions = versions,
            Err(_) => play.refused = true,
        }
        play
    }

    fn file(&self, name: &str) -> (String, String) {
        let path = folder().join(format!("{name}.bpmn"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (format!("{name}.bpmn"), text + &self.mark)
    }

    /// Does all commands.
    pub(crate) async fn follow(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.refused {
            return self.not_deployed();
        }
        for Step { command, outcome } in &self.case.steps {
            let expected = if self.recording { usize::MAX } else { outcome.len() };
            let mut went = self.command(command).await;
            self.settle(&mut went, expected).await;
            steps.push(Step { command: command.clone(), outcome: went });
        }
        steps
    }

    fn not_deployed(&self) -> Vec<Step> {
        let mut steps = self.case.steps.clone();
        for (place, step) in steps.iter_mut().enumerate() {
            let outcome = (place == 0).then(|| "not deployed".to_owned());
            step.outcome = outcome.into_iter().collect();
        }
        steps
    }

    /// Ends what still runs.
    pub(crate) async fn clean_up(self) {
        for running in self.running {
            running.end.iter().for_each(JoinHandle::abort);
            if let Some(key) = running.key {
                // It may have ended by itself.
                _ = self.calls.cancel(key).await;
            }
        }
        for job in self.jobs {
            _ = self.calls.cancel(job.process_instance_key).await;
        }
    }

    async fn command(&mut self, command: &str) -> Vec<String> {
        let (words, variables) = match command.find('{') {
            Some(at) => (&command[..at], serde_json::from_str(&command[at..]).unwrap()),
            None => (command, Value::Object(Map::new())),
        };
        let words: Vec<_> = words.split_whitespace().collect();
        let result = match words[..] {
            ["start", process] => {
                self.start(process, variables).await;
                Ok(())
            }
            ["wait", time] => {
                let millis = time.strip_suffix("ms").unwrap().parse().unwrap();
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
            ["fetch", ref names @ ..] => {
                self.fetch = names.iter().map(ToString::to_string).collect();
                Ok(())
            }
            ["resolve"] => return self.resolve().await,
            ["deploy", ref rest @ ..] => return self.deploy(rest).await,
            ["complete" | "fail" | "throw" | "retries" | "expire", job, ref rest @ ..] => {
                self.job_command(words[0], self.job(job), rest, &variables).await
            }
            _ => self.other_command(&words, &variables).await,
        };
        result.err().map(|status| format!("{:?}", status.code())).into_iter().collect()
    }

    async fn job_command(
        &self,
        command: &str,
        job: i64,
        rest: &[&str],
        variables: &Value,
    ) -> Result<(), Status> {
        let number = |place: usize| rest.get(place).map_or(0, |text| text.parse().unwrap());
        match command {
            "complete" => self.calls.complete(job, variables).await,
            "fail" => self.calls.fail(job, number(0), number(1).into(), variables).await,
            "throw" => self.calls.throw(job, rest[0], variables).await,
            "retries" => self.calls.set_retries(job, number(0)).await,
            _ => {
                self.calls.set_timeout(job, 1).await?;
                // Brokers look for such jobs once a second.
                let pause = Duration::from_millis(if self.recording { 1300 } else { 0 });
                tokio::time::sleep(pause).await;
                Ok(())
            }
        }
    }

    async fn other_command(&self, words: &[&str], variables: &Value) -> Result<(), Status> {
        match *words {
            ["publish", name, key, ref rest @ ..] => {
                let message = Message {
                    name,
                    key: if key == "-" { "" } else { key },
                    kept_ms: rest.first().map_or(0, |kept| kept.parse().unwrap()),
                    id: rest.get(1).copied().unwrap_or_default(),
                };
                self.calls.publish(&message, variables).await.map(|_| ())
            }
            ["signal", name] => self.calls.broadcast(name, variables).await,
            ["set", target] => self.calls.set_variables(self.key(target), variables, false).await,
            ["local", target] => self.calls.set_variables(self.key(target), variables, true).await,
            ["cancel", target] => self.calls.cancel(self.key(target)).await,
            ["resolve", key] => self.calls.resolve(key.parse().unwrap()).await,
            _ => panic!("unknown command: {}", words.join(" ")),
        }
    }

    /// The key of a job: the last of an element, or `a/2`, the second of it.
    fn job(&self, name: &str) -> i64 {
        if let Ok(key) = name.parse() {
            return key;
        }
        let (element, place) = name.split_once('/').unwrap_or((name, ""));
        let mut keys: Vec<_> =
            self.jobs.iter().filter(|job| job.element_id == element).map(|job| job.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = match place.parse::<usize>() {
            Ok(place) => keys.get(place - 1),
            Err(_) => keys.last(),
        };
        found.copied().unwrap_or(NOTHING)
    }

    /// The key of a process instance, of an element that has a job, or the number itself.
    fn key(&self, name: &str) -> i64 {
        let is_it = |running: &&Running| running.process == name;
        let instance = self.running.iter().rfind(is_it).and_then(|running| running.key);
        let of_job = |job: &&ActivatedJob| job.bpmn_process_id == name;
        let called = || self.jobs.iter().rfind(of_job).map(|job| job.process_instance_key);
        let element = || {
            let job = self.jobs.iter().rfind(|job| job.element_id == name)?;
            Some(job.element_instance_key)
        };
        let found = instance.or_else(called).or_else(element).or_else(|| name.parse().ok());
        found.unwrap_or(NOTHING)
    }

    /// Starts an instance, and finds out its key: the first after now that variables can be
    /// set at.
    async fn start(&mut self, process: &str, variables: Value) {
        let low = self.calls.newest_key().await;
        let (calls, id) = (self.calls.clone(), process.to_owned());
        let end = tokio::spawn(async move { calls.run(&id, &variables).await });
        let mut key = None;
        while key.is_none() && !end.is_finished() {
            if self.first_element(low).await.is_some() {
                // It may have begun in the midst of the search.
                key = self.first_element(low).await;
            }
        }
        self.running.push(Running { process: process.to_owned(), key, end: Some(end) });
    }

    /// The first key above this one that variables can be set at.
    async fn first_element(&self, low: i64) -> Option<i64> {
        let nothing = Value::Object(Map::new());
        for candidate in low + 1..low + 9 {
            if self.calls.set_variables(candidate, &nothing, true).await.is_ok() {
                return Some(candidate);
            }
        }
        None
    }

    /// Resolves all incidents of the case; their keys are tried, since no call tells them.
    async fn resolve(&self) -> Vec<String> {
        let high = self.calls.newest_key().await;
        let mut went = Vec::new();
        for key in self.low..high {
            match self.calls.resolve(key).await {
                Ok(()) => went.push("resolved".to_owned()),
                Err(status) if status.message().contains("no such incident") => {}
                Err(status) => went.push(format!("{:?}", status.code())),
            }
        }
        went
    }

    /// Deploys a file again, or a changed one.
    async fn deploy(&mut self, words: &[&str]) -> Vec<String> {
        if let [file, "changed"] = words {
            self.mark.push_str("<!-- changed -->");
            let place = self.case.files.iter().position(|name| name == file).unwrap();
            let deployed = self.calls.deploy(vec![self.file(file)]).await.unwrap();
            let step = deployed[0] - self.versions[place];
            self.versions[place] = deployed[0];
            return vec![format!("{step} versions later")];
        }
        let text = words[1..].join(" ");
        let place = self.case.files.iter().position(|name| name == words[0]);
        let file = match place {
            Some(_) => self.file(words[0]),
            None => (words[0].to_owned(), text),
        };
        match self.calls.deploy(vec![file]).await {
            Ok(versions) => {
                let before = place.map_or(0, |place| self.versions[place]);
                vec![format!("{} versions later", versions[0] - before)]
            }
            Err(status) => vec![format!("{:?}", status.code())],
        }
    }

    /// Looks for jobs and ends until all expected are there, and a few times more: some things
    /// go from partition to partition.
    async fn settle(&mut self, went: &mut Vec<String>, expected: usize) {
        let (begun, mut changed, mut quiet) = (Instant::now(), Instant::now(), 0);
        loop {
            let before = went.len();
            self.calls.newest_key().await;
            self.take_jobs(went).await;
            self.take_ends(went).await;
            quiet = if went.len() > before { 0 } else { quiet + 1 };
            if quiet == 0 {
                changed = Instant::now();
            } else if (went.len() >= expected && quiet > 2)
                || (expected == usize::MAX && changed.elapsed() > QUIET)
                || begun.elapsed() > PATIENCE
            {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn take_jobs(&mut self, went: &mut Vec<String>) {
        let mut jobs = Vec::new();
        for job_type in &self.case.types {
            jobs.extend(self.calls.jobs(job_type, &self.fetch).await);
        }
        jobs.sort_by_key(|job| job.key);
        went.extend(jobs.iter().map(description));
        self.jobs.extend(jobs);
    }

    async fn take_ends(&mut self, went: &mut Vec<String>) {
        for running in &mut self.running {
            let Some(end) = running.end.take_if(|end| end.is_finished()) else { continue };
            went.push(match end.await.unwrap() {
                Ok(variables) => format!("{} ends {}", running.process, sorted(variables)),
                Err(status) if status.code() == Code::NotFound => "NotFound".to_owned(),
                Err(status) => format!("{:?}", status.code()),
            });
        }
    }
}

fn description(job: &ActivatedJob) -> String {
    let read = |text: &str| sorted(serde_json::from_str(text).unwrap());
    let (headers, variables) = (read(&job.custom_headers), read(&job.variables));
    let headers = if headers == "{}" { String::new() } else { format!(" {headers}") };
    format!("?{} {}*{}{headers} {variables}", job.element_id, job.r#type, job.retries)
}

/// JSON with the names in order, which engines do not keep, and numbers in one form.
pub(crate) fn sorted(value: Value) -> String {
    fn sort(value: Value) -> Value {
        match value {
            Value::Object(entries) => {
                let mut entries: Vec<_> = entries.into_iter().collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(entries.into_iter().map(|(name, it)| (name, sort(it))).collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
            Value::Number(number) if !number.is_i64() => number.as_f64().into(),
            other => other,
        }
    }
    sort(value).to_string()
}
