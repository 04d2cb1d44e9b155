//! Results of FEEL as a broker of 8.8 keeps them in variables: whole numbers are integers,
//! dates, times and durations are texts, with the name of their zone.

use serde_json::{Map, Value as Json};

use crate::feel::{DateTime, Time, Value};

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
        Value::Time(time) => time_text(time).into(),
        Value::DateTime(moment) => moment_text(moment).into(),
        other => other.temporal_text().map_or_else(|| other.to_json(), Json::from),
    }
}

fn whole(json: Json) -> Json {
    let text = json.to_string();
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|digit| digit == b'0'));
    whole.and_then(|(whole, _)| whole.parse::<i64>().ok()).map_or(json, Json::from)
}

/// Without a zone, seconds that are none are left out.
fn time_text(time: &Time) -> String {
    let text = time.to_string();
    match text.strip_suffix(":00") {
        Some(short) if time.zone.is_none() && short.len() == 5 => short.to_owned(),
        _ => text,
    }
}

fn moment_text(moment: &DateTime) -> String {
    let name = moment.zone.as_ref().and_then(|zone| Some((zone, zone.name()?)));
    let Some((zone, name)) = name else { return moment.to_string() };
    let local = DateTime { zone: None, ..moment.clone() };
    let seconds = zone.offset.seconds();
    let (sign, left) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let offset = match (seconds, left % 60) {
        (0, _) => "Z".to_owned(),
        (_, 0) => format!("{sign}{:02}:{:02}", left / 3600, left / 60 % 60),
        (_, rest) => format!("{sign}{:02}:{:02}:{rest:02}", left / 3600, left / 60 % 60),
    };
    format!("{local}{offset}[{name}]")
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
            (r#"time("10:00:00")"#, r#""10:00""#),
            (r#"date and time("2030-01-31T10:00:00")"#, r#""2030-01-31T10:00:00""#),
            (
                r#"date and time("2030-01-31T10:00:05.25-01:30")"#,
                r#""2030-01-31T10:00:05.25-01:30""#,
            ),
            (
                r#"date and time("2030-07-31T10:00:00@Europe/Berlin")"#,
                r#""2030-07-31T10:00:00+02:00[Europe/Berlin]""#,
            ),
            (r#"duration("P1DT2H")"#, r#""P1DT2H""#),
        ];
        for (source, expected) in cases {
            let expression = Expression::parse(&format!("={source}")).unwrap();
            let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
            let evaluation = expression.evaluate(&Value::context([]), &environment).unwrap();
            assert_eq!(json(&evaluation.value).to_string(), expected, "{source}");
        }
    }
}
