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
            let (json, expected) = (answer.value.to_json().to_string(), expected.to_string());
            let warned = answer.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
            let warned_well = match case.get("warning").and_then(Json::as_str) {
                Some(part) => warned.iter().any(|warning| warning.contains(part)),
                None => warned.is_empty(),
            };
            let right = json == expected && warned_well;
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

#[test]
fn every_row_of_the_table_is_reached_by_its_parameters() {
    let rows: Vec<_> = ALL.iter().copied().flatten().collect();
    for (at, row) in rows.iter().enumerate() {
        let mut others = rows[..at].iter().filter(|other| other.name == row.name);
        assert!(others.all(|other| other.parameters != row.parameters), "{row:?} is there twice");
    }
}

#[test]
fn a_uuid_is_new_each_time_and_sorts_by_time() {
    let text = "matches(uuid(), \"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$\")";
    assert_eq!(shown(text), "true");
    assert_eq!(shown("uuid() = uuid()"), "false");
    assert_eq!(shown("substring(uuid(), 1, 8) = substring(uuid(), 1, 8)"), "true");
}

#[test]
fn random_numbers_lie_between_zero_and_one() {
    let text = "every x in (for i in 1..1000 return random number()) satisfies x >= 0 and x < 1";
    assert_eq!(shown(text), "true");
    assert_eq!(shown("random number() = random number()"), "false");
}

#[test]
fn a_thousand_records_are_sorted_and_compared_within_the_limits() {
    for text in [
        "count(sort(for i in 1..1000 return {n: modulo(i * 7919, 1000)}, function(a, b) a.n < b.n))",
        "count(distinct values(for i in 1..20000 return {n: i, m: string(i)})) / 20",
        "count(split(string join(for i in 1..1000 return \"line \" + string(i), \"\\n\"), \"\\n\"))",
        "count((for i in 1..1000 return {n: i})[matches(string(n), \"[0-9]+\")])",
    ] {
        assert_eq!(shown(text), "1000", "{text}");
    }
}

/// A list or text ten times as long with each key, ten billion in the end.
fn tenfold(first: &str, grow: &str, last: &str) -> String {
    let steps = (1..=10).map(|step| grow.replace("NEW", &format!("k{step}")));
    let steps = steps.zip(0..10).map(|(step, old)| step.replace("OLD", &format!("k{old}")));
    let steps = steps.collect::<Vec<_>>().join(", ");
    format!("{{k0: {first}, {steps}, last: {}}}.last", last.replace("OLD", "k10"))
}

#[test]
fn nothing_grows_without_bound() {
    let ten = "[OLD, OLD, OLD, OLD, OLD, OLD, OLD, OLD, OLD, OLD]";
    let lists = &format!("NEW: {ten}");
    let texts = "NEW: replace(OLD, \"x\", \"xxxxxxxxxx\")";
    for text in [
        tenfold("[1]", lists, "flatten(OLD)"),
        tenfold("[1]", lists, "to json(OLD)"),
        tenfold("[1]", lists, "string(OLD)"),
        tenfold("[1]", lists, "distinct values(OLD)"),
        tenfold("[1]", lists, "list contains([OLD], [OLD, 1])"),
        tenfold("[1]", &format!("NEW: concatenate({ten})"), "count(OLD)"),
        tenfold("[1]", &format!("NEW: union({ten})").replace("union", "flatten"), "count(OLD)"),
        tenfold("\"x\"", &format!("NEW: string join({ten})"), "string length(OLD)"),
        tenfold("\"x\"", texts, "string length(OLD)"),
        tenfold("[1]", "NEW: to json(for i in 1..10 return OLD)", "string length(OLD)"),
    ] {
        let error = evaluated(&text).err();
        assert!(error.is_some_and(|error| error.contains("the expression")), "{text}");
    }
}

#[test]
fn costly_patterns_end_at_a_limit() {
    for text in [
        r#"extract(string join(for i in 1..60000 return "A"), ".*[^A-Z]|[A-Z]")"#,
        r#"for i in 1..2000 return matches("a", "(x{500}){10}" + string(i))"#,
        r#"for i in 1..2000 return matches("a", "b" + string(i))"#,
    ] {
        let error = evaluated(text).err();
        assert!(error.is_some_and(|error| error.contains("too many steps")), "{text}");
    }
}

#[test]
fn a_list_is_sorted_even_by_a_function_that_contradicts_itself() {
    assert_eq!(shown("count(sort(for i in 1..100 return i, function(a, b) true))"), "100");
    assert_eq!(
        shown("count(sort(for i in 1..100 return i, function(a, b) random number() < 0.5))"),
        "100"
    );
}
