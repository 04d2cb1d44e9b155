//! Plain routes, `POST /inbound/{route}`: the configuration fixes what a route does, a
//! caller only brings the data.

mod cancel;
mod message;
mod signal;
mod start;

use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    audit::Record,
    expression::{Picker, Scope, kind_of, object},
    idempotency::{Key, Places, once},
    problem::Problem,
    reading::{self, MAX_TEXT},
    scopes::{Pattern, Right},
    shared::{Call, Shared},
};
use crate::{
    job::Variables,
    outcome::cut,
    ports::{ClusterRest, ProcessGateway},
};

/// A plain route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The last part of its path.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// The tenant.
    pub tenant: String,
    /// Where the body has the idempotency key; headers are looked at as well.
    pub key: Option<Picker>,
    /// The variables; without it the body is taken.
    pub variables: Option<Picker>,
    /// The answer's body.
    pub response: Option<Picker>,
    /// A repetition may be done again.
    pub at_least_once: bool,
    /// How long a message waits, where that is longer than the window for repetitions.
    pub time_to_live: Option<Duration>,
}

/// What a route does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Starts an instance.
    Start {
        /// The process.
        process: String,
        /// Its version; the latest when absent.
        version: Option<i32>,
        /// What keeps a second start off.
        guard: Guard,
        /// Waits for the end of the instance.
        await_completion: bool,
    },
    /// Publishes a message.
    Message {
        /// Its name.
        name: String,
        /// Whom it is for.
        correlation_key: Option<Picker>,
    },
    /// Broadcasts a signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// Cancels an instance.
    Cancel {
        /// Its key.
        instance: Picker,
        /// The processes whose instances may be cancelled.
        processes: Pattern,
    },
}

/// What keeps a second start off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The wrapper process.
    Wrapper,
    /// A business id, where the cluster enforces that it is unique.
    BusinessId,
    /// Nothing.
    Nothing,
}

impl Action {
    /// Whether a request must bring something by which its copies are recognized.
    fn needs_key(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Message { .. })
    }
}

/// A request to a route, read.
#[derive(Debug)]
pub(crate) struct Request<'r> {
    pub(crate) route: &'r Route,
    pub(crate) scope: Scope,
    pub(crate) key: Option<Key>,
    /// How long a message waits, and is known to the broker.
    pub(crate) time_to_live: Duration,
}

/// What a route did, for its answer.
#[derive(Debug)]
pub(crate) struct Done {
    /// The answer, unless the route has one of its own.
    pub(crate) result: Map<String, Value>,
    /// An earlier request of the same key did it.
    pub(crate) is_duplicate: bool,
}

/// Headers that expressions do not see.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Runs a route.
pub(crate) async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    call.part.clone_into(&mut record.target);
    call.demand_for(Right::Route, call.part)?;
    let route = shared.config.routes.iter().find(|route| route.name == call.part);
    let route = route
        .ok_or_else(|| Problem::not_found(format!("there is no route '{}'", cut(call.part, 80))))?;
    let request = read(shared, call, route)?;
    record.key = request.key.as_ref().map(|key| key.text.clone());
    let answer = once(&shared.memory, request.key.as_ref(), call.digest(), async |repeated| {
        let done = match &route.action {
            Action::Start { .. } => start::run(shared, &request, record).await,
            Action::Message { .. } => message::run(shared, &request, record).await,
            Action::Signal { .. } => signal::run(shared, &request, record).await,
            Action::Cancel { .. } => cancel::run(shared, &request, repeated).await,
        };
        done.map(|done| respond(&request, done))
    });
    answer.await
}

fn read<'r, G, R>(
    shared: &'r Shared<G, R>,
    call: &Call<'_>,
    route: &'r Route,
) -> Result<Request<'r>, Problem> {
    let body = reading::json(&call.body, shared.config.limits.json_depth)?;
    let hidden = |name: &str| HIDDEN.contains(&name) || shared.authenticator.is_key_header(name);
    let names = [("headers", headers(call.headers, hidden)), ("query", query(call.query))];
    let scope = Scope::new(body, names, call.now);
    let settings = &shared.config.idempotency;
    let places = Places {
        headers: &settings.headers,
        body: route.key.as_ref(),
        body_first: true,
        purpose: &format!("route:{}", route.name),
    };
    let key = places.key(&call.caller, call.headers, &call.body, || Ok(scope.clone()))?;
    if key.is_none() && route.action.needs_key() && !route.at_least_once {
        return Err(no_key(route, &scope));
    }
    let time_to_live = route.time_to_live.unwrap_or_default().max(settings.window);
    Ok(Request { route, scope, key, time_to_live })
}

fn no_key(route: &Route, scope: &Scope) -> Problem {
    let needs = format!("route '{}' needs an idempotency key:", route.name);
    let Some(picker) = &route.key else {
        return Problem::invalid(format!(
            "{needs} send the header Idempotency-Key, for instance sys_id:sys_mod_count of the \
             record"
        ));
    };
    Problem::invalid(format!(
        "{needs} its place in the body is empty, {}, and there is no header Idempotency-Key",
        picker.text()
    ))
    .aside(picker.why_nothing(scope))
}

fn headers(headers: &HeaderMap, hidden: impl Fn(&str) -> bool) -> Value {
    let shown = headers.iter().filter(|(name, _)| !hidden(name.as_str()));
    let text = shown.filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))
    });
    Value::Object(text.collect())
}

fn query(query: &str) -> Value {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let text = pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())));
    Value::Object(text.collect())
}

impl Request<'_> {
    /// The variables: what the route picks, or the body.
    pub(crate) fn variables(&self) -> Result<Variables, Problem> {
        let (value, what) = match &self.route.variables {
            Some(picker) => (self.picked(picker, "variables")?, "the route's variables are"),
            None => (self.scope.body().clone(), "the body is"),
        };
        object(value).map_err(|kind| Problem::invalid(format!("{what} {kind}, not an object")))
    }

    /// A text that the route picks; `None` where there is none.
    pub(crate) fn text(&self, picker: &Picker, what: &str) -> Result<Option<String>, Problem> {
        let text = picker.pick_text(&self.scope);
        let text = text.map_err(|error| unreadable(what, &error))?;
        match text {
            Some(text) if text.chars().count() > MAX_TEXT => {
                Err(Problem::invalid(format!("{what} is longer than {MAX_TEXT} characters")))
            }
            text => Ok(text),
        }
    }

    fn picked(&self, picker: &Picker, what: &str) -> Result<Value, Problem> {
        picker.pick(&self.scope).map_err(|error| unreadable(what, &error))
    }
}

/// An expression failed. Its error may quote the body.
fn unreadable(what: &str, error: &str) -> Problem {
    Problem::invalid(what).aside(format!(": {error}"))
}

impl Done {
    /// `what` was done, with these further entries.
    pub(crate) fn new<const N: usize>(what: &str, entries: [(&str, Value); N]) -> Self {
        let mut result = Map::new();
        result.insert("result".to_owned(), what.into());
        result.extend(entries.map(|(name, value)| (name.to_owned(), value)));
        Self { result, is_duplicate: false }
    }

    /// It had been done before.
    pub(crate) fn duplicate(mut self) -> Self {
        self.is_duplicate = true;
        self
    }
}

/// The answer. It is done by now: a response expression that fails must not look like a
/// failure, or the caller would ask again.
fn respond(request: &Request<'_>, mut done: Done) -> Answer {
    done.result.insert("duplicate".to_owned(), done.is_duplicate.into());
    let body = Value::Object(done.result);
    let own = request.route.response.as_ref().map(|picker| {
        let scope = request.scope.clone().with("result", body.clone());
        picker.pick(&scope)
    });
    let body = match own {
        None => body,
        Some(Ok(own @ (Value::Object(_) | Value::Array(_)))) => own,
        Some(given) => {
            let why = given.map_or_else(
                |error| error,
                |value| format!("it gives {}, not an object", kind_of(&value)),
            );
            tracing::warn!(route = request.route.name, why, "the response expression failed");
            body
        }
    };
    let answer = Answer::json(body);
    if done.is_duplicate { answer.replayed() } else { answer }
}
