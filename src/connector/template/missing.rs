//! What to say about a name that a template's data does not have.
#![deny(clippy::disallowed_types)]

use serde_json::{Map, Value};

use crate::{connector::input::kind_of, feel::nearest, outcome::cut};

/// Of the names that are there: what is looked at, and what is shown.
const MAX_NAMES: usize = 1_000;
const MAX_SHOWN_CHARS: usize = 200;

/// The name, the names that stand in its place, and the one that may have been meant.
pub(super) fn described(path: Option<&str>, data: &Value) -> String {
    let Some(path) = path else { return "a name is not in the data".to_owned() };
    let said = format!("'{}' is not in the data", cut(path, 80));
    match deepest(path, data) {
        Some((within, name, Value::Object(map))) => {
            format!("{said}, {}", beside(within, name, map))
        }
        Some((within, _, other)) if !within.is_empty() => {
            format!("{said}, whose '{}' is a {}", cut(within, 80), kind_of(other))
        }
        _ => said,
    }
}

/// The last part of the path that the data has, with its value, and the name that it lacks.
/// Names inside of blocks may be the data's too, but those that lead to the outside are not.
fn deepest<'a>(path: &'a str, data: &'a Value) -> Option<(&'a str, &'a str, &'a Value)> {
    let (mut at, mut value) = (0, data);
    loop {
        let rest = &path[at..];
        let name = rest.split(['.', '/']).next().filter(|name| !name.is_empty())?;
        match value.get(name) {
            None => return Some((path[..at].trim_end_matches(['.', '/']), name, value)),
            Some(_) if name.len() == rest.len() => return None,
            Some(inner) => {
                value = inner;
                at += name.len() + 1;
            }
        }
    }
}

fn beside(within: &str, name: &str, map: &Map<String, Value>) -> String {
    let names: Vec<&str> = map.keys().take(MAX_NAMES).map(String::as_str).collect();
    let place = match within {
        "" => "which".to_owned(),
        within => format!("whose '{}'", cut(within, 80)),
    };
    if names.is_empty() {
        return format!("{place} is empty");
    }
    let near = nearest(name, names.iter().copied());
    let near = near.map(|near| format!(": did you mean '{}'?", cut(near, 80)));
    format!("{place} has {}{}", cut(&names.join(", "), MAX_SHOWN_CHARS), near.unwrap_or_default())
}
