//! What expressions cost: `cargo bench --bench feel`.
//!
//! Four typical expressions over the result of one call, and loops over long lists of
//! records. Figures are medians of many rounds, printed, never asserted.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]
#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "prints rough figures")]
#![allow(clippy::disallowed_methods, reason = "measures time")]

use std::{hint::black_box, time::Instant};

use serde_json::{Value as Json, json};
use servicenow_worker::feel::{Environment, Expression, Value};

/// What modelers write as result and error expressions.
const TYPICAL: [(&str, &str); 4] = [
    ("pick", "={sysId: sysId, number: number}"),
    ("body path", "={id: response.body.result.sys_id, link: response.body.result.caller_id.link}"),
    ("decide", "=if response.status = 201 and record.state = \"1\" then \"new\" else record.state"),
    ("error code", "=error.code = \"403\""),
];

/// What modelers write over the records of a find.
const LOOPS: [(&str, &str); 5] = [
    ("for", "=for r in records return r.number"),
    ("filter", "=records[priority = \"1\"]"),
    ("filter, index", "=records[priority = \"1\"][-1].number"),
    ("path", "=records.number"),
    ("sum", "=sum(for r in records return number(r.reassignment_count))"),
];

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    let answer = answer();
    println!(
        "== typical, on a context of {} bytes (ns: parse, evaluate)",
        answer.to_string().len()
    );
    let input = Value::from(&answer);
    for (name, expression) in TYPICAL {
        let parse = nanoseconds(2_000, || Expression::parse(expression).unwrap());
        let parsed = Expression::parse(expression).unwrap();
        let evaluate = nanoseconds(20_000, || evaluated(&parsed, &input));
        println!("{name:<14} {parse:>8.0} {evaluate:>8.0}");
    }
    println!("context read   {:>8} {:>8.0}", "", nanoseconds(2_000, || Value::from(&answer)));

    println!("\n== loops over records (µs; the last column is ns a record)");
    println!("{:<14} {:>8} {:>8} {:>8} {:>16}", "", SIZES[0], SIZES[1], SIZES[2], "100 … 10,000");
    for (name, expression) in LOOPS {
        let parsed = Expression::parse(expression).unwrap();
        let times = SIZES.map(|size| {
            let input = Value::from(&records(size));
            nanoseconds(100_000 / size, || evaluated(&parsed, &input))
        });
        let each: Vec<_> = times.iter().zip(SIZES).map(|(time, size)| time / size as f64).collect();
        let [small, middle, large] = times.map(|time| time / 1_000.0);
        let [first, .., last] = each[..] else { unreachable!("three sizes") };
        println!("{name:<14} {small:>8.1} {middle:>8.1} {large:>8.0} {first:>7.0} … {last:.0}");
    }
}

fn evaluated(expression: &Expression, input: &Value) -> Value {
    let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
    expression.evaluate(input, &environment).unwrap().value
}

/// The median of eleven rounds, each divided by its number of calls.
fn nanoseconds<T>(calls: usize, mut call: impl FnMut() -> T) -> f64 {
    let mut rounds: Vec<f64> = (0..11)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            begin.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[5]
}

/// An incident as the Table API answers, under every name that a result expression sees.
fn answer() -> Json {
    let record = incident(1);
    json!({
        "outcome": "created", "sysId": "9d385017c611228701d22104cc95c371", "number": "INC0010001",
        "table": "incident", "record": record, "warnings": [],
        "error": {"code": "403", "reason": "SN_FORBIDDEN", "message": "Operation Failed"},
        "response": {"status": 201, "headers": {"content-type": "application/json;charset=UTF-8"},
            "body": {"result": record}},
    })
}

fn records(count: usize) -> Json {
    json!({"records": (0..count).map(incident).collect::<Vec<_>>()})
}

fn incident(number: usize) -> Json {
    json!({
        "sys_id": format!("{number:032x}"), "number": format!("INC{number:07}"), "state": "1",
        "priority": (number % 5 + 1).to_string(), "active": "true", "reassignment_count": "3",
        "short_description": "Printer on the third floor does not answer",
        "description": "It was switched off and on again, twice; the paper tray is full.",
        "opened_at": "2026-05-04 10:11:12", "sys_created_on": "2026-05-04 10:11:12",
        "sys_updated_on": "2026-05-04 10:11:12", "sys_mod_count": "0", "urgency": "2",
        "caller_id": {"link": "https://dev1.service-now.com/api/now/table/sys_user/6816f79cc0a8",
            "value": "6816f79cc0a8016401c5a33be04be441"},
        "assignment_group": {"link": "https://dev1.service-now.com/api/now/table/x/d625dccec0a8",
            "value": "d625dccec0a8016700a222a0f7900d06"},
        "category": "hardware", "impact": "2", "close_code": "", "close_notes": "",
    })
}
