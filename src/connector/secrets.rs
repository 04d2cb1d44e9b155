//! `{{secrets.NAME}}`: found, and replaced once.
//!
//! Replacement happens in parsed string leaves, never in JSON text, and what was put in is
//! never looked at again: a secret's value may hold any text. A secret that a connection is
//! configured with goes to that connection's instance alone, whoever names it, and one of the
//! inbound endpoint's goes nowhere. A name is any run of
//! characters but blanks and braces; blanks inside the braces are allowed.
#![deny(clippy::disallowed_types)]

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Config, Secrets};
use crate::{
    outcome::cut,
    servicenow::{Error, Instance, Reason},
};

/// The longest misspelt reference that is shown.
const MAX_SHOWN_BYTES: usize = 80;

/// One `{{secrets.NAME}}` in a text.
struct Reference<'a> {
    start: usize,
    end: usize,
    name: &'a str,
}

/// Adds the names of the secrets that a text refers to.
pub(crate) fn names_in_text(text: &str, names: &mut BTreeSet<String>) {
    let mut at = 0;
    while let Some(reference) = next_reference(text, at) {
        names.insert(reference.name.to_owned());
        at = reference.end;
    }
}

/// Adds the names of the secrets that a value's texts refer to.
pub(crate) fn names_in_value(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => names_in_text(text, names),
        Value::Array(items) => items.iter().for_each(|item| names_in_value(item, names)),
        Value::Object(map) => map.values().for_each(|item| names_in_value(item, names)),
        _ => {}
    }
}

/// The text with every reference replaced.
pub(crate) fn replace_in_text(text: &str, secrets: &Secrets) -> Result<String, Error> {
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(reference) = next_reference(text, at) {
        let secret = secrets.get(reference.name).ok_or_else(|| unknown(reference.name))?;
        replaced.push_str(&text[at..reference.start]);
        replaced.push_str(secret.expose_secret());
        at = reference.end;
    }
    replaced.push_str(&text[at..]);
    Ok(replaced)
}

/// Replaces every reference in a value's texts; keys stay.
pub(crate) fn replace_in_value(value: &mut Value, secrets: &Secrets) -> Result<(), Error> {
    match value {
        Value::String(text) if text.contains("{{") => {
            *text = replace_in_text(text, secrets)?;
            Ok(())
        }
        Value::Array(items) => {
            items.iter_mut().try_for_each(|item| replace_in_value(item, secrets))
        }
        Value::Object(map) => map.values_mut().try_for_each(|item| replace_in_value(item, secrets)),
        _ => Ok(()),
    }
}

/// Refuses to send a secret of the configuration's to an instance it is not meant for.
pub(crate) fn check_goal(
    secrets: &Secrets,
    instance: &Instance,
    config: &Config,
) -> Result<(), Error> {
    for name in secrets.keys() {
        let is_of = |text: &&str| refers_to(text, name);
        let mut owners = config
            .connections
            .iter()
            .filter(|(_, connection)| connection.authentication.texts().iter().any(is_of))
            .peekable();
        let owner = owners.peek().map(|(owner, _)| owner.as_str());
        if owners.any(|(_, connection)| connection.instance == *instance) {
            continue;
        }
        match owner {
            Some(owner) => return Err(bound(name, &format!("to connection '{owner}' alone"))),
            None if config.reserved_secrets.contains(name) => {
                return Err(bound(name, "to the inbound endpoint"));
            }
            None => {}
        }
    }
    Ok(())
}

fn refers_to(text: &str, name: &str) -> bool {
    let mut at = 0;
    while let Some(reference) = next_reference(text, at) {
        if reference.name == name {
            return true;
        }
        at = reference.end;
    }
    false
}

fn bound(name: &str, to_whom: &str) -> Error {
    let name = cut(name, 80);
    Error::new(
        Reason::InvalidInput,
        format!("secret '{name}' belongs {to_whom}: name that connection, or another secret"),
    )
}

fn unknown(name: &str) -> Error {
    Error::new(
        Reason::InvalidInput,
        format!(
            "secret '{}' is not known: define it where the worker reads its secrets, or correct \
             the name",
            cut(name, 80)
        ),
    )
}

/// That a text has something that is clearly meant for a reference, and would go out as it
/// stands: a credential that nobody knows.
pub(crate) fn misspelt(text: &str) -> Option<String> {
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        if let Some(reference) = reference_at(text, start) {
            at = reference.end;
        } else if let Some(rest) = behind_the_word(&text[start + 2..]) {
            return Some(no_placeholder(&text[start..], rest));
        } else {
            at = start + 1;
        }
    }
    None
}

/// What stands behind `secret` or `secrets` in some spelling, from the dot or the braces on.
fn behind_the_word(inside: &str) -> Option<&str> {
    const WORD: &str = "secret";
    let inside = inside.trim_start();
    let word = inside.get(..WORD.len())?;
    let rest = &inside[WORD.len()..];
    let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest).trim_start();
    let is_meant = rest.starts_with('.') || rest.starts_with("}}");
    (is_meant && word.eq_ignore_ascii_case(WORD)).then_some(rest)
}

/// Shows no more than the placeholder: around it may be a password.
fn no_placeholder(from: &str, rest: &str) -> String {
    let after_dot = rest.trim_start_matches('.').trim_start();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let length = after_dot.find(|c| !is_of_name(c)).unwrap_or(after_dot.len());
    let (name, behind) = after_dot.split_at(length);
    let end_of_name = from.len() - behind.len();
    let close = from.find("}}").filter(|close| *close < MAX_SHOWN_BYTES);
    let shown = &from[..close.map_or(end_of_name, |close| close + 2)];
    let is_name = !name.is_empty() && (close.is_none() || behind.trim_start().starts_with("}}"));
    let name = if is_name { cut(name, 80) } else { "NAME".to_owned() };
    format!("'{}' is no placeholder: write {{{{secrets.{name}}}}}", cut(shown, 80))
}

/// The first reference at or after `from`.
fn next_reference(text: &str, from: usize) -> Option<Reference<'_>> {
    let mut at = from;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        if let Some(reference) = reference_at(text, start) {
            return Some(reference);
        }
        // One brace only: in `{{{secrets.A}}` the reference starts at the second.
        at = start + 1;
    }
    None
}

fn reference_at(text: &str, start: usize) -> Option<Reference<'_>> {
    let inside = text[start + 2..].trim_start();
    let after_word = inside.strip_prefix("secrets.")?;
    let length = after_word
        .find(|c: char| c.is_whitespace() || matches!(c, '{' | '}'))
        .filter(|length| *length > 0)?;
    let (name, rest) = after_word.split_at(length);
    let rest = rest.trim_start().strip_prefix("}}")?;
    Some(Reference { start, end: text.len() - rest.len(), name })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Secrets, misspelt, names_in_value, replace_in_text, replace_in_value};

    fn secrets(pairs: &[(&str, &str)]) -> Secrets {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
    }

    fn replaced(text: &str) -> String {
        let known = secrets(&[("A", "one"), ("B-2/x.y", "two"), ("LOOP", "{{secrets.A}}")]);
        replace_in_text(text, &known).unwrap()
    }

    #[test]
    fn references_are_replaced_with_or_without_blanks() {
        for (text, expected) in [
            ("{{secrets.A}}", "one"),
            ("x {{ secrets.A }} y {{\tsecrets.B-2/x.y}}", "x one y two"),
            ("{{{secrets.A}}}", "{one}"),
            ("{{secrets.A}}{{secrets.A}}", "oneone"),
        ] {
            assert_eq!(replaced(text), expected);
        }
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in [
            "secrets.A",
            "{{secrets.}}",
            "{{secrets .A}}",
            "{{secret.A}}",
            "{{secrets.A",
            "{{secrets.A B}}",
            "{{ä}}",
            "{{",
            "",
        ] {
            assert_eq!(replaced(text), text);
        }
    }

    #[test]
    fn what_is_meant_for_a_reference_is_told_from_other_braces() {
        for (text, said) in [
            ("{{secret.PW}}", "'{{secret.PW}}' is no placeholder: write {{secrets.PW}}"),
            ("x {{ Secrets.PW }}", "'{{ Secrets.PW }}' is no placeholder: write {{secrets.PW}}"),
            ("{{secrets.A}}{{SECRET.B}}", "'{{SECRET.B}}' is no placeholder: write {{secrets.B}}"),
            ("{{secrets .A}}", "'{{secrets .A}}' is no placeholder: write {{secrets.A}}"),
            ("{{secrets.}}", "'{{secrets.}}' is no placeholder: write {{secrets.NAME}}"),
            ("{{secrets}}", "'{{secrets}}' is no placeholder: write {{secrets.NAME}}"),
            ("{{secrets.A B}}", "'{{secrets.A B}}' is no placeholder: write {{secrets.NAME}}"),
            ("{{secrets.A", "'{{secrets.A' is no placeholder: write {{secrets.A}}"),
            ("{{secrets.A}x9!", "'{{secrets.A' is no placeholder: write {{secrets.A}}"),
        ] {
            assert_eq!(misspelt(text).as_deref(), Some(said));
        }
        for text in [
            "{{secrets.A}}",
            "{{{secrets.A}}}",
            "{{ secrets.A }}",
            "p{{ss}}w",
            "{{",
            "}}",
            "{{name}}",
            "secret.A",
            "{secret.A}",
            "{{secretary.A}}",
            "{{secret",
            "{{my.secret.A}}",
            "{{s\u{e9}cret.A}}",
        ] {
            assert_eq!(misspelt(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_secret_holds_is_never_replaced_again() {
        assert_eq!(replaced("{{secrets.LOOP}}"), "{{secrets.A}}");
    }

    #[test]
    fn an_unknown_name_is_said() {
        let error = replace_in_text("{{secrets.NOPE}}", &Secrets::new()).unwrap_err();
        assert!(error.message.contains("'NOPE'"), "{}", error.message);
    }

    #[test]
    fn only_string_leaves_are_touched() {
        let mut value = json!({"{{secrets.A}}": [{"k": "{{secrets.A}}"}, 1, null]});
        let mut names = BTreeSet::new();
        names_in_value(&value, &mut names);
        assert_eq!(names, BTreeSet::from(["A".to_owned()]));
        replace_in_value(&mut value, &secrets(&[("A", "quote\" and {{brace")])).unwrap();
        assert_eq!(value, json!({"{{secrets.A}}": [{"k": "quote\" and {{brace"}, 1, null]}));
    }
}
