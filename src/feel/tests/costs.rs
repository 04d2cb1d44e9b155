//! No operation is cheaper than it is slow: the steps that are charged, not the time.

use serde_json::json;

use super::{NOW, evaluate};
use crate::connector::functions;
use crate::feel::ast::Expr;
use crate::feel::evaluate::Run;
use crate::feel::parse::parse;
use crate::feel::{Error, Value};

/// The steps that an evaluation takes, whatever it answers.
fn steps(text: &str) -> u64 {
    let environment = functions::environment(NOW.parse().unwrap());
    let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut run = Run::new(Value::from(json!({})), environment);
    let answer = run.whole(&parsed);
    assert!(!matches!(answer, Err(Error::Limit(_))), "{text:.200}: {answer:?}");
    run.budget().spent()
}

/// What is added to the steps by an operation on what the prelude prepares.
fn added(prelude: &str, operation: &str) -> u64 {
    let with = |last: &str| steps(&format!("{{{prelude}, r: {last}}}.r"));
    with(operation).saturating_sub(with("1"))
}

/// A text of this one, doubled so many times.
fn doubled(name: &str, text: &str, times: u32) -> String {
    let rounds = times + 1;
    format!(
        "{name}: (for z in 1..{rounds} return if z = 1 then \"{text}\" else partial[-1] + partial[-1])[-1]"
    )
}

#[test]
fn a_power_costs_what_its_multiplications_take() {
    for (power, least) in [
        ("1.23456789012345678 ** 900", 700),
        ("1.0000000000000001 ** 9223372036854775807", 7_000),
        ("1.0000000000000001 ** -9223372036854775807", 7_000),
        ("(-1) ** 9223372036854775807", 120),
        ("1.5 ** 0.5", 30),
        ("1.5 ** -1", 30),
    ] {
        assert!(steps(power) >= least, "{power}: {} steps", steps(power));
    }
    let of = |exponent: &str| steps(&format!("1.2345678901234567890123 ** {exponent}"));
    assert!(
        of("9223372036854775807") > 8 * of("200"),
        "{} {}",
        of("9223372036854775807"),
        of("200")
    );
    assert!(of("2") < 100, "{}", of("2"));
    let loops = "count(for i in 1..1000000 return 1.23456789012345678 ** 900)";
    assert!(evaluate(loops, &json!({})).unwrap_err().contains("too many steps"));
}

#[test]
fn arithmetic_of_decimals_costs_more_than_that_of_integers() {
    let wide = "1234567890123456789012345678901234567890123456789012345678901234567890123456";
    let decimals = "a: 1.234567890123456789012345678901234, b: 9.876543210987654321";
    assert!(added(&format!("a: {wide}"), "a * a") >= 90);
    for (operation, least) in [
        ("a * b", 8),
        ("a + b", 6),
        ("a - b", 6),
        ("a / b", 25),
        ("1 / 3", 25),
        ("modulo(a, b)", 10),
    ] {
        assert!(added(decimals, operation) >= least, "{operation}: {}", added(decimals, operation));
    }
    assert!(added("a: 9223372036854775807", "a * a") >= 8);
    for operation in ["a * a", "a + a", "a / a", "a - a"] {
        assert!(added("a: 7", operation) <= 3, "{operation}");
    }
}

#[test]
fn functions_of_numbers_cost_what_they_take() {
    let number = "a: 1.234567890123456789012345678901234";
    for operation in ["sqrt(a)", "log(a)", "exp(a)", "exp(-700.1)", "time(1, 2, a)"] {
        assert!(added(number, operation) >= 40, "{operation}");
    }
    for operation in ["floor(a)", "random number()", "string(a)", "now()", "date(a, a, a)"] {
        assert!(added(number, operation) >= 10, "{operation}");
    }
    let many = "l: for z in 1..1000 return z + 0.123456789012345678901234567890123";
    for (operation, least) in [
        ("sum(l)", 6_000),
        ("mean(l)", 6_000),
        ("stddev(l)", 40_000),
        ("median(l)", 18_000),
        ("min(l)", 2_000),
        ("l = l", 2_000),
        ("distinct values(l)", 14_000),
        ("duplicate values(l)", 14_000),
        ("union(l, l)", 28_000),
        ("string(l)", 10_000),
    ] {
        assert!(added(many, operation) >= least, "{operation}: {}", added(many, operation));
    }
    let digits = "9".repeat(60);
    let close_to_one = format!("l: for z in 1..1000 return 0.{digits}");
    assert!(added(&close_to_one, "product(l)") >= 50_000);
}

#[test]
fn functions_of_texts_cost_what_they_read() {
    let text = doubled("t", "éééé    ", 14);
    let bytes = 12 << 14;
    for (operation, share) in [
        ("string length(t)", 16),
        ("upper case(t)", 4),
        ("lower case(t)", 4),
        ("trim(t)", 16),
        ("is blank(t)", 16),
        ("contains(t, \"x\")", 16),
        ("from json(t)", 1),
        ("date(t)", 2),
        ("time(t)", 2),
        ("date and time(t)", 2),
        ("duration(t)", 2),
        ("max([t, t])", 64),
        ("matches(t, \"x\")", 32),
    ] {
        let (added, least) = (added(&text, operation), bytes / share);
        assert!(added >= least, "{operation}: {added} of {least}");
    }
    let zone = doubled("t", "11111111", 14);
    let moved = added(&zone, "date and time(@\"2026-01-01T00:00:00Z\", \"+\" + t)");
    assert!(moved >= 60_000, "{moved}");
}

#[test]
fn slow_patterns_cost_more_for_each_byte() {
    let text = doubled("t", "abbabaab", 12);
    let bytes = 8 << 12;
    for (pattern, places) in [
        ("a[ab]{200}c", 200),
        ("a(([ab]{10}){10}){3}c", 300),
        ("a[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]c", 12),
    ] {
        let spent = added(&text, &format!("matches(t, \"{pattern}\")"));
        assert!(spent >= bytes * places / 4, "{pattern}: {spent}");
    }
    let words = doubled("t", "éa é", 12);
    assert!(added(&words, r#"matches(t, "\\b[xa]yz\\b")"#) >= 6 << 12);
    // Each search for an `a` looks for a `b` in all that is left.
    let quadratic = doubled("t", "aaaaaaaa", 9);
    assert!(added(&quadratic, "extract(t, \"(?s)a.*b|a\")") >= (4096 * 4096 / 2) / 32);
    assert!(added(&quadratic, "replace(t, \"(a)(a)\", \"$2\")") >= 2048 * 150);
}

#[test]
fn keys_and_names_cost_what_it_takes_to_find_them() {
    let key = "k".repeat(3_000);
    let entries: Vec<_> = (0..40).map(|at| format!("\"{key}{at}\": 1")).collect();
    let wide = format!("c: {{{}}}", entries.join(", "));
    assert!(added("a: 1", &format!("{{{}}}.{key}1", entries.join(", "))) >= 40 * 90);
    assert!(added(&wide, "context merge(c, c)") >= 80 * 90);
    assert!(added(&wide, &format!("c.{key}39")) >= 100);
    assert!(added(&wide, &format!("get value(c, \"{key}39\")")) >= 100);
    let names: Vec<_> = (0..200).map(|at| format!("a{at}")).collect();
    let many = names.iter().map(|name| format!("{name}: 1")).collect::<Vec<_>>().join(", ");
    assert!(added(&many, &format!("function() {}", names.join(" + "))) >= 200 * 200 / 16);
    let function = format!("f: function({}) 1", names.join(", "));
    assert!(added(&function, &format!("f({many})")) >= 200 * 200 / 2);
    let iterators: Vec<_> = (0..100).map(|at| format!("x{at} in [1]")).collect();
    let rounds = added("a: 1", &format!("every i in 1..100, {} satisfies a", iterators.join(", ")));
    assert!(rounds >= 100 * 25, "{rounds}");
}

#[test]
fn a_function_takes_along_what_it_lacks_once_and_nothing_else() {
    let parsed = parse("function(a) [c, c, function(b) a + b + c + d, c]").unwrap();
    let Expr::Function(outer) = &parsed else { panic!("{parsed:?}") };
    assert_eq!(outer.free.iter().map(|name| &**name).collect::<Vec<_>>(), ["c", "d"]);
}

#[test]
fn honest_loops_over_ten_thousand_records_are_evaluated() {
    let records: Vec<_> = (0..10_000)
        .map(|at| {
            json!({
                "number": format!("INC{at:07}"), "amount": format!("{at}.25"), "state": at % 8,
                "opened": format!("2026-0{}-1{}T08:30:00Z", 1 + at % 9, at % 10),
                "text": "Printer on floor 3 is out of paper, please refill it.",
            })
        })
        .collect();
    let input = json!({"records": records});
    for text in [
        "sum(for r in records return number(r.amount) * 1.19)",
        "string join(for r in records return r.number + \": \" + string(r.state), \", \")",
        "count(records[date and time(opened) > date and time(\"2026-05-01T00:00:00Z\")])",
        "sum(for r in records return number(r.amount) ** 2)",
        "sum(for r in records return (number(r.amount) / 3 + 1.5) ** 3)",
        "count(distinct values(records.state))",
        "count(distinct values(records))",
        "count(for r in records return upper case(substring(r.text, 1, 10)))",
        "count(records[matches(number, \"^INC[0-9]{7}$\")])",
        "count(for r in records return replace(r.text, \"(\\w+) on (\\w+)\", \"$2\"))",
        "stddev(for r in records return number(r.amount))",
        "count(sort(records, function(a, b) a.number > b.number))",
        "count(for r in records return context merge(r, {seen: true}))",
        "count(for r in records return if contains(r.text, \"paper\") then 1 else 0)",
        "count(from json(to json(records)))",
    ] {
        if let Err(error) = evaluate(text, &input) {
            panic!("{text}: {error}");
        }
    }
}

#[test]
fn honest_searches_of_long_texts_are_evaluated() {
    let ids: Vec<_> = (0..5_000).map(|at| format!("{at:032x}")).collect();
    let html = "<p class=\"line\">Printer on floor 3</p>\n".repeat(5_000);
    let german = "Der Drucker druckt nicht mehr, bitte prüfen Sie ihn. ".repeat(15);
    let records: Vec<_> = (0..5_000).map(|_| json!({"text": german})).collect();
    let input = json!({"ids": ids.join(", "), "html": html, "records": records});
    for text in [
        "count(split(ids, \"\\s*,\\s*\"))",
        "string length(replace(html, \"<[^>]*>\", \"\"))",
        "count(extract(html, \"class=\\\"[^\\\"]*\\\"\"))",
        "count(records[contains(lower case(text), \"drucker\")])",
        "count(records[matches(text, \"INC[0-9]{7}\")])",
    ] {
        if let Err(error) = evaluate(text, &input) {
            panic!("{text}: {error}");
        }
    }
}
