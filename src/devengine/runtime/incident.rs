//! Incidents: a step that failed is tried again once somebody has resolved it.

use super::{Runtime, job::JobState, step::Step};
use crate::devengine::record::{Event, Incident, Key, Refusal, RefusalKind};

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    NoRetries,
    Mapping,
    Condition,
    ExtractValue,
    UnhandledError,
    CalledElement,
    StepLimit,
}

/// Why a step could not be done.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) trouble: Trouble,
    pub(super) message: String,
}

impl Trouble {
    /// The broker's word.
    const fn name(self) -> &'static str {
        match self {
            Self::NoRetries => "JOB_NO_RETRIES",
            Self::Mapping => "IO_MAPPING_ERROR",
            Self::Condition => "CONDITION_ERROR",
            Self::ExtractValue => "EXTRACT_VALUE_ERROR",
            Self::UnhandledError => "UNHANDLED_ERROR_EVENT",
            Self::CalledElement => "CALLED_ELEMENT_ERROR",
            Self::StepLimit => "STEP_LIMIT",
        }
    }

    pub(super) fn because(self, message: impl Into<String>) -> Failure {
        Failure { trouble: self, message: message.into() }
    }
}

/// An open incident and whose it is.
#[derive(Debug)]
pub(super) struct OpenIncident {
    pub(super) incident: Incident,
    pub(super) element: Key,
}

impl Runtime {
    /// Stops an element until somebody resolves what is wrong.
    pub(super) fn raise(&mut self, element: Key, failure: Failure, job: Option<Key>) {
        let Some(instance) = self.instances.get(&element) else { return };
        let element_id = instance.element_id().to_owned();
        self.raise_as(element, element_id, failure, job);
    }

    /// Raises an incident at an instance under the name of another element.
    pub(super) fn raise_as(
        &mut self,
        element: Key,
        element_id: String,
        failure: Failure,
        job: Option<Key>,
    ) {
        let key = self.next_key();
        let Some(instance) = self.instances.get_mut(&element) else { return };
        instance.incident = Some(key);
        let incident = Incident {
            key,
            instance: instance.process_key,
            process_id: instance.definition.process.id.clone(),
            element_id,
            job,
            kind: failure.trouble.name(),
            message: failure.message,
        };
        self.events.push(Event::IncidentRaised(incident.clone()));
        self.incidents.insert(key, OpenIncident { incident, element });
    }

    /// An element's incident goes away with it.
    pub(super) fn close_incident_of(&mut self, element: Key) {
        let instance = self.instances.get_mut(&element);
        let Some(incident) = instance.and_then(|instance| instance.incident.take()) else { return };
        self.incidents.remove(&incident);
        self.events.push(Event::IncidentClosed(incident));
    }

    /// The step that failed comes again, or the job.
    pub(super) fn resolve(&mut self, incident: Key) -> Result<(), Refusal> {
        let Some(open) = self.incidents.get(&incident) else {
            return Err(Refusal::new(
                RefusalKind::NotFound,
                format!(
                    "Expected to resolve incident with key '{incident}', but no such incident was \
                     found"
                ),
            ));
        };
        let (element, job) = (open.element, open.incident.job);
        let resumed = job.map(|job| self.resumed(job)).transpose()?;
        self.close_incident_of(element);
        match resumed {
            Some(event) => self.events.extend(event),
            None => self.retry(element),
        }
        Ok(())
    }

    fn retry(&mut self, element: Key) {
        let parked = self.processes.get_mut(&element).map(|process| &mut process.parked);
        let parked = parked.map(std::mem::take).unwrap_or_default();
        if parked.is_empty() {
            self.steps.push_back(Step::Retry(element));
        }
        self.steps.extend(parked.into_iter().map(Step::Enter));
    }

    /// Makes a job available to workers again.
    fn resumed(&mut self, key: Key) -> Result<Option<Event>, Refusal> {
        let Some(job) = self.jobs.get_mut(&key) else { return Ok(None) };
        if job.retries < 1 {
            // Brokers before 8.8 said "not found".
            return Err(Refusal::new(
                RefusalKind::FailedPrecondition,
                format!(
                    "Expected to resolve incident, but job with key '{key}' has no retries left. \
                     Please update the job retries and retry resolving the incident"
                ),
            ));
        }
        job.state = JobState::Open;
        Ok(Some(Event::JobResumed { job: key, retries: job.retries }))
    }
}
