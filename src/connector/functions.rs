//! The functions that connectors add to FEEL: what an error expression answers with.
//!
//! `bpmnError`, `jobError` and `ignoreError` build contexts that the outcome is read from;
//! `backoff` computes a delay. Arguments of a wrong type fail the evaluation, those that
//! a call with names leaves out are null and fail too, except for `backoff`, where null
//! stands for the default.

use jiff::{SignedDuration, Timestamp};

use crate::feel::{Environment, Error, HostFunction, Number, Rounding, Value};

const BPMN_ERROR: [&str; 3] = ["errorCode", "errorMessage", "variables"];
const JOB_ERROR: [&str; 4] = ["errorMessage", "variables", "retries", "retryBackoff"];
const BACKOFF: [&str; 5] = ["attempt", "minDelay", "factor", "maxDelay", "jitterFactor"];

/// The functions, one entry for each number of parameters.
static FUNCTIONS: [HostFunction; 14] = [
    HostFunction { name: "bpmnError", parameters: BPMN_ERROR.split_at(1).0, call: bpmn_error },
    HostFunction { name: "bpmnError", parameters: BPMN_ERROR.split_at(2).0, call: bpmn_error },
    HostFunction { name: "bpmnError", parameters: &BPMN_ERROR, call: bpmn_error },
    HostFunction { name: "jobError", parameters: JOB_ERROR.split_at(1).0, call: job_error },
    HostFunction { name: "jobError", parameters: JOB_ERROR.split_at(2).0, call: job_error },
    HostFunction { name: "jobError", parameters: JOB_ERROR.split_at(3).0, call: job_error },
    HostFunction { name: "jobError", parameters: &JOB_ERROR, call: job_error },
    HostFunction { name: "ignoreError", parameters: &[], call: ignore_error },
    HostFunction { name: "ignoreError", parameters: &["variables"], call: ignore_error },
    HostFunction { name: "backoff", parameters: BACKOFF.split_at(1).0, call: backoff },
    HostFunction { name: "backoff", parameters: BACKOFF.split_at(2).0, call: backoff },
    HostFunction { name: "backoff", parameters: BACKOFF.split_at(3).0, call: backoff },
    HostFunction { name: "backoff", parameters: BACKOFF.split_at(4).0, call: backoff },
    HostFunction { name: "backoff", parameters: &BACKOFF, call: backoff },
];

/// What the expressions of a job are evaluated in.
pub const fn environment(now: Timestamp) -> Environment {
    Environment { now, functions: &FUNCTIONS }
}

fn bpmn_error(arguments: &[Value]) -> Result<Value, Error> {
    let function = Arguments { function: "bpmnError", names: &BPMN_ERROR, values: arguments };
    let mut entries =
        vec![("errorType", Value::from("bpmnError")), ("errorCode", function.text(0)?)];
    if arguments.len() > 1 {
        entries.push(("errorMessage", function.text(1)?));
    }
    if arguments.len() > 2 {
        entries.push(("variables", function.context(2)?));
    }
    Ok(context(entries))
}

fn job_error(arguments: &[Value]) -> Result<Value, Error> {
    let function = Arguments { function: "jobError", names: &JOB_ERROR, values: arguments };
    let given = arguments.len();
    Ok(context(vec![
        ("errorType", Value::from("jobError")),
        ("errorMessage", function.text(0)?),
        ("variables", if given > 1 { function.context(1)? } else { context(Vec::new()) }),
        ("retries", if given > 2 { function.whole(2)? } else { Value::from(0) }),
        (
            "retryBackoff",
            Value::DayTimeDuration(match given {
                4 => function.duration(3)?,
                _ => SignedDuration::ZERO,
            }),
        ),
    ]))
}

fn ignore_error(arguments: &[Value]) -> Result<Value, Error> {
    let function = Arguments { function: "ignoreError", names: &["variables"], values: arguments };
    let mut entries = vec![("errorType", Value::from("ignoreError"))];
    if !arguments.is_empty() {
        entries.push(("variables", function.context(0)?));
    }
    Ok(context(entries))
}

fn backoff(arguments: &[Value]) -> Result<Value, Error> {
    let function = Arguments { function: "backoff", names: &BACKOFF, values: arguments };
    let delay = Backoff {
        attempt: function.number(0)?,
        min: function.given(1).map_or(Ok(0.05), |at| function.seconds(at))?,
        factor: function.given(2).map_or(Ok(1.6), |at| function.number(at))?,
        max: function.given(3).map_or(Ok(5.0), |at| function.seconds(at))?,
        jitter: function.given(4).map_or(Ok(0.1), |at| function.number(at))?,
    };
    delay.checked()?;
    Ok(Value::DayTimeDuration(delay.after(fastrand::f64())))
}

/// An exponential backoff, in seconds.
#[derive(Clone, Copy, Debug)]
struct Backoff {
    attempt: f64,
    min: f64,
    factor: f64,
    max: f64,
    jitter: f64,
}

impl Backoff {
    fn checked(self) -> Result<(), Error> {
        let mistake = if self.attempt < 1.0 {
            "attempt must be 1 or more"
        } else if self.factor <= 0.0 {
            "factor must be above 0"
        } else if self.min > self.max {
            "minDelay must not be above maxDelay"
        } else if self.jitter < 0.0 {
            "jitterFactor must not be below 0"
        } else {
            return Ok(());
        };
        Err(Error::failed(format!("backoff: {mistake}")))
    }

    /// The delay, with chance going from 0 to 1.
    fn after(self, chance: f64) -> SignedDuration {
        let grown = self.min * self.factor.powf(self.attempt.trunc() - 1.0);
        let delay = grown.clamp(self.min, self.max);
        let jittered = delay + delay * self.jitter * (2.0 * chance - 1.0);
        let millis = (jittered * 1000.0).round().max(0.0) / 1000.0;
        SignedDuration::try_from_secs_f64(millis).unwrap_or(SignedDuration::MAX)
    }
}

/// The arguments of a call, with the names that errors give them.
#[derive(Clone, Copy)]
struct Arguments<'a> {
    function: &'static str,
    names: &'a [&'static str],
    values: &'a [Value],
}

impl Arguments<'_> {
    /// The place of an argument that is there and not null.
    fn given(self, at: usize) -> Option<usize> {
        self.values.get(at).filter(|value| !value.is_null()).map(|_| at)
    }

    fn text(self, at: usize) -> Result<Value, Error> {
        match &self.values[at] {
            text @ Value::String(_) => Ok(text.clone()),
            _ => Err(self.mistyped(at, "a string")),
        }
    }

    fn context(self, at: usize) -> Result<Value, Error> {
        match &self.values[at] {
            context @ Value::Context(_) => Ok(context.clone()),
            _ => Err(self.mistyped(at, "a context")),
        }
    }

    fn whole(self, at: usize) -> Result<Value, Error> {
        let number = self.values[at].as_number();
        let whole = number.and_then(|number| number.round(0, Rounding::Down));
        whole.map(Value::Number).ok_or_else(|| self.mistyped(at, "a number"))
    }

    fn number(self, at: usize) -> Result<f64, Error> {
        let number = self.values[at].as_number().map(Number::to_f64);
        number.ok_or_else(|| self.mistyped(at, "a number"))
    }

    fn duration(self, at: usize) -> Result<SignedDuration, Error> {
        match &self.values[at] {
            Value::DayTimeDuration(duration) => Ok(*duration),
            _ => Err(self.mistyped(at, "a days and time duration")),
        }
    }

    fn seconds(self, at: usize) -> Result<f64, Error> {
        self.duration(at).map(|duration| duration.as_secs_f64())
    }

    fn mistyped(self, at: usize, expected: &str) -> Error {
        let (name, function, found) = (self.names[at], self.function, self.values[at].type_name());
        Error::failed(format!(
            "parameter '{name}' of function '{function}' must be {expected}, not {found}"
        ))
    }
}

fn context(entries: Vec<(&'static str, Value)>) -> Value {
    Value::context(entries.into_iter().map(|(key, value)| (key.into(), value)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::feel::Expression;

    fn evaluated(text: &str) -> Result<Json, Error> {
        let expression = Expression::parse(text).unwrap();
        let input = Value::from(json!({"job": {"retries": 3}}));
        let result = expression.evaluate(&input, &environment(Timestamp::UNIX_EPOCH));
        result.map(|evaluation| evaluation.value.to_json())
    }

    #[test]
    fn bpmn_error_takes_one_to_three_arguments() {
        assert_eq!(
            evaluated(r#"bpmnError("A")"#),
            Ok(json!({"errorType": "bpmnError", "errorCode": "A"}))
        );
        assert_eq!(
            evaluated(r#"bpmnError("A", "b", {c: 1})"#),
            Ok(
                json!({"errorType": "bpmnError", "errorCode": "A", "errorMessage": "b", "variables": {"c": 1}})
            )
        );
        assert_eq!(evaluated(r#"bpmnError("A", "b", {}, 1)"#), Ok(Json::Null));
    }

    #[test]
    fn job_error_keeps_its_variables_and_defaults_to_an_incident() {
        assert_eq!(
            evaluated(r#"jobError("m")"#),
            Ok(
                json!({"errorType": "jobError", "errorMessage": "m", "variables": {}, "retries": 0, "retryBackoff": "PT0S"})
            )
        );
        assert_eq!(
            evaluated(r#"jobError("m", {a: 1}, job.retries - 1, @"PT1M")"#),
            Ok(
                json!({"errorType": "jobError", "errorMessage": "m", "variables": {"a": 1}, "retries": 2, "retryBackoff": "PT1M"})
            )
        );
    }

    #[test]
    fn wrong_types_fail_and_name_the_parameter() {
        let failed = |text: &str| evaluated(text).unwrap_err().to_string();
        assert_eq!(
            failed(r#"bpmnError(1, "m")"#),
            "parameter 'errorCode' of function 'bpmnError' must be a string, not number"
        );
        assert_eq!(
            failed(r#"jobError(errorMessage: "m", retries: 2)"#),
            "parameter 'variables' of function 'jobError' must be a context, not null"
        );
        assert_eq!(
            failed(r#"jobError("m", {}, 1, @"P1Y")"#),
            "parameter 'retryBackoff' of function 'jobError' must be a days and time duration, not years and months duration"
        );
        assert_eq!(
            failed("ignoreError(1)"),
            "parameter 'variables' of function 'ignoreError' must be a context, not number"
        );
    }

    #[test]
    fn ignore_error_may_carry_variables() {
        assert_eq!(evaluated("ignoreError()"), Ok(json!({"errorType": "ignoreError"})));
        assert_eq!(
            evaluated("ignoreError({a: 1})"),
            Ok(json!({"errorType": "ignoreError", "variables": {"a": 1}}))
        );
    }

    #[test]
    fn backoff_grows_by_its_factor_up_to_the_longest_delay() {
        let without_jitter = [
            ("backoff(1, @\"PT1S\", 2, @\"PT1M\", 0)", "PT1S"),
            ("backoff(4, @\"PT1S\", 2, @\"PT1M\", 0)", "PT8S"),
            ("backoff(900, @\"PT1S\", 2, @\"PT1M\", 0)", "PT1M"),
            ("backoff(attempt: 3, jitterFactor: 0)", "PT0.128S"),
        ];
        for (text, delay) in without_jitter {
            assert_eq!(evaluated(text), Ok(json!(delay)), "{text}");
        }
    }

    #[test]
    fn backoff_strays_from_its_delay_by_the_jitter() {
        let delay = Backoff { attempt: 1.0, min: 1.0, factor: 2.0, max: 5.0, jitter: 0.1 };
        assert_eq!(delay.after(0.0), SignedDuration::from_millis(900));
        assert_eq!(delay.after(0.5), SignedDuration::from_secs(1));
        assert_eq!(delay.after(1.0), SignedDuration::from_millis(1100));
        assert_eq!(Backoff { jitter: 3.0, ..delay }.after(0.0), SignedDuration::ZERO);
    }

    #[test]
    fn backoff_refuses_what_makes_no_delay() {
        for text in [
            "backoff(0)",
            "backoff(1, @\"PT1S\", 0)",
            "backoff(1, @\"PT10S\")",
            "backoff(1, @\"PT1S\", 2, @\"PT5S\", -0.1)",
            "backoff(\"1\")",
        ] {
            assert!(evaluated(text).is_err(), "{text}");
        }
    }
}
