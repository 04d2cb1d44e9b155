//! Expressions with the types that the model asks for; what goes wrong is told in the
//! broker's words.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    Runtime,
    incident::{Failure, Trouble},
    variables::input,
};
use crate::{
    devengine::{
        bpmn::{model::Text, timer},
        record::{Event, Key},
    },
    feel::{Environment, Evaluation, Expression, Value, Warning},
};

/// Evaluates; only what ends the whole evaluation is an error.
pub(super) fn evaluate(
    expression: &Expression,
    input: &Value,
    now: Timestamp,
    trouble: Trouble,
) -> Result<Evaluation, Failure> {
    expression.evaluate(input, &Environment::new(now)).map_err(|error| {
        let source = expression.source();
        trouble.because(format!("failed to evaluate expression '{source}': {error}"))
    })
}

/// A text, fixed or evaluated.
pub(super) fn text(text: &Text, input: &Value, now: Timestamp) -> Result<String, Failure> {
    let expression = match text {
        Text::Fixed(text) => return Ok(text.clone()),
        Text::Expression(expression) => expression,
    };
    let evaluation = evaluate(expression, input, now, Trouble::ExtractValue)?;
    match evaluation.value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(unexpected(expression, &evaluation, "STRING")),
    }
}

/// A text or what is written as one: a duration, a date and time.
pub(super) fn temporal(text: &Text, input: &Value, now: Timestamp) -> Result<String, Failure> {
    let expression = match text {
        Text::Fixed(text) => return Ok(text.clone()),
        Text::Expression(expression) => expression,
    };
    let evaluation = evaluate(expression, input, now, Trouble::ExtractValue)?;
    match evaluation.value.to_json() {
        serde_json::Value::String(text) => Ok(text),
        _ => Err(unexpected(expression, &evaluation, "a duration, a date and time or STRING")),
    }
}

/// A list of texts, as JSON.
pub(super) fn names(
    expression: &Expression,
    input: &Value,
    now: Timestamp,
) -> Result<String, Failure> {
    let evaluation = evaluate(expression, input, now, Trouble::ExtractValue)?;
    let list = evaluation.value.as_list().unwrap_or_default();
    if evaluation.value.as_list().is_some() && list.iter().all(|name| name.as_str().is_some()) {
        return Ok(evaluation.value.to_json().to_string());
    }
    Err(unexpected(expression, &evaluation, "ARRAY of STRING"))
}

/// A date and time as Java writes it, without seconds that are none; `None` where it is null.
pub(super) fn date_and_time(
    source: &Text,
    input: &Value,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    if let Text::Expression(expression) = source
        && matches!(evaluate(expression, input, now, Trouble::ExtractValue)?.value, Value::Null)
    {
        return Ok(None);
    }
    let text = temporal(source, input, now)?;
    if timer::date(&text).is_none() {
        return Err(Trouble::ExtractValue.because(format!(
            "Invalid date-time format '{text}': write it like 2030-01-31T08:00:00Z"
        )));
    }
    let (day, time) = text.split_once('T').unwrap_or((text.as_str(), ""));
    let time = match time.get(5..8) {
        Some(":00") if !time[8..].starts_with('.') => format!("{}{}", &time[..5], &time[8..]),
        _ => time.to_owned(),
    };
    Ok(Some(format!("{day}T{time}")))
}

/// A correlation key: a text or a number.
pub(super) fn correlation_key(
    expression: &Expression,
    input: &Value,
    now: Timestamp,
) -> Result<String, Failure> {
    let evaluation = evaluate(expression, input, now, Trouble::ExtractValue)?;
    match &evaluation.value {
        Value::String(text) => Ok(text.to_string()),
        Value::Number(number) => Ok(whole(&number.to_string())),
        other => Err(Trouble::ExtractValue.because(with_warnings(
            format!(
                "Failed to extract the correlation key for '{}': The value must be either a \
                 string or a number, but was '{}'.",
                expression.source(),
                type_name(other)
            ),
            &evaluation.warnings,
        ))),
    }
}

/// A number as a correlation key: a broker drops what is behind the point.
fn whole(number: &str) -> String {
    match number.split('.').next() {
        Some("-0") | None => "0".to_owned(),
        Some(whole) => whole.to_owned(),
    }
}

/// A small whole number.
pub(super) fn integer(text: &Text, input: &Value, now: Timestamp) -> Result<i32, Failure> {
    match text {
        Text::Fixed(text) => text.trim().parse().map_err(|_| {
            Trouble::ExtractValue.because(format!("expected a whole number, but got '{text}'"))
        }),
        Text::Expression(expression) => {
            let evaluation = evaluate(expression, input, now, Trouble::ExtractValue)?;
            let number = evaluation.value.as_number().and_then(crate::feel::Number::to_i64);
            number
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(|| unexpected(expression, &evaluation, "NUMBER"))
        }
    }
}

/// The failure of an expression that answers another type.
pub(super) fn unexpected(
    expression: &Expression,
    evaluation: &Evaluation,
    expected: &str,
) -> Failure {
    let text = format!(
        "Expected result of the expression '{}' to be '{expected}', but was '{}'.",
        expression.source(),
        type_name(&evaluation.value)
    );
    Trouble::ExtractValue.because(with_warnings(text, &evaluation.warnings))
}

fn with_warnings(mut text: String, warnings: &[Warning]) -> String {
    if !warnings.is_empty() {
        text.push_str(" The evaluation reported the following warnings:");
        for warning in warnings {
            // Writing to a text cannot fail.
            _ = write!(text, "\n{warning}");
        }
    }
    text
}

/// Names of types as the broker's incidents have them.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Boolean(_) => "BOOLEAN",
        Value::Number(_) => "NUMBER",
        Value::String(_) => "STRING",
        Value::List(_) => "ARRAY",
        Value::Context(_) => "OBJECT",
        Value::DayTimeDuration(_) => "DURATION",
        Value::YearMonthDuration(_) => "PERIOD",
        Value::Date(_) => "DATE",
        Value::Time(_) => "TIME",
        Value::DateTime(_) => "DATE_TIME",
        Value::Range(_) => "RANGE",
        Value::Function(_) => "FUNCTION",
    }
}

impl Runtime {
    /// What an expression sees from this scope.
    pub(super) fn input(&self, scope: Key) -> Value {
        input(&self.visible(scope))
    }

    /// Whether a condition holds.
    pub(super) fn holds(
        &mut self,
        element: Key,
        expression: &Expression,
        input: &Value,
    ) -> Result<bool, Failure> {
        let evaluation = evaluate(expression, input, self.now, Trouble::ExtractValue)?;
        let Some(holds) = evaluation.value.as_bool() else {
            return Err(unexpected(expression, &evaluation, "BOOLEAN"));
        };
        self.warn(element, &evaluation.warnings);
        Ok(holds)
    }

    /// Tells of an expression's warnings.
    pub(super) fn warn(&mut self, element: Key, warnings: &[Warning]) {
        for warning in warnings {
            self.warn_text(element, warning.to_string());
        }
    }

    pub(super) fn warn_text(&mut self, element: Key, warning: String) {
        if let Some(instance) = self.instances.get(&element) {
            self.events.push(Event::Warned {
                instance: instance.process_key,
                element_id: instance.element_id().to_owned(),
                warning,
            });
        }
    }
}
