//! `feel`: evaluates expressions as the worker would.

use std::{io::BufRead, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, Unusable, read_text, say};
use crate::{clock::SystemClock, connector, feel, ports::Clock};

/// What to evaluate.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The expression; a leading `=` is optional.
    #[arg(required_unless_present = "lines", conflicts_with = "lines")]
    expression: Option<String>,
    /// A JSON file with the variables.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// Read JSON lines `{"expr": …, "context": …}` from standard input; answer
    /// `{"value": …}` or `{"error": …}` a line.
    #[arg(long, conflicts_with = "context")]
    lines: bool,
}

/// Evaluates and prints.
pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    let Some(expression) = options.expression else { return lines() };
    let context = match options.context {
        Some(path) => serde_json::from_str(&read_text(&path)?)
            .map_err(|error| Unusable(format!("{} is not JSON: {error}", path.display())))?,
        None => json!({}),
    };
    let evaluation = evaluate(&expression, context).map_err(Unusable)?;
    say(&serde_json::to_string_pretty(&evaluation.value.to_json())?);
    for warning in &evaluation.warnings {
        warn(&warning.to_string());
    }
    Ok(Exit::Done)
}

fn lines() -> anyhow::Result<Exit> {
    for line in std::io::stdin().lock().lines() {
        say(&answer(&line?).to_string());
    }
    Ok(Exit::Done)
}

fn answer(line: &str) -> Value {
    let mut input: Value = match serde_json::from_str(line) {
        Ok(input) => input,
        Err(error) => return json!({"error": format!("the line is not JSON: {error}")}),
    };
    let context = input.get_mut("context").map_or_else(|| json!({}), Value::take);
    let Some(expression) = input.get("expr").and_then(Value::as_str) else {
        return json!({"error": "the line has no text 'expr'"});
    };
    match evaluate(expression, context) {
        Ok(evaluation) => json!({"value": evaluation.value.to_json()}),
        Err(error) => json!({"error": error}),
    }
}

fn evaluate(expression: &str, context: Value) -> Result<feel::Evaluation, String> {
    let parsed = feel::Expression::parse(expression).map_err(|error| error.to_string())?;
    let environment = connector::functions::environment(SystemClock.now());
    parsed.evaluate(&feel::Value::from(context), &environment).map_err(|error| error.to_string())
}

#[expect(clippy::print_stderr, reason = "warnings stand beside the value, not in it")]
fn warn(text: &str) {
    eprintln!("warning: {text}");
}
