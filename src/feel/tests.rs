//! The language against cases: our own, and those confirmed on Camunda's engine where
//! they are at hand.

mod confirmed;
mod costs;
mod hostile;
mod warnings;

use serde_json::Value as Json;

use super::number::Number;
use super::{Environment, Error, Evaluation, Expression, Value};

const NOW: &str = "2026-05-01T12:00:00Z";

/// Evaluates in an environment without host functions.
fn evaluate(text: &str, input: &Json) -> Result<Evaluation, String> {
    evaluate_in(text, input, Environment::new(NOW.parse().unwrap()))
}

fn evaluate_in(text: &str, input: &Json, environment: Environment) -> Result<Evaluation, String> {
    let expression = Expression::parse(text).map_err(|error| error.to_string())?;
    expression.evaluate(&Value::from(input), &environment).map_err(|error: Error| error.to_string())
}

/// Whether two answers are the same: numbers by value, contexts without order.
fn alike(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (Number::parse(a.as_str()).unwrap(), Number::parse(b.as_str()).unwrap());
            a == b || (a.to_f64() - b.to_f64()).abs() <= 1e-12 * b.to_f64().abs()
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            let has = |(key, value): (&String, &Json)| b.get(key).is_some_and(|b| alike(value, b));
            a.len() == b.len() && a.iter().all(has)
        }
        (a, b) => a == b,
    }
}

/// What is wrong with a case, if anything: `{expr, context, expected}`, where
/// `{"$error": true}` expects a failure.
fn judged(case: &Json, environment: Environment) -> Result<(), String> {
    let text = case["expr"].as_str().unwrap();
    let expected = &case["expected"];
    let fails = expected.get("$error").is_some();
    match evaluate_in(text, &case["context"], environment) {
        Err(_) if fails => Ok(()),
        Err(error) => Err(format!("{text}: {error}")),
        Ok(answer) if !fails && alike(&answer.value.to_json(), expected) => Ok(()),
        Ok(answer) => {
            Err(format!("{text}: {:?} is not {expected}; {:?}", answer.value, answer.warnings))
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = Json> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
}

#[test]
fn our_own_cases_hold() {
    let environment = Environment::new(NOW.parse().unwrap());
    let judged = lines(include_str!("cases.jsonl")).map(|case| judged(&case, environment));
    let wrong: Vec<_> = judged.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_go_between_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug>() {}
    shared::<Expression>();
    shared::<Value>();
    shared::<super::Cache>();
    shared::<super::SyntaxError>();
}

#[test]
fn numbers_keep_every_digit() {
    for digits in [
        "9999999999999999999999999999999999999999",
        "0.1000000000000000000000000000000001",
        "9007199254740993",
        "-170141183460469231731687303715884105729",
        "1.50",
        "9223372036854775808",
    ] {
        let literal = evaluate(digits, &Json::Null).unwrap().value.to_json();
        assert_eq!(literal.to_string(), digits);
        let input: Json = serde_json::from_str(&format!("{{\"x\": {digits}}}")).unwrap();
        assert_eq!(evaluate("x", &input).unwrap().value.to_json().to_string(), digits);
    }
}

#[test]
fn keys_keep_their_order() {
    let answer = evaluate("{z: 1, a: 2, m: 3, b: 4, y: 5, c: 6}", &Json::Null).unwrap();
    assert_eq!(answer.value.to_json().to_string(), r#"{"z":1,"a":2,"m":3,"b":4,"y":5,"c":6}"#);
}

#[test]
fn a_syntax_error_tells_where_and_what() {
    let error = Expression::parse("={a: 1,\n b: (2 + }").unwrap_err();
    assert_eq!((error.line, error.column), (2, 10));
    assert_eq!(
        error.to_string(),
        "line 2, column 10: expected an expression, found '}': `={a: 1,  b: (2 + }`"
    );
    assert_eq!(
        Expression::parse("if a then b").unwrap_err().to_string(),
        "line 1, column 12: expected an operator or 'else', found the end: `if a then b`"
    );
}
