//! `${name}` in a text is replaced by a value; nothing else is special.

use serde_json::Value;

const OPEN: &str = "${";

/// The text with each name replaced.
pub(super) fn fill(text: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        filled.push_str(before);
        if let Some((name, after)) = after.split_once('}') {
            filled.push_str(&value(name.trim()));
            rest = after;
        } else {
            filled.push_str(OPEN);
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// The JSON with the names in its texts replaced; names of members stay as they are.
pub(super) fn fill_json(json: &Value, value: &dyn Fn(&str) -> String) -> Value {
    match json {
        Value::String(text) => Value::String(fill(text, value)),
        Value::Array(items) => items.iter().map(|item| fill_json(item, value)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), fill_json(member, value))).collect()
        }
        other => other.clone(),
    }
}

/// The names in a text; an error when one is not closed.
pub(super) fn names(text: &str) -> Result<Vec<&str>, String> {
    let parts = text.split(OPEN).skip(1);
    parts
        .map(|part| match part.split_once('}') {
            Some((name, _)) => Ok(name.trim()),
            None => Err(format!("'{OPEN}{part}' is not closed: end it with a brace")),
        })
        .collect()
}

/// All texts in a JSON value.
pub(super) fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{fill, fill_json, names};

    fn shout(name: &str) -> String {
        name.to_uppercase()
    }

    #[test]
    fn names_are_replaced_once_and_the_rest_stays() {
        for (text, filled) in [
            ("", ""),
            ("plain $ { }", "plain $ { }"),
            ("${a}", "A"),
            ("<${ a }${b.c}>", "<AB.C>"),
            ("é${x}é", "éXé"),
            ("open ${a", "open ${a"),
        ] {
            assert_eq!(fill(text, &shout), filled, "{text}");
        }
        // What a value brings is no template.
        assert_eq!(fill("${a}", &|_| "${b}".to_owned()), "${b}");
    }

    #[test]
    fn json_is_filled_in_its_texts_only() {
        let json = r#"{"${a}":"${b}","n":1.50,"list":[true,null,"x${c}"]}"#;
        assert_eq!(
            fill_json(&serde_json::from_str(json).unwrap(), &shout).to_string(),
            r#"{"${a}":"B","n":1.50,"list":[true,null,"xC"]}"#
        );
    }

    #[test]
    fn names_are_listed_and_must_be_closed() {
        assert_eq!(names("${a} and ${ b.c }").unwrap(), ["a", "b.c"]);
        assert!(names("x").unwrap().is_empty());
        assert!(names("${a} ${b").unwrap_err().contains("'${b' is not closed"));
    }
}
