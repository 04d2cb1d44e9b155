//! The worker's story in lines.

use std::collections::HashMap;

use super::{super::say, Told};
use crate::{
    job::{JobKey, JobRef, Variables},
    outcome::{Outcome, cut},
    servicenow::{Reply, Request},
};

/// Longest text of variables or fields on a line.
pub(in super::super) const LINE: usize = 150;

/// Says what the worker does, and counts.
#[derive(Debug, Default)]
pub(in super::super) struct Words {
    elements: HashMap<JobKey, String>,
    /// Jobs told of.
    pub(in super::super) jobs: usize,
    /// Requests told of.
    pub(in super::super) calls: usize,
}

impl Words {
    /// Says one piece.
    pub(in super::super) fn tell(&mut self, piece: &Told) {
        match piece {
            Told::Job(job) => {
                self.jobs += 1;
                self.elements.insert(job.id.key, job.element_id.clone());
                say(&format!("   job       {} '{}', {}", job.id.key, job.element_id, job.job_type));
            }
            Told::Call(request, reply) => {
                self.calls += 1;
                call(request, reply);
            }
            Told::Ended(job, outcome) => {
                self.job_ended(job, outcome);
                self.elements.remove(&job.key);
            }
            Told::Logged(line) => say(line),
        }
    }

    /// The element of a job that was told of and has not ended.
    pub(in super::super) fn element_of(&self, job: &JobRef) -> Option<&str> {
        self.elements.get(&job.key).map(String::as_str)
    }

    fn job_ended(&self, job: &JobRef, outcome: &Outcome) {
        let element = self.element_of(job).unwrap_or_default();
        let (what, variables) = match outcome {
            Outcome::Complete { variables } => ("completed".to_owned(), variables),
            Outcome::ThrowError { code, variables, .. } => {
                (format!("threw BPMN error {code}"), variables)
            }
            Outcome::Fail { retries, message, variables, .. } => {
                (format!("failed with {retries} retries left: {message}"), variables)
            }
        };
        say(&format!("   {:<9} '{element}' {what}{}", "", shown(variables)));
    }
}

fn call(request: &Request, reply: &Reply) {
    let body = request.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
    let path = request.path.join("/");
    // Beside a body it says little more than which fields come back.
    let query = if request.body.is_none() { query(request) } else { String::new() };
    let (query, body) = (cut(&query, LINE), cut(&body, LINE));
    say(&format!("   {:<9} /{path}{query}{body}", request.method.as_str()));
    match reply {
        Ok(response) => {
            let text = String::from_utf8_lossy(&response.body);
            say(&format!("   {:<9} {} {}", "", response.status, cut(&text, LINE)));
        }
        Err(lost) => say(&format!("   {:<9} no answer: {}", "", lost.message)),
    }
}

fn query(request: &Request) -> String {
    let pairs = request.query.iter().map(|(name, value)| format!("{name}={value}"));
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn shown(variables: &Variables) -> String {
    if variables.is_empty() {
        return String::new();
    }
    let text = serde_json::Value::Object(variables.clone()).to_string();
    format!(" with {}", cut(&text, LINE))
}
