//! `javascript:gs.…` in a query: the date and user functions that filters use. A script
//! that is not understood makes its condition invalid.

use jiff::civil::DateTime;

use super::{
    Scene,
    dates::{Unit, ceiling, floor, shift},
};
use crate::sandbox::time;

pub(super) const PREFIX: &str = "javascript:";

/// The value of an operand: a script's result, else the text itself.
pub(super) fn resolve(operand: &str, scene: &Scene<'_>) -> Option<String> {
    match operand.strip_prefix(PREFIX) {
        None => Some(operand.to_owned()),
        Some(script) => {
            let (name, arguments) = call(script)?;
            evaluate(name, &arguments, scene)
        }
    }
}

/// The function and its arguments.
pub(super) fn call(script: &str) -> Option<(&str, Vec<String>)> {
    let script = script.trim().trim_end_matches(';').trim_end();
    let (name, rest) = script.strip_prefix("gs.")?.split_once('(')?;
    let inner = rest.strip_suffix(')')?.trim();
    let unquoted = |argument: &str| argument.trim().trim_matches(['\'', '"']).to_owned();
    let arguments =
        if inner.is_empty() { Vec::new() } else { inner.split(',').map(unquoted).collect() };
    Some((name, arguments))
}

fn evaluate(name: &str, arguments: &[String], scene: &Scene<'_>) -> Option<String> {
    let now = scene.zone.to_datetime(scene.now);
    match name {
        "getUserID" => Some(scene.user_id.to_owned()),
        "getUserName" => Some(scene.user_name.to_owned()),
        "now" => Some(now.date().to_string()),
        "nowDateTime" => Some(time::text(now)),
        "nowNoTZ" => Some(time::raw(scene.now)),
        "dateGenerate" => generate(arguments, scene),
        _ => {
            let moment = ago(name, arguments, now).or_else(|| edge(name, now))?;
            time::to_raw(moment, scene.zone)
        }
    }
}

/// `gs.dateGenerate('2024-01-01','start')` and with a time of day.
fn generate(arguments: &[String], scene: &Scene<'_>) -> Option<String> {
    let [date, at] = arguments else { return None };
    let at = match at.as_str() {
        "start" => "00:00:00",
        "end" => "23:59:59",
        other => other,
    };
    time::to_raw(time::parse(&format!("{date} {at}"))?, scene.zone)
}

/// `daysAgo(n)`, `daysAgoStart(n)`, `daysAgoEnd(n)` and the like for other units.
fn ago(name: &str, arguments: &[String], now: DateTime) -> Option<DateTime> {
    let (unit, edge) = name.split_once("sAgo")?;
    let unit = Unit::parse(unit)?;
    let count: i64 = arguments.first()?.parse().ok()?;
    let moment = shift(now, unit, count.checked_neg()?)?;
    match edge {
        "" => Some(moment),
        "Start" => floor(moment, unit),
        "End" => ceiling(moment, unit),
        _ => None,
    }
}

/// `beginningOfToday()`, `endOfLastMonth()` and the like.
fn edge(name: &str, now: DateTime) -> Option<DateTime> {
    let (rest, is_end) = match (name.strip_prefix("beginningOf"), name.strip_prefix("endOf")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return None,
    };
    let (unit, distance) = match rest {
        "Today" => (Unit::Day, 0),
        "Yesterday" => (Unit::Day, -1),
        "Tomorrow" => (Unit::Day, 1),
        _ => {
            let steps = [("This", 0), ("Current", 0), ("Last", -1), ("Next", 1)];
            let (unit, distance) = steps
                .iter()
                .find_map(|(word, step)| rest.strip_prefix(word).map(|unit| (unit, *step)))?;
            (Unit::parse(&unit.to_ascii_lowercase())?, distance)
        }
    };
    let moment = shift(now, unit, distance)?;
    if is_end { ceiling(moment, unit) } else { floor(moment, unit) }
}
