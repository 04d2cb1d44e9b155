//! `start`: calls a REST trigger or scripted endpoint of the instance.
//!
//! Starting twice starts two flows: ServiceNow has no key for it. The job's identity goes
//! along as `Idempotency-Key`, which is the same in every attempt, so that a flow can
//! refuse the second. What a lost answer means is the author's to say ([`Delivery`]): start
//! again, or never again without a person's word.
#![deny(clippy::disallowed_types)]

mod request;

use serde_json::{Map, Value};

use super::{Operation, Progress, Reading, Success};
use crate::{
    connector::{
        Effect,
        identity::Identity,
        input::{Inputs, unknown_word},
        intent::{Earlier, Fate, Intent, Memory},
    },
    servicenow::{
        Error, Method, Reason, Request, Table,
        reading::{Answer, Failure},
    },
};

pub(super) const INPUTS: &[&str] = &[
    "path",
    "method",
    "payload",
    "payloadTemplate",
    "templateData",
    "headers",
    "queryParameters",
    "delivery",
];

/// Where endpoints put the id of what they started.
const EXECUTION_IDS: [&str; 6] =
    ["executionId", "execution_id", "contextId", "context_id", "context", "sys_id"];

/// Where a call carries the key, and where its payload does.
const KEY_HEADER: &str = "idempotency-key";
const KEY_MEMBER: &str = "idempotencyKey";

#[derive(Debug)]
struct StartFlow {
    request: Request,
    /// What keeps it from being started twice, where the author wants that.
    once: Option<Once>,
    fate: Fate,
}

/// What a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// Start again, and nothing was said of it: the payload stays as it is.
    Unsaid,
    /// Start again; the payload carries the key as well.
    AtLeastOnce,
    /// Never start again.
    AtMostOnce,
}

#[derive(Debug)]
struct Once {
    intent: Intent,
    /// When this attempt began; its call goes out as soon as there is room for it.
    began: jiff::Timestamp,
    earlier: Option<Earlier>,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let mut request = request::read(inputs)?;
    let delivery = delivery(inputs)?;
    if request.method == Method::Get {
        return Ok(Box::new(StartFlow { request, once: None, fate: Fate::Kept }));
    }
    add_key(&mut request, inputs, delivery);
    let once = (delivery == Delivery::AtMostOnce).then(|| Once::read(inputs, &request));
    Ok(Box::new(StartFlow { request, once, fate: Fate::Kept }))
}

fn delivery(inputs: &Inputs<'_>) -> Result<Delivery, Error> {
    match inputs.text("delivery")? {
        None => Ok(Delivery::Unsaid),
        Some("at_least_once") => Ok(Delivery::AtLeastOnce),
        Some("at_most_once") => Ok(Delivery::AtMostOnce),
        Some(other) => Err(unknown_word("delivery", other, "at_least_once or at_most_once")),
    }
}

/// The key that is the same in every attempt, unless the author gives one.
fn add_key(request: &mut Request, inputs: &Inputs<'_>, delivery: Delivery) {
    let headers = &mut request.headers;
    if !headers.iter().any(|(name, _)| name == KEY_HEADER) {
        let instance = &inputs.target.instance;
        let path = request.path.join("/");
        let identity = Identity::new(&inputs.config.namespace, inputs.job, instance, &path);
        headers.push((KEY_HEADER.to_owned(), identity.marker()));
    }
    let key = headers.iter().find(|(name, _)| name == KEY_HEADER).map(|(_, key)| key.as_str());
    if delivery == Delivery::AtLeastOnce
        && let (Some(Value::Object(payload)), Some(key)) = (&mut request.body, key)
    {
        payload.entry(KEY_MEMBER).or_insert_with(|| key.into());
    }
}

impl Once {
    fn read(inputs: &Inputs<'_>, request: &Request) -> Self {
        let memory = Memory::of(inputs.job, inputs.now);
        let path = Request::new(request.method, request.path.iter().map(String::as_str)).target();
        let target = format!("{}{path}", inputs.target.instance.base_url());
        let intent = memory.intent("start", target);
        let earlier = memory.earlier(&intent);
        Self { intent, began: inputs.now, earlier }
    }

    /// The end that only a person can go on from.
    fn stopped(&self, started: &str, error: Error) -> Error {
        Error {
            reason: Reason::OutcomeUnknown,
            message: format!(
                "{started}, and delivery is at_most_once: look on the instance for an execution \
                 of what {} starts; resolving this incident starts it again",
                self.intent.target()
            ),
            is_final: true,
            ..error
        }
    }
}

impl Operation for StartFlow {
    fn table(&self) -> Option<&Table> {
        None
    }

    fn accepted_is_done(&self) -> bool {
        true
    }

    fn creates(&self) -> bool {
        self.request.method == Method::Post
    }

    fn intent(&self) -> Fate {
        self.fate
    }

    fn start(&mut self) -> Progress {
        match &self.once {
            None => Progress::Ask(self.request.clone()),
            Some(Once { intent, earlier: None, .. }) => {
                Progress::AskOnce(self.request.clone(), intent.clone())
            }
            Some(once @ Once { earlier: Some(earlier), .. }) => {
                self.fate = Fate::LeftToPeople;
                let started = format!("it may have been started at {:.0}", earlier.at);
                let error = Error::new(Reason::OutcomeUnknown, "");
                Progress::Done(Err(once.stopped(&started, error)))
            }
        }
    }

    fn resume(&mut self, reading: Reading) -> Progress {
        Progress::Done(match reading {
            Ok(answer) => Ok(self.started(answer)),
            Err(failure) => Err(self.failed(*failure)),
        })
    }
}

impl StartFlow {
    fn started(&self, answer: Answer) -> Box<Success> {
        let id = execution_id(&answer.body);
        let mut success = Success::new("started", answer);
        if let Some(id) = id {
            success = success.with("executionId", id);
        }
        success.effect = self.creates().then_some(Effect::Created);
        Box::new(success)
    }

    /// A failure that leaves open whether it started; 202 says that it did not.
    fn failed(&mut self, failure: Failure) -> Error {
        if let Some(once) = &self.once {
            self.fate = if failure.may_have_acted { Fate::LeftToPeople } else { Fate::Forgotten };
            // A refusal that is final stays what it is; all that would be tried again ends.
            let is_told = failure.error.status.is_some_and(|status| status < 500)
                && !failure.error.is_transient();
            if !failure.may_have_acted || is_told {
                return failure.error;
            }
            let started = format!(
                "it is not known whether it started, at {:.0} or soon after ({})",
                once.began, failure.error.message
            );
            return once.stopped(&started, failure.error);
        }
        let is_open = self.creates()
            && failure.may_have_acted
            && failure.error.status.is_none_or(|status| status >= 500);
        if !is_open {
            return failure.error;
        }
        Error {
            reason: Reason::OutcomeUnknown,
            message: format!("it is not known whether it started ({})", failure.error.message),
            ..failure.error
        }
    }
}

/// The id of what was started, wherever the endpoint put it.
fn execution_id(body: &Value) -> Option<String> {
    let result = body.get("result");
    let named = |map: &Map<String, Value>| {
        EXECUTION_IDS.iter().find_map(|name| map.get(*name)?.as_str().map(str::to_owned))
    };
    match result.unwrap_or(body) {
        Value::Object(map) => named(map).or_else(|| body.as_object().and_then(named)),
        Value::String(text) if text.len() == 32 => Some(text.clone()),
        _ => None,
    }
}
