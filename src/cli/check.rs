//! `check`: the configuration as `run` would read it, secrets and files included.

use std::{collections::BTreeSet, sync::Arc};

use super::{ConfigFile, Exit, Unusable, runtime, say, warn};
use crate::{
    clock::SystemClock,
    config::{Config, Environment},
    connector::{Connection, secret_names},
    inbound,
    ports::SecretProvider,
    secret_store::SecretStore,
    zeebe::{Gateway, RestClient},
};

/// Reports what `run` would refuse as mistakes, and what jobs would fail on as warnings.
pub(super) fn run(file: &ConfigFile) -> anyhow::Result<Exit> {
    let (config, environment) = file.read()?;
    // Clients want a runtime to be made in; they connect nowhere.
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let mut mistakes = clients(&config);
    let secrets = secrets(&config, environment).map_err(|error| mistakes.push(error)).ok();
    if let Some(inbound) = config.inbound.clone() {
        let read = inbound::check(inbound, secrets.clone(), Arc::new(SystemClock));
        mistakes.extend(read.err().map(|error| error.to_string()));
    }
    for (name, connection) in &config.connector.connections {
        let lines = secrets.as_ref().map(|secrets| missing(name, connection, &**secrets));
        lines.unwrap_or_default().iter().for_each(|line| warn(line));
    }
    if !mistakes.is_empty() {
        return Err(Unusable(mistakes.join("\n")).into());
    }
    say(&valid(&config));
    Ok(Exit::Done)
}

/// What stands against the clients of both sides: files that cannot be read, for instance.
fn clients(config: &Config) -> Vec<String> {
    let gateway = Gateway::new(&config.zeebe).err();
    // What both say of the cluster's settings is said once.
    let rest = if gateway.is_none() { RestClient::new(&config.zeebe).err() } else { None };
    let cluster = gateway.into_iter().chain(rest).map(|error| error.to_string());
    let http = config.http.mistakes().into_iter().map(|error| error.to_string());
    cluster.chain(http).collect()
}

fn secrets(config: &Config, environment: Environment) -> Result<Arc<dyn SecretProvider>, String> {
    let store = SecretStore::new(&config.secrets, environment.into_map());
    store.map(|store| Arc::new(store) as _).map_err(|error| error.to_string())
}

/// The secrets that every job of a connection would miss. `run` starts without them: a file
/// of the directory may still come.
fn missing(name: &str, connection: &Connection, secrets: &dyn SecretProvider) -> Vec<String> {
    let mut wanted = BTreeSet::new();
    for text in connection.authentication.texts() {
        secret_names(text, &mut wanted);
    }
    let why = |secret: &String| match secrets.secret(secret) {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!("secret '{secret}' is not known")),
        Err(error) => Some(error.to_string()),
    };
    let line = |why| format!("connections.{name}.auth: {why}: its jobs would fail");
    wanted.iter().filter_map(why).map(line).collect()
}

fn valid(config: &Config) -> String {
    let names: Vec<_> = config.connector.connections.keys().map(String::as_str).collect();
    let inbound = config.inbound.as_ref().map(|inbound| format!(", inbound on {}", inbound.listen));
    format!(
        "configuration is valid: gateway {}, connections {}{}",
        config.zeebe.address,
        if names.is_empty() { "none (inline instances only)".to_owned() } else { names.join(", ") },
        inbound.unwrap_or_default()
    )
}
