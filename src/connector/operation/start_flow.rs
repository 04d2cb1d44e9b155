//! `start`: calls a REST trigger or scripted endpoint of the instance.
//!
//! Starting twice starts two flows: ServiceNow has no key for it. The job's identity goes
//! along as `Idempotency-Key`, which is the same in every attempt, so that a flow can
//! refuse the second. What a lost answer means is the author's to say ([`Delivery`]): start
//! again, or never again without a person's word.
#![deny(clippy::disallowed_types)]

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::{Operation, Progress, Reading, Success};
use crate::{
    connector::{
        Effect,
        identity::Identity,
        input::{Inputs, invalid, kind_of, unknown_word, wrong},
        intent::{Earlier, Fate, Intent, Memory},
        secrets,
    },
    outcome::cut,
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

/// Headers that decide who the request is from and what it is: not the author's.
const FORBIDDEN_HEADERS: [&str; 14] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
    "x-usertoken",
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
    earlier: Option<Earlier>,
}

pub(super) fn read(inputs: &Inputs<'_>) -> Result<Box<dyn Operation>, Error> {
    let path = path(inputs)?;
    let method = method(inputs)?;
    let mut request = Request::new(method, path.split('/'));
    request.query = query_parameters(inputs)?;
    request.headers = headers(inputs)?;
    request.body = payload(inputs)?;
    if method == Method::Get && request.body.is_some() {
        return Err(invalid("method GET takes no payload: use POST, or leave the payload empty"));
    }
    let delivery = delivery(inputs)?;
    if method == Method::Get {
        return Ok(Box::new(StartFlow { request, once: None, fate: Fate::Kept }));
    }
    add_key(&mut request, inputs, path, delivery);
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
fn add_key(request: &mut Request, inputs: &Inputs<'_>, path: &str, delivery: Delivery) {
    let headers = &mut request.headers;
    if !headers.iter().any(|(name, _)| name == KEY_HEADER) {
        let instance = &inputs.target.instance;
        let identity = Identity::new(&inputs.config.namespace, inputs.job, instance, path);
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
        Self { intent, earlier }
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

/// The path without its leading slash.
fn path<'a>(inputs: &'a Inputs<'_>) -> Result<&'a str, Error> {
    let remedy = "give the path of the trigger, e.g. /api/x_acme/start_onboarding";
    let text = inputs.required_text("path", remedy)?;
    let segments: Vec<&str> = text.strip_prefix('/').unwrap_or(text).split('/').collect();
    let well = segments.iter().all(|segment| {
        !matches!(*segment, "" | "." | "..")
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:@+,=".contains(c))
    });
    match segments.as_slice() {
        ["api", "now", ..] => Err(invalid(
            "path is one of ServiceNow's own APIs (/api/now): use a record operation for tables",
        )),
        ["api", _, _, ..] if well => Ok(text.strip_prefix('/').unwrap_or(text)),
        _ => Err(invalid(format!(
            "path '{}' is not understood: write /api/<namespace>/<rest> without '?', '#' and '%', \
             query parameters go into queryParameters",
            cut(text, 120)
        ))),
    }
}

fn method(inputs: &Inputs<'_>) -> Result<Method, Error> {
    match inputs.text("method")?.map(str::to_ascii_uppercase).as_deref() {
        None | Some("POST") => Ok(Method::Post),
        Some("GET") => Ok(Method::Get),
        Some("PUT") => Ok(Method::Put),
        Some("PATCH") => Ok(Method::Patch),
        Some("DELETE") => Ok(Method::Delete),
        Some(other) => Err(unknown_word("method", other, "POST, GET, PUT, PATCH or DELETE")),
    }
}

fn query_parameters(inputs: &Inputs<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut parameters = Vec::new();
    for (name, value) in inputs.context("queryParameters")?.into_iter().flatten() {
        parameters.extend(scalar("queryParameters", name, value)?.map(|text| (name.clone(), text)));
    }
    Ok(parameters)
}

/// The author's headers, secrets in place.
fn headers(inputs: &Inputs<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut headers = Vec::new();
    for (name, value) in inputs.context("headers")?.into_iter().flatten() {
        let Some(text) = scalar("headers", name, value)? else { continue };
        let text = secrets::replace_in_text(&text, inputs.secrets)?;
        let lower = name.trim().to_ascii_lowercase();
        if FORBIDDEN_HEADERS.contains(&lower.as_str()) {
            return Err(invalid(format!(
                "headers: '{lower}' cannot be set: credentials belong into the connection"
            )));
        }
        if HeaderName::from_bytes(lower.as_bytes()).is_err()
            || HeaderValue::from_str(&text).is_err()
        {
            return Err(invalid(format!(
                "headers: '{}' is no header: use letters, digits and dashes for the name and one \
                 line for the value",
                cut(&lower, 80)
            )));
        }
        headers.push((lower, text));
    }
    Ok(headers)
}

/// A scalar as text; null is left out.
fn scalar(input: &str, name: &str, value: &Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        other => Err(invalid(format!(
            "{input}: '{}' is a {}: give text, a number or a boolean",
            cut(name, 80),
            kind_of(other)
        ))),
    }
}

/// `payloadTemplate`, overlaid with `payload` where both are contexts.
fn payload(inputs: &Inputs<'_>) -> Result<Option<Value>, Error> {
    let template = inputs.rendered("payloadTemplate")?;
    let payload = match inputs.variables.get("payload") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(value @ (Value::Object(_) | Value::Array(_))) => Some(value.clone()),
        Some(other) => return Err(wrong("payload", other, "a context, e.g. ={user: name}")),
    };
    match (template, payload) {
        (None, payload) => Ok(payload),
        (Some(template), None) => Ok(Some(Value::Object(template))),
        (Some(mut template), Some(Value::Object(own))) => {
            template.extend(own);
            Ok(Some(Value::Object(template)))
        }
        (Some(_), Some(_)) => Err(invalid(
            "payload is a list and payloadTemplate is given too: leave one of them empty",
        )),
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
            Some(Once { intent, earlier: None }) => {
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
            let started = format!("it is not known whether it started ({})", failure.error.message);
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
