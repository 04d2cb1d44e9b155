//! Whether a rule can work, found out when it is set up rather than when it fires.

use axum::http::{HeaderName, HeaderValue};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    BusinessRule, Retry,
    authentication::web_address,
    change::{EVENT_FIELDS, is_known},
    template,
};
use crate::sandbox::{
    error::Error,
    query::{Query, Scene},
    schema::Table,
    store::Store,
};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The longest wait, as an instance allows.
const MAX_DELAY_MS: u64 = 86_400_000;

/// What makes a rule unusable with these tables.
pub(crate) fn check(rule: &BusinessRule, store: &Store, now: Timestamp) -> Result<(), Error> {
    let verdict = if rule.name.is_empty() {
        Err("name is empty: the log of deliveries needs one".to_owned())
    } else {
        record_side(rule, store, now).and_then(|table| wire_side(rule, store, table))
    };
    verdict.map_err(|what| Error::BusinessRule(rule.name.clone(), what))
}

/// Table, operations and conditions.
fn record_side<'a>(
    rule: &BusinessRule,
    store: &'a Store,
    now: Timestamp,
) -> Result<&'a Table, String> {
    let table = store.table(&rule.table);
    let table = table
        .ok_or_else(|| format!("table '{}' is not here: define it under $tables", rule.table))?;
    if rule.when.is_empty() {
        return Err("when is empty: name insert, update or delete".to_owned());
    }
    let scene = Scene { now, zone: &TimeZone::UTC, user_id: "", user_name: "" };
    if Query::parse(&rule.condition, store, table, &scene).has_invalid_part {
        let condition = &rule.condition;
        return Err(format!(
            "condition '{condition}' has a part that is not understood: use fields of \
             '{}' and operators of encoded queries (for what changes: changes)",
            rule.table
        ));
    }
    let unknown = rule.changes.iter().find(|field| table.column(field).is_none());
    if let Some(field) = unknown {
        return Err(format!("changes: table '{}' has no field '{field}'", rule.table));
    }
    let users = store.table("sys_user");
    if let (Some(login), Some(users)) = (&rule.unless_user, users)
        && store.lookup(users, "user_name", login).is_none_or(|found| found.is_empty())
    {
        return Err(format!("unlessUser: there is no user '{login}'"));
    }
    Ok(table)
}

/// What goes out and how.
fn wire_side(rule: &BusinessRule, store: &Store, table: &Table) -> Result<(), String> {
    if !METHODS.contains(&rule.method.as_str()) {
        return Err(format!("method '{}' is not known: use {}", rule.method, METHODS.join(", ")));
    }
    let filled = |text: &str| template::fill(text, &|_| "x".to_owned());
    check_names("url", &rule.url, store, table)?;
    web_address("url", &filled(&rule.url))?;
    check_names("idempotencyKey", &rule.idempotency_key, store, table)?;
    for (name, value) in &rule.headers {
        let field = format!("headers: {name}");
        check_names(&field, value, store, table)?;
        let fits = HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_str(&filled(value)).is_ok();
        if !fits {
            return Err(format!("{field} cannot be sent as a header: use ASCII"));
        }
    }
    for text in rule.body.iter().flat_map(template::texts) {
        check_names("body", text, store, table)?;
    }
    rule.authentication.check()?;
    rule.retry.as_ref().map_or(Ok(()), check_retry)
}

fn check_names(field: &str, text: &str, store: &Store, table: &Table) -> Result<(), String> {
    let names = template::names(text).map_err(|error| format!("{field}: {error}"))?;
    let Some(unknown) = names.into_iter().find(|name| !is_known(store, table, name)) else {
        return Ok(());
    };
    Err(format!(
        "{field}: '${{{unknown}}}' is not known: use a field of '{}', previous.field, \
         display.field or event with one of {}",
        table.name,
        EVENT_FIELDS.join(", ")
    ))
}

fn check_retry(retry: &Retry) -> Result<(), String> {
    if !(1..=100).contains(&retry.tries) {
        return Err(format!("retry: tries is {}: use 1 to 100", retry.tries));
    }
    match retry.delays_ms.iter().find(|delay| **delay > MAX_DELAY_MS) {
        Some(delay) => Err(format!("retry: delaysMs has {delay}: use at most {MAX_DELAY_MS}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{super::read_rules, check};
    use crate::sandbox::seed::Seed;

    /// What is said about a rule on incidents that differs in these members.
    fn verdict(members: Value) -> String {
        let seed = Seed::people().unwrap();
        let store = seed.plant("2026-03-02 12:00:00", fastrand::Rng::with_seed(1)).unwrap();
        let mut rule = json!({"name": "r", "table": "incident", "url": "http://127.0.0.1:1/"});
        let Value::Object(members) = members else { panic!("no members") };
        rule.as_object_mut().unwrap().extend(members);
        let rules = read_rules(&rule).unwrap();
        let verdict = check(&rules[0], &store, Timestamp::UNIX_EPOCH);
        verdict.map_or_else(|error| error.to_string(), |()| "good".to_owned())
    }

    #[test]
    fn what_can_work_is_taken() {
        for members in [
            json!({}),
            json!({"when": ["delete"], "condition": "state=6^ORpriority=1^caller_id.active=true"}),
            json!({"changes": ["state", "work_notes"], "unlessUser": "admin"}),
            json!({"url": "https://h:8/p/${sys_id}?n=${display.caller_id.company}"}),
            json!({"headers": {"X-By": "${event.user}"}, "idempotencyKey": ""}),
            json!({"body": {"a": ["${previous.state}", 1, null], "b": "${current.number}"}}),
            json!({"authentication": {"hmac": {"header": "x-mac", "key": "c2VjcmV0"}}}),
            json!({"retry": {"tries": 5, "delaysMs": [1, 86_400_000]}}),
        ] {
            assert_eq!(verdict(members.clone()), "good", "{members}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_field() {
        let webhook = json!({"authentication": {"standardWebhooks": {"secret": "whsec_%"}}});
        let token = json!({"clientCredentials":
            {"tokenUrl": "/token", "clientId": "a", "clientSecret": "b"}});
        for (members, part) in [
            (json!({"name": ""}), "name is empty"),
            (json!({"table": "u_nothing"}), "table 'u_nothing'"),
            (json!({"when": []}), "when is empty"),
            (json!({"condition": "stateVALCHANGES"}), "condition 'stateVALCHANGES'"),
            (json!({"condition": "u_nothing=1"}), "condition 'u_nothing=1'"),
            (json!({"changes": ["u_nothing"]}), "no field 'u_nothing'"),
            (json!({"unlessUser": "nobody"}), "no user 'nobody'"),
            (json!({"method": "post"}), "method 'post'"),
            (json!({"url": "127.0.0.1:80"}), "url"),
            (json!({"url": "ftp://h/"}), "begins with ftp"),
            (json!({"url": "http://h/${u_nothing}"}), "url: '${u_nothing}'"),
            (json!({"headers": {"a b": "c"}}), "headers: a b"),
            (json!({"headers": {"a": "b\nc"}}), "headers: a"),
            (json!({"body": [{"x": "${event.nothing}"}]}), "body: '${event.nothing}'"),
            (json!({"body": "${state"}), "is not closed"),
            (json!({"authentication": {"basic": {"user": "a:b", "password": ""}}}), "colon"),
            (json!({"authentication": {"hmac": {"header": "x", "key": "?"}}}), "base64"),
            (webhook, "base64"),
            (json!({ "authentication": token }), "tokenUrl"),
            (json!({"retry": {"tries": 0}}), "tries is 0"),
            (json!({"retry": {"delaysMs": [86_400_001]}}), "delaysMs has 86400001"),
        ] {
            let said = verdict(members.clone());
            assert!(said.starts_with("business rule '"), "{members}: {said}");
            assert!(said.contains(part), "{members}: {said}");
        }
    }
}
