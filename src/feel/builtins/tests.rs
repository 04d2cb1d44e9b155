//! The functions against cases: `{expr, expected}`, where `expected` is compared digit
//! for digit and `{"$error": ...}` expects a failure; `warning` names a part of what is
//! warned of, and without it nothing may be.

use serde_json::Value as Json;

use super::ALL;
use crate::feel::{Environment, Evaluation, Expression, Value};

const NOW: &str = "2026-05-01T12:00:00Z";

fn evaluated(text: &str) -> Result<Evaluation, String> {
    let expression = Expression::parse(text).map_err(|error| error.to_string())?;
    let environment = Environment::new(NOW.parse().unwrap());
    expression.evaluate(&Value::Null, &environment).map_err(|error| error.to_string())
}

fn shown(text: &str) -> String {
    evaluated(text).map_or_else(|error| error, |answer| answer.value.to_json().to_string())
}

/// What is wrong with a case, if anything.
fn judged(case: &Json) -> Result<(), String> {
    let text = case["expr"].as_str().unwrap();
    let expected = &case["expected"];
    match evaluated(text) {
        Err(error) => match expected.get("$error").and_then(Json::as_str) {
            Some(part) if error.contains(part) => Ok(()),
            _ => Err(format!("{text}: {error}")),
        },
        Ok(answer) => {
            let json = answer.value.to_json();
            let warned = answer.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
            let warned_well = match case.get("warning").and_then(Json::as_str) {
                Some(part) => warned.iter().any(|warning| warning.contains(part)),
                None => warned.is_empty(),
            };
            let right = json.to_string() == expected.to_string() && warned_well;
            if right {
                Ok(())
            } else {
                Err(format!("{text}: {json} is not {expected}; {warned:?}"))
            }
        }
    }
}

#[test]
fn cases_hold() {
    let lines = include_str!("cases.jsonl").lines();
    let cases = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")));
    let wrong: Vec<String> = cases.filter_map(|case: Json| judged(&case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
