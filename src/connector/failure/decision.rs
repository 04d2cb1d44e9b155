//! What an `errorExpression` decides: the context that `bpmnError`, `jobError` or
//! `ignoreError` return, or one written by hand. `code` and `message`, the names of older
//! releases, are read as well.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    connector::{duration, input::kind_of},
    job::Variables,
    outcome::cut,
};

/// A decision read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// Nothing special: the usual outcome.
    None,
    /// Throw a BPMN error.
    BpmnError { code: String, message: Option<String>, variables: Variables },
    /// Fail the job.
    JobError {
        message: Option<String>,
        retries: i32,
        retry_backoff: Duration,
        variables: Variables,
    },
    /// Complete the job with these variables.
    Ignore { variables: Variables },
}

impl Decision {
    /// Reads the value of the expression; the error says what is wrong with it.
    pub(super) fn read(value: Value) -> Result<Self, String> {
        let map = match value {
            Value::Null => return Ok(Self::None),
            Value::Object(map) if map.is_empty() => return Ok(Self::None),
            Value::Object(map) => map,
            other => {
                return Err(format!(
                    "it gives a {} where bpmnError(…), jobError(…), ignoreError(…) or null is \
                     needed",
                    kind_of(&other)
                ));
            }
        };
        match map.get("errorType").and_then(Value::as_str) {
            Some("bpmnError") => Self::bpmn_error(&map),
            Some("jobError") => Self::job_error(&map),
            Some("ignoreError") => Ok(Self::Ignore { variables: variables(&map)? }),
            _ => {
                Err("its context has no errorType of bpmnError, jobError or ignoreError".to_owned())
            }
        }
    }

    fn bpmn_error(map: &Map<String, Value>) -> Result<Self, String> {
        let Some(code) = text(map, ["errorCode", "code"])?.filter(|code| !code.is_empty()) else {
            return Ok(Self::None);
        };
        let message = text(map, ["errorMessage", "message"])?;
        Ok(Self::BpmnError { code, message, variables: variables(map)? })
    }

    fn job_error(map: &Map<String, Value>) -> Result<Self, String> {
        let retries = match map.get("retries") {
            None | Some(Value::Null) => 0,
            Some(value) => whole_number(value).ok_or_else(|| wrong("retries", value))?.max(0),
        };
        let retry_backoff = match map.get("retryBackoff") {
            None | Some(Value::Null) => Duration::ZERO,
            Some(value) => {
                let parsed = value.as_str().and_then(duration::parse);
                parsed.ok_or_else(|| wrong("retryBackoff", value))?
            }
        };
        let message = text(map, ["errorMessage", "message"])?;
        Ok(Self::JobError { message, retries, retry_backoff, variables: variables(map)? })
    }
}

/// A number may come as `2.0`.
fn whole_number(value: &Value) -> Option<i32> {
    let Value::Number(number) = value else { return None };
    let text = number.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, fraction)| {
        if fraction.bytes().all(|b| b == b'0') { whole } else { "" }
    });
    whole.parse().ok()
}

/// The text under the newer name or the older one.
fn text(map: &Map<String, Value>, names: [&str; 2]) -> Result<Option<String>, String> {
    match names.iter().find_map(|name| map.get(*name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(names[0], other)),
    }
}

fn variables(map: &Map<String, Value>) -> Result<Variables, String> {
    match map.get("variables") {
        None | Some(Value::Null) => Ok(Variables::new()),
        Some(Value::Object(variables)) => Ok(variables.clone()),
        Some(other) => Err(wrong("variables", other)),
    }
}

fn wrong(name: &str, value: &Value) -> String {
    format!("its {name} is {} ({})", cut(&value.to_string(), 40), kind_of(value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::Decision;

    fn read(value: Value) -> Decision {
        Decision::read(value).unwrap()
    }

    #[test]
    fn null_empty_and_a_missing_code_decide_nothing() {
        for value in [
            Value::Null,
            json!({}),
            json!({"errorType": "bpmnError"}),
            json!({"errorType": "bpmnError", "errorCode": null}),
        ] {
            assert_eq!(read(value), Decision::None);
        }
    }

    #[test]
    fn both_spellings_are_read() {
        for value in [
            json!({"errorType": "bpmnError", "errorCode": "C", "errorMessage": "m"}),
            json!({"errorType": "bpmnError", "code": "C", "message": "m"}),
        ] {
            let expected = Decision::BpmnError {
                code: "C".to_owned(),
                message: Some("m".to_owned()),
                variables: serde_json::Map::new(),
            };
            assert_eq!(read(value), expected);
        }
    }

    #[test]
    fn a_job_error_ends_with_retries_0_unless_it_says_more() {
        let plain = read(json!({"errorType": "jobError", "errorMessage": "m"}));
        assert!(matches!(
            plain,
            Decision::JobError { retries: 0, retry_backoff: Duration::ZERO, .. }
        ));
        let full = read(json!({
            "errorType": "jobError", "errorMessage": "m", "retries": 2.0, "retryBackoff": "PT10S",
            "variables": {"a": 1},
        }));
        let Decision::JobError { retries, retry_backoff, variables, .. } = full else {
            panic!("a job error")
        };
        assert_eq!((retries, retry_backoff), (2, Duration::from_secs(10)));
        assert_eq!(variables["a"], 1);
        let negative = read(json!({"errorType": "jobError", "retries": -3}));
        assert!(matches!(negative, Decision::JobError { retries: 0, .. }));
    }

    #[test]
    fn anything_else_is_refused_with_what_it_is() {
        for (value, said) in [
            (json!("text"), "gives a text"),
            (json!({"a": 1}), "no errorType"),
            (json!({"errorType": "other"}), "no errorType"),
            (json!({"errorType": "jobError", "retries": "x"}), "retries"),
            (json!({"errorType": "jobError", "retries": 1.5}), "retries"),
            (json!({"errorType": "jobError", "retryBackoff": 10}), "retryBackoff"),
            (json!({"errorType": "bpmnError", "errorCode": 404}), "errorCode is 404"),
            (json!({"errorType": "ignoreError", "variables": []}), "variables"),
        ] {
            let message = Decision::read(value).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }
}
