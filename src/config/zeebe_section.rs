//! `[zeebe]`: the gateway's address and credentials, under Camunda's own names.

use std::time::Duration;

use super::section::{Key, Section};
use crate::zeebe::{Authentication, Config, Oidc};

const ADDRESS: Key = Key::new("grpc_address").env(&[
    "CAMUNDA_CLIENT_GRPCADDRESS",
    "CAMUNDA_GRPC_ADDRESS",
    "ZEEBE_GRPC_ADDRESS",
    "ZEEBE_ADDRESS",
]);
const REST_ADDRESS: Key =
    Key::new("rest_address").env(&["CAMUNDA_CLIENT_RESTADDRESS", "CAMUNDA_REST_ADDRESS"]);
const INSECURE: Key =
    Key::new("insecure").env(&["CAMUNDA_INSECURE_CONNECTION", "ZEEBE_INSECURE_CONNECTION"]);
const CA_FILE: Key = Key::new("ca_file").env(&[
    "CAMUNDA_CLIENT_CACERTIFICATEPATH",
    "CAMUNDA_CA_CERTIFICATE_PATH",
    "ZEEBE_CA_CERTIFICATE_PATH",
]);
const AUTHORITY: Key =
    Key::new("authority").env(&["CAMUNDA_OVERRIDE_AUTHORITY", "ZEEBE_OVERRIDE_AUTHORITY"]);
const CLUSTER: Key =
    Key::new("cluster_id").env(&["CAMUNDA_CLIENT_CLOUD_CLUSTERID", "CAMUNDA_CLUSTER_ID"]);
const REGION: Key =
    Key::new("region").env(&["CAMUNDA_CLIENT_CLOUD_REGION", "CAMUNDA_CLUSTER_REGION"]);
const TENANTS: Key = Key::new("tenants").env(&[
    "CAMUNDA_CLIENT_WORKER_DEFAULTS_TENANTIDS",
    "CAMUNDA_DEFAULT_JOB_WORKER_TENANT_IDS",
    "ZEEBE_DEFAULT_JOB_WORKER_TENANT_IDS",
    "CAMUNDA_CLIENT_TENANTID",
    "CAMUNDA_DEFAULT_TENANT_ID",
    "ZEEBE_DEFAULT_TENANT_ID",
]);
const METHOD: Key =
    Key::new("method").env(&["CAMUNDA_CLIENT_AUTH_METHOD", "CAMUNDA_AUTH_STRATEGY"]);
const USERNAME: Key =
    Key::new("username").env(&["CAMUNDA_CLIENT_AUTH_USERNAME", "CAMUNDA_BASIC_AUTH_USERNAME"]);
const PASSWORD: Key =
    Key::new("password").env(&["CAMUNDA_CLIENT_AUTH_PASSWORD", "CAMUNDA_BASIC_AUTH_PASSWORD"]);
const CLIENT_ID: Key = Key::new("client_id").env(&[
    "CAMUNDA_CLIENT_AUTH_CLIENTID",
    "CAMUNDA_CLIENT_ID",
    "ZEEBE_CLIENT_ID",
]);
const CLIENT_SECRET: Key = Key::new("client_secret").env(&[
    "CAMUNDA_CLIENT_AUTH_CLIENTSECRET",
    "CAMUNDA_CLIENT_SECRET",
    "ZEEBE_CLIENT_SECRET",
]);
const TOKEN_URL: Key = Key::new("token_url").env(&[
    "CAMUNDA_CLIENT_AUTH_TOKENURL",
    "CAMUNDA_AUTHORIZATION_SERVER_URL",
    "CAMUNDA_OAUTH_URL",
    "ZEEBE_AUTHORIZATION_SERVER_URL",
]);
const AUDIENCE: Key = Key::new("audience").env(&[
    "CAMUNDA_CLIENT_AUTH_AUDIENCE",
    "CAMUNDA_TOKEN_AUDIENCE",
    "ZEEBE_TOKEN_AUDIENCE",
]);
const SCOPE: Key = Key::new("scope").env(&[
    "CAMUNDA_CLIENT_AUTH_SCOPE",
    "CAMUNDA_TOKEN_SCOPE",
    "ZEEBE_TOKEN_SCOPE",
]);

/// The token endpoint of Camunda's SaaS.
const CLOUD_TOKEN_URL: &str = "https://login.cloud.camunda.io/oauth/token";
/// The audience of Camunda's SaaS.
const CLOUD_AUDIENCE: &str = "zeebe.camunda.io";

/// Reads the gateway's settings, and the tenants.
pub(super) fn read(mut section: Section<'_>) -> (Config, Vec<String>) {
    let mut config = Config::default();
    let cloud = cloud_host(&mut section);
    let insecure = section.boolean(INSECURE);
    let given = section.text(ADDRESS).or_else(|| host_and_port(&section));
    if let Some(address) = given.or_else(|| cloud.clone()) {
        config.address = with_scheme(&address, insecure);
    }
    config.ca_file = section.text(CA_FILE).map(Into::into);
    config.authority = section.text(AUTHORITY);
    if let Some(pause) = keep_alive(&mut section) {
        config.keep_alive = pause;
    }
    let tenants = section.texts(TENANTS).unwrap_or_default();
    config.rest_address = section.text(REST_ADDRESS).map(|address| with_scheme(&address, insecure));
    let auth = section.section("auth");
    config.authentication = authentication(auth, cloud.is_some());
    section.finish();
    (config, tenants)
}

fn cloud_host(section: &mut Section<'_>) -> Option<String> {
    match (section.text(CLUSTER), section.text(REGION)) {
        (Some(cluster), Some(region)) => {
            Some(format!("https://{cluster}.{region}.zeebe.camunda.io:443"))
        }
        (Some(_), None) => {
            section.mistake("region", "is needed with cluster_id, e.g. \"bru-2\"");
            None
        }
        _ => None,
    }
}

fn host_and_port(section: &Section<'_>) -> Option<String> {
    let environment = section.environment();
    let host = environment.get("ZEEBE_HOST")?;
    Some(format!("{host}:{}", environment.get("ZEEBE_PORT").unwrap_or("26500")))
}

/// Camunda's variables give milliseconds, the file a duration.
fn keep_alive(section: &mut Section<'_>) -> Option<Duration> {
    let names = ["CAMUNDA_KEEP_ALIVE", "ZEEBE_KEEP_ALIVE"];
    let range = Duration::from_secs(30)..=Duration::from_hours(1);
    let in_file = section.duration(Key::new("keep_alive"), range.clone());
    let Some((name, text)) = section.environment().first(&names) else { return in_file };
    let pause = text.parse().map(Duration::from_millis).ok().filter(|pause| range.contains(pause));
    if pause.is_none() {
        section.mistake(
            "keep_alive",
            &format!("{name} is a number of milliseconds from 30000 to 3600000, not '{text}'"),
        );
    }
    pause
}

/// An address with a scheme. Without one it is plain on this machine, TLS elsewhere, unless
/// `insecure` decides.
fn with_scheme(address: &str, insecure: Option<bool>) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let plain = match scheme {
        "http" | "grpc" => true,
        "https" | "grpcs" => false,
        _ => insecure.unwrap_or_else(|| is_loopback(rest)),
    };
    format!("{}://{rest}", if plain { "http" } else { "https" })
}

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    None,
    Basic,
    Oidc,
}

fn authentication(mut section: Section<'_>, cloud: bool) -> Authentication {
    let words = [
        ("none", Method::None),
        ("basic", Method::Basic),
        ("oidc", Method::Oidc),
        ("oauth", Method::Oidc),
    ];
    let method = section.one_of(METHOD, &words);
    let (username, password) = (section.text(USERNAME), section.text(PASSWORD));
    let (client_id, client_secret) = (section.text(CLIENT_ID), section.text(CLIENT_SECRET));
    let token_url = section.text(TOKEN_URL).or(cloud.then(|| CLOUD_TOKEN_URL.to_owned()));
    let audience = section.text(AUDIENCE).or(cloud.then(|| CLOUD_AUDIENCE.to_owned()));
    let scope = section.text(SCOPE);
    let method = method.unwrap_or(match (&client_id, &username) {
        (Some(_), _) => Method::Oidc,
        (None, Some(_)) => Method::Basic,
        (None, None) => Method::None,
    });
    let need = |key: &str, value: Option<String>| {
        value.unwrap_or_else(|| {
            section.mistake(key, "is needed for this method of authentication");
            String::new()
        })
    };
    let authentication = match method {
        Method::None => Authentication::None,
        Method::Basic => Authentication::Basic {
            username: need("username", username),
            password: need("password", password).into(),
        },
        Method::Oidc => Authentication::Oidc(Oidc {
            token_url: need("token_url", token_url),
            client_id: need("client_id", client_id),
            client_secret: need("client_secret", client_secret).into(),
            audience,
            scope,
        }),
    };
    section.finish();
    authentication
}
