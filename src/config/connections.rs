//! `[connections.<name>]`, and `default` from the environment alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::section::{Key, Section};
use crate::{
    connector::{
        AuthenticationTemplate, Connection, HostPattern, IdentityRule, OnMismatch, TableRules,
    },
    servicenow::{Instance, encoded_query::is_field_name, http::OwnTls},
    tls::Identity,
};

/// The connection that the environment describes.
const DEFAULT: &str = "default";

const ON_MISMATCH: [(&str, OnMismatch); 2] =
    [("fail", OnMismatch::Fail), ("patch", OnMismatch::Patch)];

/// Connections with their TLS, and the hosts that jobs may name themselves.
pub(super) struct Instances {
    pub(super) connections: BTreeMap<String, Connection>,
    pub(super) allowed_hosts: Vec<HostPattern>,
    pub(super) own_tls: Vec<OwnTls>,
}

/// Reads all of them.
pub(super) fn read(root: &mut Section<'_>) -> Instances {
    let allowed_hosts = allowed_hosts(root);
    let mut sections: BTreeMap<String, Section<'_>> =
        root.section("connections").named_sections().into_iter().collect();
    if !sections.contains_key(DEFAULT) && root.environment().get("SERVICENOW_INSTANCE").is_some() {
        sections.insert(DEFAULT.to_owned(), root.empty(&format!("connections.{DEFAULT}")));
    }
    let mut own_tls = Vec::new();
    let connections = sections
        .into_iter()
        .filter_map(|(name, mut section)| {
            let from_environment = name == DEFAULT;
            let connection = connection(&mut section, from_environment);
            own_tls.extend(tls(&name, &mut section));
            section.finish();
            Some((name, connection?))
        })
        .collect();
    Instances { connections, allowed_hosts, own_tls }
}

fn allowed_hosts(root: &mut Section<'_>) -> Vec<HostPattern> {
    let Some(patterns) = root.texts(Key::new("allowed_hosts")) else {
        return HostPattern::defaults();
    };
    let read = |pattern: String| match HostPattern::parse(&pattern) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            root.mistake("allowed_hosts", &error.to_string());
            None
        }
    };
    patterns.into_iter().filter_map(read).collect()
}

fn connection(section: &mut Section<'_>, from_environment: bool) -> Option<Connection> {
    let key = Key::new("instance");
    let key = if from_environment { key.env(&["SERVICENOW_INSTANCE"]) } else { key };
    let allow_http = section.boolean(Key::new("allow_http")).unwrap_or(false);
    let instance = section.text(key);
    if instance.is_none() {
        section.mistake("instance", "is missing: name the ServiceNow instance, e.g. \"dev12345\"");
    }
    let instance = instance.and_then(|text| {
        let read = Instance::parse(&text, allow_http);
        read.map_err(|error| section.mistake("instance", &error.to_string())).ok()
    });
    let authentication = authentication(section, from_environment);
    let max_concurrency = section.count(Key::new("max_concurrency"), 1..=10_000);
    let tables = tables(section.section("tables"));
    let on_mismatch = section.one_of(Key::new("on_mismatch"), &ON_MISMATCH);
    let identity = identity(section.section("identity"));
    let journal_fields = journal_fields(section);
    Some(Connection {
        max_concurrency: max_concurrency.unwrap_or(Connection::DEFAULT_CONCURRENCY),
        tables,
        allow_http,
        on_mismatch: on_mismatch.unwrap_or_default(),
        identity,
        journal_fields,
        ..Connection::new(instance?, authentication?)
    })
}

/// Whom the connection trusts and what it shows, where that is its own.
fn tls(name: &str, section: &mut Section<'_>) -> Option<OwnTls> {
    let ca_file = section.text(Key::new("ca_file")).map(Into::into);
    let certificate = section.text(Key::new("client_certificate_file"));
    let key = section.text(Key::new("client_key_file"));
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate_file: certificate.into(), key_file: key.into() })
        }
        (None, None) => None,
        (Some(_), None) => {
            section.mistake("client_key_file", "is missing: a certificate needs its key");
            None
        }
        (None, Some(_)) => {
            section.mistake("client_certificate_file", "is missing: a key needs its certificate");
            None
        }
    };
    let is_own = ca_file.is_some() || identity.is_some();
    is_own.then(|| OwnTls { connection: name.to_owned(), ca_file, identity })
}

fn authentication(
    section: &mut Section<'_>,
    from_environment: bool,
) -> Option<AuthenticationTemplate> {
    let mut given = section.value("auth");
    if from_environment {
        given = authentication_of_the_environment(section).or(given);
    }
    let Some(value) = given else {
        section
            .mistake("auth", "is missing, e.g. { type = \"basic\", username = …, password = … }");
        return None;
    };
    let read = AuthenticationTemplate::try_from(value);
    read.map_err(|error| section.mistake("auth", &error.to_string())).ok()
}

/// The kind follows from what is set.
fn authentication_of_the_environment(section: &Section<'_>) -> Option<Value> {
    let get = |name: &str| section.environment().get(name).map(str::to_owned);
    let (username, password) = (get("SERVICENOW_USERNAME"), get("SERVICENOW_PASSWORD"));
    let (client, secret) = (get("SERVICENOW_CLIENT_ID"), get("SERVICENOW_CLIENT_SECRET"));
    let scope = get("SERVICENOW_SCOPE");
    if let Some(client) = client {
        let kind = if username.is_some() { "oauthPassword" } else { "oauthClientCredentials" };
        return Some(json!({
            "type": kind, "clientId": client, "clientSecret": secret, "scope": scope,
            "username": username, "password": password,
        }));
    }
    if let Some(token) = get("SERVICENOW_TOKEN") {
        return Some(json!({"type": "bearer", "token": token}));
    }
    if let Some(key) = get("SERVICENOW_API_KEY") {
        return Some(json!({"type": "apiKey", "key": key}));
    }
    username.map(|name| json!({"type": "basic", "username": name, "password": password}))
}

fn tables(mut section: Section<'_>) -> TableRules {
    let default = TableRules::default();
    let rules = TableRules {
        read: section.texts(Key::new("read")).unwrap_or(default.read),
        write: section.texts(Key::new("write")).unwrap_or(default.write),
    };
    section.finish();
    rules
}

fn journal_fields(section: &mut Section<'_>) -> Vec<String> {
    let names = section.texts(Key::new("journal_fields")).unwrap_or_default();
    for name in &names {
        if !is_field_name(name) || name.contains('.') {
            let what = format!("'{name}' is no field: use its name, not its label");
            section.mistake("journal_fields", &what);
        }
    }
    names
}

fn identity(mut section: Section<'_>) -> Vec<IdentityRule> {
    section.named_sections().into_iter().filter_map(|(name, part)| rule(&name, part)).collect()
}

fn rule(tables: &str, mut section: Section<'_>) -> Option<IdentityRule> {
    let field = section.text(Key::new("field"));
    let honours_sys_id = section.boolean(Key::new("honours_sys_id")).unwrap_or(true);
    section.finish_ref();
    let rule = IdentityRule::new(tables, field.as_deref(), honours_sys_id);
    rule.map_err(|error| section.mistake_in_all(&error.to_string())).ok()
}
