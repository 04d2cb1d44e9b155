//! The configuration: one TOML file and the environment, read together.
//!
//! The environment wins. Unknown keys are mistakes. Every mistake is found before the first
//! is reported, each with its key, what is wrong, and what to write instead.

use std::collections::BTreeSet;

use crate::{connector, inbound, management, secret_store, servicenow, telemetry, worker, zeebe};

mod connections;
mod environment;
mod inbound_section;
mod section;
mod zeebe_section;

#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use section::Mistakes;

use section::{Findings, Key, Section};

/// Everything `run` needs, each part in the words of its component.
#[derive(Debug)]
pub struct Config {
    /// The engine's gateway.
    pub zeebe: zeebe::Config,
    /// The worker.
    pub worker: worker::Config,
    /// Connections to ServiceNow and what jobs may do with them.
    pub connector: connector::Config,
    /// The HTTP client.
    pub http: servicenow::http::Config,
    /// Where secrets come from.
    pub secrets: secret_store::Config,
    /// The inbound endpoint, when there is to be one.
    pub inbound: Option<inbound::Config>,
    /// The operators' listener.
    pub management: management::Config,
    /// The log.
    pub log: telemetry::Config,
}

impl Config {
    /// Reads the file's text, when there is a file, and the environment.
    pub fn read(file: Option<&str>, environment: &Environment) -> Result<Self, Mistakes> {
        let findings = Findings::default();
        let table = match file.unwrap_or_default().parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                findings.add("file", error.to_string().trim_end());
                toml::Table::new()
            }
        };
        let reserved_secrets = secrets_of_the_endpoint(&table, &findings);
        let mut root = Section::root(table, environment, &findings);
        let instances = connections::read(&mut root);
        let secrets = secrets(&mut root.section("secrets"));
        let zeebe = root.section("zeebe");
        let (zeebe, tenants) = zeebe_section::read(zeebe);
        let inbound = inbound_section::read(&mut root, zeebe.rest_address.is_some());
        let (worker, namespace, max_outage) = worker(root.section("worker"), tenants);
        let (http, quota) = http(root.section("http"));
        let http = servicenow::http::Config { own_tls: instances.own_tls, ..http };
        let config = Self {
            zeebe,
            worker,
            connector: connector::Config {
                namespace,
                max_outage,
                connections: instances.connections,
                allowed_hosts: instances.allowed_hosts,
                secret_scope: secrets.1,
                reserved_secrets,
                max_search_bytes: http.max_response_bytes,
                call_times: connector::CallTimes {
                    call: http.call_timeout,
                    token: http.token_timeout,
                    quota: quota.unwrap_or(connector::CallTimes::default().quota),
                },
                ..connector::Config::default()
            },
            http,
            secrets: secrets.0,
            inbound,
            management: management(root.section("management")),
            log: log(root.section("log")),
        };
        root.finish();
        findings.into_result().map(|()| config)
    }
}

fn worker(
    mut section: Section<'_>,
    tenants: Vec<String>,
) -> (worker::Config, String, std::time::Duration) {
    let default = worker::Config::default();
    let rules = connector::Config::default();
    let max_jobs = Key::new("max_jobs_active").env(&[
        "CAMUNDA_CLIENT_WORKER_DEFAULTS_MAXJOBSACTIVE",
        "CAMUNDA_WORKER_MAX_CONCURRENT_JOBS",
    ]);
    let name =
        Key::new("name").env(&["CAMUNDA_CLIENT_WORKER_DEFAULTS_NAME", "CAMUNDA_WORKER_NAME"]);
    let stream = Key::new("stream").env(&[
        "CAMUNDA_CLIENT_WORKER_DEFAULTS_STREAMENABLED",
        "CAMUNDA_CLIENT_WORKER_STREAM_ENABLED",
    ]);
    let seconds =
        |from, to| std::time::Duration::from_secs(from)..=std::time::Duration::from_secs(to);
    let worker = worker::Config {
        name: section.text(name).unwrap_or(default.name),
        max_jobs_active: section
            .count(max_jobs, worker::MIN_JOBS_ACTIVE..=100_000)
            .unwrap_or(default.max_jobs_active),
        job_timeout: section
            .duration(Key::new("job_timeout"), seconds(5, 24 * 3600))
            .unwrap_or(default.job_timeout),
        stream: section.boolean(stream).unwrap_or(default.stream),
        poll_wait: section
            .duration(Key::new("poll_wait"), seconds(1, 300))
            .unwrap_or(default.poll_wait),
        stream_lifetime: section
            .duration(Key::new("stream_lifetime"), seconds(10, 7 * 24 * 3600))
            .unwrap_or(default.stream_lifetime),
        shutdown_grace: section
            .duration(Key::new("shutdown_grace"), seconds(0, 3600))
            .unwrap_or(default.shutdown_grace),
        tenants: if tenants.is_empty() { default.tenants } else { tenants },
        lease: section.boolean(Key::new("lease")).unwrap_or(default.lease),
    };
    let namespace = section.text(Key::new("namespace")).unwrap_or(rules.namespace);
    let max_outage = section
        .duration(Key::new("max_outage"), seconds(0, 30 * 24 * 3600))
        .unwrap_or(rules.max_outage);
    section.finish();
    (worker, namespace, max_outage)
}

/// The names of the secrets in `[inbound]`, wherever they stand in it.
fn secrets_of_the_endpoint(table: &toml::Table, findings: &Findings) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(section) = table.get("inbound") {
        let text = section.to_string();
        connector::secret_names(&text, &mut names);
        if let Some(what) = connector::misspelt_secret(&text) {
            findings.add("inbound", &what);
        }
    }
    names
}

fn secrets(section: &mut Section<'_>) -> (secret_store::Config, connector::SecretScope) {
    let default = secret_store::Config::default();
    let prefix =
        Key::new("env_prefix").env(&["CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT_PREFIX"]);
    let store = secret_store::Config {
        env_prefix: section.text(prefix).unwrap_or(default.env_prefix),
        directory: section.text(Key::new("directory")).map(Into::into).or(default.directory),
    };
    let scope = section
        .one_of(
            Key::new("scope"),
            &[
                ("credentials", connector::SecretScope::Credentials),
                ("inputs", connector::SecretScope::Inputs),
            ],
        )
        .unwrap_or(connector::SecretScope::Credentials);
    section.finish_ref();
    (store, scope)
}

/// The client's settings, and how long ServiceNow works on a request at most.
fn http(mut section: Section<'_>) -> (servicenow::http::Config, Option<std::time::Duration>) {
    let mut config = servicenow::http::Config::default();
    let seconds =
        |from, to| std::time::Duration::from_secs(from)..=std::time::Duration::from_secs(to);
    if let Some(time) = section.duration(Key::new("connect_timeout"), seconds(1, 60)) {
        config.connect_timeout = time;
    }
    if let Some(time) = section.duration(Key::new("call_timeout"), seconds(1, 600)) {
        config.call_timeout = time;
    }
    let quota = section.duration(Key::new("transaction_quota"), seconds(1, 3600));
    if let Some(bytes) = section.count(Key::new("max_response_bytes"), 1_024..=1 << 30) {
        config.max_response_bytes = bytes;
    }
    if let Some(file) = section.text(Key::new("ca_file")) {
        config.ca_file = Some(file.into());
    }
    if let Some(networks) = section.texts(Key::new("allowed_networks")) {
        config.allowed_networks = networks
            .iter()
            .filter_map(|text| {
                let read = text.parse::<servicenow::http::Network>();
                read.map_err(|error| section.mistake("allowed_networks", &error.to_string())).ok()
            })
            .collect();
    }
    if let Some(proxy) = section.text(Key::new("proxy")) {
        config.proxy = Some(proxy.into());
    }
    if let Some(hosts) = section.texts(Key::new("no_proxy")) {
        config.no_proxy = hosts.join(",");
    }
    section.finish();
    (config, quota)
}

fn management(mut section: Section<'_>) -> management::Config {
    let default = management::Config::default();
    let listen = section.text_or_empty(Key::new("listen").env(&["MANAGEMENT_LISTEN"]));
    let listen = listen.map_or(default.listen, |text| match text.as_str() {
        "" | "off" => None,
        address => address.parse().ok().or_else(|| {
            let what = format!("'{address}' is no address: write host:port, e.g. 127.0.0.1:9090");
            section.mistake("listen", &what);
            None
        }),
    });
    section.finish();
    management::Config { listen }
}

fn log(mut section: Section<'_>) -> telemetry::Config {
    let default = telemetry::Config::default();
    let formats = [("text", telemetry::Format::Text), ("json", telemetry::Format::Json)];
    let format = section.one_of(Key::new("format").env(&["LOG_FORMAT"]), &formats);
    let filter = section.text(Key::new("filter").env(&["RUST_LOG", "LOG_FILTER"]));
    if let Some(Err(error)) = filter.as_deref().map(telemetry::Config::check_filter) {
        section.mistake("filter", &format!("is no log filter: {error}"));
    }
    section.finish();
    telemetry::Config {
        format: format.unwrap_or(default.format),
        filter: filter.unwrap_or(default.filter),
    }
}
