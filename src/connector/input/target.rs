//! Where a job goes and who it is there: a configured connection, or an instance of its own.
#![deny(clippy::disallowed_types)]

use serde_json::Value;

use super::{invalid, text_in, wrong};
use crate::{
    connector::{
        AuthenticationTemplate, Config, Connection, IdentityRule, OnMismatch, Secrets, TableRules,
        secrets,
    },
    job::Variables,
    outcome::cut,
    servicenow::{Authentication, Chooser, Endpoint, Error, Instance, endpoint::INLINE},
};

/// A resolved goal: instance, credentials with secrets in place, rights.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) connection: String,
    pub(crate) instance: Instance,
    pub(crate) authentication: Authentication,
    pub(crate) max_concurrency: usize,
    pub(crate) tables: TableRules,
    pub(crate) on_mismatch: OnMismatch,
    pub(crate) identity: Vec<IdentityRule>,
    pub(crate) journal_fields: Vec<String>,
    chosen_by: Chooser,
}

impl Target {
    /// Reads `connection`, or else the instance and `authentication`. A connection that is
    /// named wins: a variable called `instance` may come from anywhere in the process.
    pub(crate) fn read(
        variables: &Variables,
        config: &Config,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        match (text_in(variables, "connection")?, instance_in(variables)?) {
            (None, Some(instance)) => Self::inline(instance, variables, config, secrets),
            (name, _) => Self::configured(name.unwrap_or("default"), config, secrets),
        }
    }

    fn configured(name: &str, config: &Config, secrets: &Secrets) -> Result<Self, Error> {
        let connection = config.connections.get(name).ok_or_else(|| unknown(name, config))?;
        let authentication =
            connection.authentication.resolve(|text| secrets::replace_in_text(text, secrets))?;
        Ok(Self {
            connection: name.to_owned(),
            instance: connection.instance.clone(),
            authentication,
            max_concurrency: connection.max_concurrency,
            tables: connection.tables.clone(),
            on_mismatch: connection.on_mismatch,
            identity: connection.identity.clone(),
            journal_fields: connection.journal_fields.clone(),
            chosen_by: Chooser::Connection(name.to_owned()),
        })
    }

    fn inline(
        text: &str,
        variables: &Variables,
        config: &Config,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        let allow_http = config.connections.values().any(|known| {
            known.allow_http && Instance::parse(text, true).is_ok_and(|i| i == known.instance)
        });
        let instance = Instance::parse(text, allow_http)
            .map_err(|error| invalid(format!("instance: {error}")))?;
        if !config.allows_host(instance.host()) {
            return Err(invalid(format!(
                "instance: host '{}' is not allowed: add it to the worker's allowed hosts, or use \
                 a configured connection",
                cut(instance.host(), 120)
            )));
        }
        let given = variables.get("authentication").cloned().unwrap_or(Value::Null);
        // The rules of a configured instance hold for it whatever way it is named.
        let known = config.connections.iter().find(|(_, known)| known.instance == instance);
        let chosen_by = match known {
            Some((name, _)) => Chooser::Connection(name.clone()),
            None if config.writes_out(&instance) => Chooser::AllowedHosts,
            None => Chooser::Job,
        };
        let known = known.map(|(_, connection)| connection);
        let template =
            AuthenticationTemplate::try_from(given).map_err(|error| invalid(error.to_string()))?;
        let authentication = template.resolve(|text| secrets::replace_in_text(text, secrets))?;
        Ok(Self {
            connection: INLINE.to_owned(),
            instance,
            authentication,
            max_concurrency: known
                .map_or(Connection::DEFAULT_CONCURRENCY, |connection| connection.max_concurrency),
            tables: known.map(|connection| connection.tables.clone()).unwrap_or_default(),
            on_mismatch: known.map(|connection| connection.on_mismatch).unwrap_or_default(),
            identity: known.map(|connection| connection.identity.clone()).unwrap_or_default(),
            journal_fields: known
                .map(|connection| connection.journal_fields.clone())
                .unwrap_or_default(),
            chosen_by,
        })
    }

    /// The endpoint for the transport.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            connection: self.connection.clone(),
            instance: self.instance.clone(),
            authentication: self.authentication.clone(),
            max_concurrency: self.max_concurrency,
            chosen_by: self.chosen_by.clone(),
        }
    }
}

/// The instance of the job's own: `authentication.instance`, or `instance` from elsewhere than
/// an input mapping, since engines refuse a reserved word of FEEL as an input's name.
fn instance_in(variables: &Variables) -> Result<Option<&str>, Error> {
    let beside = variables.get("authentication").and_then(|given| given.get("instance"));
    let text = match beside {
        None | Some(Value::Null) => return text_in(variables, "instance"),
        Some(Value::String(text)) => text.trim(),
        Some(other) => return Err(wrong("authentication.instance", other, "text")),
    };
    if text.is_empty() { text_in(variables, "instance") } else { Ok(Some(text)) }
}

/// The name of the connection a job means, for logs; nothing is checked.
pub(crate) fn connection_name(variables: &Variables) -> &str {
    let text = |name: &str| {
        variables.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    };
    match (text("connection"), instance_in(variables)) {
        (None, Ok(Some(_))) => INLINE,
        (name, _) => name.unwrap_or("default"),
    }
}

/// The texts of the credentials that a job will use, for the search for secret names.
pub(crate) fn credential_texts(variables: &Variables, config: &Config) -> Vec<Value> {
    match connection_name(variables) {
        INLINE if !config.connections.contains_key(INLINE) => {
            variables.get("authentication").cloned().into_iter().collect()
        }
        name => config.connections.get(name).map_or_else(Vec::new, |connection| {
            connection.authentication.texts().into_iter().map(Value::from).collect()
        }),
    }
}

fn unknown(name: &str, config: &Config) -> Error {
    let known: Vec<&str> = config.connections.keys().map(String::as_str).collect();
    let known = if known.is_empty() {
        "the worker has none: configure one, or give instance and authentication".to_owned()
    } else {
        format!("use one of {}", known.join(", "))
    };
    invalid(format!("connection '{}' is not known: {known}", cut(name, 80)))
}
