//! The sandbox's own endpoints, under `/sandbox`: faults, business rules, what was asked,
//! what was delivered, reset. They need no credentials, are not logged and cannot be hit by
//! faults.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Shared,
    answer::Answer,
    call::Call,
    error::Error,
    faults::Rule,
    outbound::{self, BusinessRule, BusinessRules},
};

/// Answers `/sandbox/…`.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Answer {
    let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["faults"]) => ok(faults(shared)),
        (&Method::POST, ["faults"]) => add_faults(shared, call),
        (&Method::DELETE, ["faults"]) => {
            shared.faults.clear();
            Answer::empty(StatusCode::NO_CONTENT)
        }
        (method, ["business-rules"]) => business_rules(shared, method, call),
        (&Method::GET, ["deliveries"]) => ok(json!({"deliveries": shared.courier.deliveries()})),
        (&Method::GET, ["requests"]) => {
            ok(json!({"total": shared.log.total(), "requests": shared.log.all()}))
        }
        (&Method::GET, ["flows"]) => ok(json!({"flows": shared.flows.all()})),
        (&Method::GET, ["connections"]) => {
            let accepted = shared.connections.load(std::sync::atomic::Ordering::Relaxed);
            ok(json!({ "connections": accepted }))
        }
        (&Method::GET, ["tally"]) => ok(json!(shared.tally.counts())),
        (&Method::POST, ["reset"]) => match shared.reset() {
            Ok(()) => Answer::empty(StatusCode::NO_CONTENT),
            Err(error) => wrong(StatusCode::INTERNAL_SERVER_ERROR, &error),
        },
        _ => wrong(StatusCode::NOT_FOUND, &KNOWN),
    }
}

const KNOWN: &str = "use GET, POST or DELETE /sandbox/faults, GET, PUT, POST or DELETE \
                     /sandbox/business-rules, GET /sandbox/deliveries, GET /sandbox/requests, \
                     GET /sandbox/flows, GET /sandbox/connections, GET /sandbox/tally or \
                     POST /sandbox/reset";

fn ok(body: Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

fn wrong(status: StatusCode, what: &dyn std::fmt::Display) -> Answer {
    Answer::json(status, json!({"error": what.to_string()}))
}

fn faults(shared: &Shared) -> Value {
    let rules = shared.faults.rules().into_iter();
    let rules =
        rules.map(|(rule, struck)| json!({"rule": rule, "seen": struck.seen, "hits": struck.hits}));
    json!({"faults": rules.collect::<Vec<_>>()})
}

/// Takes one rule or a list of them; a wrong one among them and none is taken.
fn add_faults(shared: &Shared, call: &Call) -> Answer {
    let rules = match serde_json::from_slice(&call.body) {
        Ok(Value::Array(rules)) => rules,
        Ok(rule) => vec![rule],
        Err(error) => return wrong(StatusCode::BAD_REQUEST, &error),
    };
    let rules: Result<Vec<Rule>, _> = rules.iter().map(Rule::read).collect();
    match rules {
        Ok(rules) => {
            for rule in rules {
                shared.faults.push(rule.matches, rule.fault);
            }
            Answer::empty(StatusCode::NO_CONTENT)
        }
        Err(error) => wrong(StatusCode::BAD_REQUEST, &error),
    }
}

/// Reads, replaces, adds to or takes away the business rules.
fn business_rules(shared: &Shared, method: &Method, call: &Call) -> Answer {
    let rules = BusinessRules::of(shared);
    let done = match *method {
        Method::GET => return ok(json!({"businessRules": rules.all()})),
        Method::PUT => read_rules(call).and_then(|read| rules.replace(read)),
        Method::POST => read_rules(call).and_then(|read| rules.extend(read)),
        Method::DELETE => {
            rules.clear();
            Ok(())
        }
        _ => return wrong(StatusCode::NOT_FOUND, &KNOWN),
    };
    match done {
        Ok(()) => Answer::empty(StatusCode::NO_CONTENT),
        Err(error) => wrong(StatusCode::BAD_REQUEST, &error),
    }
}

fn read_rules(call: &Call) -> Result<Vec<BusinessRule>, Error> {
    let written: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Error::BusinessRule("1".to_owned(), format!("no JSON: {error}")))?;
    outbound::read_rules(&written)
}
