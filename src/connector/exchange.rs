//! One job between its first request and its outcome.
#![deny(clippy::disallowed_types)]

use std::{sync::Arc, time::Duration};

use super::{
    Core, Effect, Finished, SecretScope, Secrets, Summary,
    failure::{self, Circumstances},
    headers::Headers,
    input::{Inputs, Target, connection_name, text_in},
    intent::{self, Intent},
    operation::{Kind, Operation, Progress, Success},
    output,
    redactor::Redactor,
    secrets,
};
use crate::{
    job::{Job, Variables},
    outcome::{MAX_MESSAGE_CHARS, Outcome, cut},
    servicenow::{
        Endpoint, Error, Method, NoAnswer, NoAnswerCause, Reason, Reply, Request,
        reading::{self, Asked},
    },
};

/// Most requests for one job; the longest search takes a fifth of it.
const MAX_CALLS: u32 = 500;

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Send this and resume with the reply.
    Send(Call),
    /// Report this; the exchange is over.
    Done(Box<Finished>),
}

/// A request and where it goes.
#[derive(Clone, Debug)]
pub struct Call {
    /// The instance and the credentials.
    pub endpoint: Arc<Endpoint>,
    /// The request.
    pub request: Request,
    /// What the engine must have taken before this may go out. Without that nothing is sent,
    /// and the job is not ours to go on with, or the reply is one that says so.
    pub note: Option<Box<Note>>,
}

/// Variables that the engine is to keep with this run of the element, and nowhere else.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The run of the element.
    pub element_instance_key: i64,
    variables: Variables,
}

impl Note {
    /// The variables, for a call that goes out at this moment.
    pub fn variables(&self, now: jiff::Timestamp) -> Variables {
        let mut variables = self.variables.clone();
        intent::stamp(&mut variables, now);
        variables
    }
}

/// A job in progress.
#[derive(Debug)]
pub struct Exchange {
    core: Arc<Core>,
    job: Arc<Job>,
    headers: Headers,
    redactor: Redactor,
    running: Option<Running>,
    summary: Summary,
    /// What was wrong with the last reply.
    trouble: Option<Trouble>,
}

/// What was wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The stable name of the failure.
    pub reason: Reason,
    /// How long ServiceNow asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// An operation under way.
#[derive(Debug)]
struct Running {
    endpoint: Arc<Endpoint>,
    operation: Box<dyn Operation>,
    method: Method,
    /// Whether the last request goes out only when the engine knows of it.
    is_noted: bool,
    /// Whether the engine has been told of one.
    has_left_note: bool,
}

impl Exchange {
    /// An exchange in which nothing has happened.
    pub(crate) fn new(core: Arc<Core>, job: Arc<Job>, headers: Headers, secrets: &Secrets) -> Self {
        let summary = Summary::new(connection_name(&job.variables));
        Self {
            core,
            job,
            headers,
            redactor: Redactor::new(secrets),
            running: None,
            summary,
            trouble: None,
        }
    }

    /// Reads the inputs and takes the first step.
    pub(crate) fn start(mut self, secrets: &Secrets, now: jiff::Timestamp) -> (Self, Step) {
        let step = match self.read(secrets, now) {
            Ok(mut running) => {
                let progress = running.operation.start();
                self.running = Some(running);
                self.step(progress, now)
            }
            Err(error) => self.done(Err(error), now),
        };
        (self, step)
    }

    /// Goes on with the reply to the last request.
    pub fn resume(&mut self, reply: Reply, now: jiff::Timestamp) -> Step {
        let Some(running) = &mut self.running else {
            let message = "a reply came after the end of the exchange";
            return self.done(Err(Error::new(Reason::UnexpectedResponse, message)), now);
        };
        let asked = Asked {
            method: running.method,
            accepted_is_done: running.operation.accepted_is_done(),
        };
        running.has_left_note |= running.is_noted && !is_held_back(&reply);
        if !was_sent(&reply) {
            self.summary.calls -= 1;
        }
        let reading = reading::read(asked, reply, now);
        self.trouble = reading.as_ref().err().map(|failure| Trouble {
            reason: failure.error.reason,
            retry_after: failure.error.retry_after,
        });
        let progress = running.operation.resume(reading);
        self.step(progress, now)
    }

    /// What was wrong with the last reply; `None` when it was an answer to go on with.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Ends the exchange with an error from outside, e.g. a deadline that leaves no time for
    /// another call.
    pub fn fail(&mut self, error: Error, now: jiff::Timestamp) -> Finished {
        self.finish(Err(error), now)
    }

    fn read(&mut self, secrets: &Secrets, now: jiff::Timestamp) -> Result<Running, Error> {
        let kind = Kind::of(&self.job.job_type, text_in(&self.job.variables, "operation")?)?;
        self.summary.operation = kind.name;
        let target = Target::read(&self.job.variables, &self.core.config, secrets)?;
        secrets::check_goal(secrets, &target.instance, &self.core.config)?;
        self.redactor =
            std::mem::take(&mut self.redactor).with_authentication(&target.authentication);
        let replaced = match self.core.config.secret_scope {
            SecretScope::Credentials => None,
            SecretScope::Inputs => Some(with_secrets(&self.job.variables, secrets)?),
        };
        let inputs = Inputs {
            job: &self.job,
            variables: replaced.as_ref().unwrap_or(&self.job.variables),
            config: &self.core.config,
            target: &target,
            templates: &self.core.templates,
            secrets,
            honouring: &self.core.honouring,
            now,
        };
        let operation = (kind.read)(&inputs)?;
        self.summary.table = operation.table().map(|table| table.as_str().to_owned());
        let endpoint = Arc::new(target.endpoint());
        let running = Running {
            endpoint,
            operation,
            method: Method::Get,
            is_noted: false,
            has_left_note: false,
        };
        Ok(running)
    }

    fn step(&mut self, progress: Progress, now: jiff::Timestamp) -> Step {
        let (request, intent) = match progress {
            Progress::Done(result) => return self.done(result, now),
            Progress::Ask(request) => (request, None),
            Progress::AskOnce(request, intent) => (request, Some(intent)),
        };
        let note = intent.map(|intent| Box::new(self.note(&intent, now)));
        let Some(running) = self.running.as_mut().filter(|_| self.summary.calls < MAX_CALLS) else {
            let message = format!("it takes more than {MAX_CALLS} requests: ask for less");
            return self.done(Err(Error::new(Reason::UnexpectedResponse, message)), now);
        };
        running.method = request.method;
        running.is_noted = note.is_some();
        self.summary.calls += 1;
        Step::Send(Call { endpoint: Arc::clone(&running.endpoint), request, note })
    }

    fn note(&self, intent: &Intent, now: jiff::Timestamp) -> Note {
        // The target alone is masked: times and fingerprint must come back as they went.
        let mut target = intent.target().to_owned();
        self.redactor.text(&mut target);
        let variables = intent.to_variables(&target, now);
        Note { element_instance_key: self.job.element_instance_key, variables }
    }

    fn done(&mut self, result: Result<Box<Success>, Error>, now: jiff::Timestamp) -> Step {
        Step::Done(Box::new(self.finish(result, now)))
    }

    fn finish(&mut self, result: Result<Box<Success>, Error>, now: jiff::Timestamp) -> Finished {
        let mut summary = self.summary.clone();
        let running = self.running.take();
        let (fate, is_left) = running
            .as_ref()
            .map(|running| (running.operation.intent(), running.has_left_note))
            .unwrap_or_default();
        let running = running.filter(|running| running.operation.creates());
        let at = Circumstances {
            job: &self.job,
            headers: &self.headers,
            max_outage: self.core.config.max_outage,
            now,
        };
        let mut outcome = match result {
            Ok(success) => self.succeed(at, &success, &mut summary),
            Err(mut error) => {
                if let Some(running) = running.filter(|_| error.reason == Reason::OutcomeUnknown) {
                    summary.effect = Some(Effect::Unknown);
                    summary.address = running.operation.address();
                }
                error.message = told_where(&summary, &error);
                summary.result = Err(error.reason);
                failure::after_error(at, &error, &mut summary.warnings)
            }
        };
        self.redactor.finish(&mut outcome, &mut summary);
        intent::settle(fate, is_left, &self.job, now, &mut outcome);
        cut_message(&mut outcome);
        Finished { outcome, summary }
    }

    fn succeed(&self, at: Circumstances<'_>, success: &Success, summary: &mut Summary) -> Outcome {
        summary.result = Ok(success.word);
        summary.sys_id = success.text("sysId").map(str::to_owned);
        summary.number = success.text("number").map(str::to_owned);
        summary.address = success.text("url").map(str::to_owned);
        summary.effect = success.effect;
        summary.id_not_honoured = success.id_not_honoured;
        match output::map(self.headers(), success, at.now, self.core.config.max_result_bytes) {
            Ok(output) => {
                summary.warnings = output.warnings;
                failure::after_success(at, success, output.variables, &mut summary.warnings)
            }
            Err(error) => {
                summary.result = Err(error.reason);
                failure::after_error(at, &error, &mut summary.warnings)
            }
        }
    }

    fn headers(&self) -> &Headers {
        &self.headers
    }
}

/// The end of a job that could not even be planned.
pub(crate) fn not_planned(core: &Core, job: &Job, error: &Error) -> Finished {
    let headers = Headers::default();
    // An input error is permanent: the time does not matter.
    let now = jiff::Timestamp::UNIX_EPOCH;
    let at = Circumstances { job, headers: &headers, max_outage: core.config.max_outage, now };
    let mut summary = Summary::new(connection_name(&job.variables));
    summary.result = Err(error.reason);
    let mut outcome = failure::after_error(at, error, &mut summary.warnings);
    cut_message(&mut outcome);
    Finished { outcome, summary }
}

/// The end of a job whose handling panicked.
pub(crate) fn panicked(job: &Job, panic: &str) -> Finished {
    let mut summary = Summary::new(connection_name(&job.variables));
    summary.result = Err(Reason::UnexpectedResponse);
    let mut outcome = failure::after_panic(job, panic);
    cut_message(&mut outcome);
    Finished { outcome, summary }
}

/// Whether a call never left the worker.
fn is_held_back(reply: &Reply) -> bool {
    matches!(reply, Err(NoAnswer { cause: NoAnswerCause::HeldBack { .. }, .. }))
}

/// Whether a call reached for the instance.
fn was_sent(reply: &Reply) -> bool {
    use NoAnswerCause::{HeldBack, Invalid, TokenRefused, TokenUnavailable};
    let cause = reply.as_ref().err().map(|error| error.cause);
    !matches!(cause, Some(HeldBack { .. } | Invalid | TokenRefused | TokenUnavailable))
}

/// All inputs with secrets in place, but for those that are replaced where they are used.
fn with_secrets(variables: &Variables, secrets: &Secrets) -> Result<Variables, Error> {
    let mut replaced = variables.clone();
    for (name, value) in &mut replaced {
        if !matches!(
            name.as_str(),
            "authentication" | "headers" | "error" | "connection" | "instance"
        ) {
            secrets::replace_in_value(value, secrets)?;
        }
    }
    Ok(replaced)
}

/// What went wrong, and at what. Input errors name their variable already.
fn told_where(summary: &Summary, error: &Error) -> String {
    let is_told = error.reason == Reason::InvalidInput && error.status.is_none();
    if is_told || summary.operation.is_empty() {
        return error.message.clone();
    }
    match &summary.table {
        Some(table) => format!("{} {table}: {}", summary.operation, error.message),
        None => format!("{}: {}", summary.operation, error.message),
    }
}

fn cut_message(outcome: &mut Outcome) {
    if let Outcome::Fail { message, .. } | Outcome::ThrowError { message, .. } = outcome {
        *message = cut(message, MAX_MESSAGE_CHARS);
    }
}
