//! Results of FEEL as a broker keeps them in variables: whole numbers are integers, dates
//! and times are texts as Java writes them, with the name of their zone.

use jiff::civil;
use serde_json::{Map, Value as Json};

use crate::feel::{DateTime, Value};

/// A result as JSON. Functions have none: as entries of an object they are left out.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::List(items) => items.iter().map(json).collect(),
        Value::Context(context) => {
            let entries = context.iter().filter(|(_, it)| !matches!(it, Value::Function(_)));
            let entries = entries.map(|(name, value)| (name.to_string(), json(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Number(_) => whole(value.to_json()),
        Value::Time(time) => time.to_string().into(),
        Value::DateTime(moment) => moment_text(moment).into(),
        other => other.to_json(),
    }
}

fn whole(json: Json) -> Json {
    let text = json.to_string();
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|digit| digit == b'0'));
    whole.and_then(|(whole, _)| whole.parse::<i64>().ok()).map_or(json, Json::from)
}

fn moment_text(moment: &DateTime) -> String {
    let zone = moment.zone.as_ref().map(|zone| match zone.name() {
        Some(name) => format!("{}[{name}]", offset(moment)),
        None => offset(moment),
    });
    let (day, time) = (moment.local.date(), moment.local.time());
    format!("{day}T{}{}", clock(time), zone.unwrap_or_default())
}

fn offset(moment: &DateTime) -> String {
    let seconds = moment.zone.as_ref().map_or(0, |zone| zone.offset.seconds());
    if seconds == 0 {
        return "Z".to_owned();
    }
    let (sign, left) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let text = format!("{sign}{:02}:{:02}", left / 3600, left / 60 % 60);
    if left % 60 == 0 { text } else { format!("{text}:{:02}", left % 60) }
}

/// Without seconds where there are none; fractions in groups of three digits.
fn clock(time: civil::Time) -> String {
    let (seconds, nanos) = (time.second(), time.subsec_nanosecond());
    let minutes = format!("{:02}:{:02}", time.hour(), time.minute());
    match (seconds, nanos) {
        (0, 0) => minutes,
        (_, 0) => format!("{minutes}:{seconds:02}"),
        _ => {
            let digits = format!("{nanos:09}");
            let zeros = digits.len() - digits.trim_end_matches('0').len();
            format!("{minutes}:{seconds:02}.{}", &digits[..9 - zeros / 3 * 3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feel::{Environment, Expression};

    #[test]
    fn results_are_kept_as_a_broker_keeps_them() {
        let cases = [
            ("2.0", "2"),
            ("[1.50, {a: 10 / 2, f: function(x) x}]", r#"[1.50,{"a":5}]"#),
            (r#"time("10:00:00Z")"#, r#""10:00:00Z""#),
            (r#"date and time("2030-01-31T10:00:00")"#, r#""2030-01-31T10:00""#),
            (
                r#"date and time("2030-01-31T10:00:05.25-01:30")"#,
                r#""2030-01-31T10:00:05.250-01:30""#,
            ),
            (
                r#"date and time("2030-07-31T10:00:00@Europe/Berlin")"#,
                r#""2030-07-31T10:00+02:00[Europe/Berlin]""#,
            ),
        ];
        for (source, expected) in cases {
            let expression = Expression::parse(&format!("={source}")).unwrap();
            let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
            let evaluation = expression.evaluate(&Value::context([]), &environment).unwrap();
            assert_eq!(json(&evaluation.value).to_string(), expected, "{source}");
        }
    }
}
