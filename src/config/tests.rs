use std::time::Duration;

use super::*;
use crate::{connector::AuthenticationTemplate, zeebe::Authentication};

fn read(file: &str, environment: &Environment) -> Config {
    Config::read(Some(file), environment).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(file: &str, environment: &Environment) -> Vec<String> {
    let mistakes = Config::read(Some(file), environment).unwrap_err();
    mistakes.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn nothing_configured_is_a_valid_worker_for_inline_instances() {
    let config = Config::read(None, &Environment::default()).unwrap();
    assert_eq!(config.zeebe.address, "http://127.0.0.1:26500");
    assert_eq!(config.worker, worker::Config::default());
    assert!(config.connector.connections.is_empty());
}

#[test]
fn the_environment_alone_describes_the_default_connection() {
    let environment = Environment::from([
        ("SERVICENOW_INSTANCE", "dev12345"),
        ("SERVICENOW_USERNAME", "worker"),
        ("SERVICENOW_PASSWORD", "{{secrets.SN}}"),
    ]);
    let config = Config::read(None, &environment).unwrap();
    let connection = &config.connector.connections["default"];
    assert_eq!(connection.instance.base_url(), "https://dev12345.service-now.com");
    assert!(matches!(connection.authentication, AuthenticationTemplate::Basic { .. }));
    assert_eq!(connection.max_concurrency, 16);
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "[zeebe]\ngrpc_address = \"https://file.example:443\"\n[worker]\nstream = true";
    let environment = Environment::from([
        ("ZEEBE_ADDRESS", "localhost:26500"),
        ("CAMUNDA_GRPC_ADDRESS", "http://10.0.0.1:26500"),
        ("CAMUNDA_CLIENT_WORKER_DEFAULTS_STREAMENABLED", "false"),
    ]);
    let config = read(file, &environment);
    assert_eq!(config.zeebe.address, "http://10.0.0.1:26500");
    assert!(!config.worker.stream);
}

#[test]
fn an_address_without_scheme_is_plain_on_this_machine_and_tls_elsewhere() {
    let address = |pairs: [(&str, &str); 2]| {
        Config::read(None, &Environment::from(pairs)).unwrap().zeebe.address
    };
    let insecure = "ZEEBE_INSECURE_CONNECTION";
    assert_eq!(
        address([("ZEEBE_ADDRESS", "localhost:26500"), ("X", "")]),
        "http://localhost:26500"
    );
    assert_eq!(
        address([("ZEEBE_ADDRESS", "zeebe.example:443"), ("X", "")]),
        "https://zeebe.example:443"
    );
    assert_eq!(
        address([("ZEEBE_ADDRESS", "zeebe:26500"), (insecure, "true")]),
        "http://zeebe:26500"
    );
    assert_eq!(address([("ZEEBE_HOST", "127.0.0.1"), ("ZEEBE_PORT", "1")]), "http://127.0.0.1:1");
    assert_eq!(address([("ZEEBE_ADDRESS", "grpcs://z:1"), ("X", "")]), "https://z:1");
}

#[test]
fn a_cloud_cluster_needs_only_its_id_region_and_client() {
    let environment = Environment::from([
        ("CAMUNDA_CLUSTER_ID", "abc"),
        ("CAMUNDA_CLUSTER_REGION", "bru-2"),
        ("ZEEBE_CLIENT_ID", "id"),
        ("ZEEBE_CLIENT_SECRET", "secret"),
    ]);
    let config = Config::read(None, &environment).unwrap();
    assert_eq!(config.zeebe.address, "https://abc.bru-2.zeebe.camunda.io:443");
    let Authentication::Oidc(oidc) = config.zeebe.authentication else { panic!("no OAuth") };
    assert_eq!(oidc.token_url, "https://login.cloud.camunda.io/oauth/token");
    assert_eq!(oidc.audience.as_deref(), Some("zeebe.camunda.io"));
}

#[test]
fn every_section_is_read() {
    let file = r#"
        allowed_hosts = ["*.example.com"]
        [zeebe]
        tenants = ["a", "b"]
        keep_alive = "60s"
        [zeebe.auth]
        method = "basic"
        username = "demo"
        password = "demo"
        [worker]
        namespace = "prod-1"
        max_jobs_active = 200
        job_timeout = "PT2M"
        max_outage = "1h"
        [connections.hr]
        instance = "https://hr.example.com"
        auth = { type = "apiKey", key = "{{secrets.KEY}}" }
        max_concurrency = 4
        tables = { read = ["*"], write = ["x_hr_*"] }
        journal_fields = ["u_log"]
        ca_file = "/etc/hr/ca.pem"
        client_certificate_file = "/etc/hr/cert.pem"
        client_key_file = "/etc/hr/key.pem"
        [http]
        allowed_networks = ["10.0.0.0/8", "fd00::/8"]
        call_timeout = "30s"
        transaction_quota = "5m"
        [secrets]
        directory = "/run/secrets"
        scope = "inputs"
        [management]
        listen = ""
        [log]
        format = "json"
    "#;
    let config = read(file, &Environment::default());
    assert_eq!(config.worker.tenants, ["a", "b"]);
    assert_eq!(config.worker.job_timeout, Duration::from_mins(2));
    assert_eq!(config.connector.namespace, "prod-1");
    assert_eq!(config.connector.max_outage, Duration::from_hours(1));
    assert_eq!(config.connector.connections["hr"].tables.write, ["x_hr_*"]);
    assert_eq!(config.connector.connections["hr"].journal_fields, ["u_log"]);
    assert_eq!(config.connector.secret_scope, connector::SecretScope::Inputs);
    let times = config.connector.call_times;
    assert_eq!((times.call, times.quota), (Duration::from_secs(30), Duration::from_mins(5)));
    let own = &config.http.own_tls[0];
    assert_eq!(
        (own.connection.as_str(), own.ca_file.as_deref()),
        ("hr", Some("/etc/hr/ca.pem".as_ref()))
    );
    assert_eq!(own.identity.as_ref().unwrap().key_file, std::path::Path::new("/etc/hr/key.pem"));
    let networks: Vec<_> = config.http.allowed_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "fd00::/8"]);
    assert_eq!(config.http.call_timeout, Duration::from_secs(30));
    assert_eq!(config.management.listen, None);
    assert_eq!(config.log.format, telemetry::Format::Json);
}

#[test]
fn all_mistakes_are_reported_together_with_key_and_remedy() {
    let file = r#"
        colour = "blue"
        [zeebe.auth]
        method = "magic"
        [worker]
        max_jobs_active = 1
        job_timeout = "soon"
        strean = true
        [connections.hr]
        instance = "http://hr.example.com"
        auth = { type = "basic", username = "u" }
        client_key_file = "key.pem"
        insecure_skip_verify = true
        [http]
        allowed_networks = ["10.0.0.1/8"]
        [management]
        listen = "nowhere"
    "#;
    let mistakes = mistakes(file, &Environment::default());
    let expected = [
        ("colour", "is no setting"),
        ("zeebe.auth.method", "none, basic, oidc"),
        ("worker.max_jobs_active", "from 4"),
        ("worker.job_timeout", "\"10s\""),
        ("worker.strean", "known here: name"),
        ("connections.hr.instance", "allow_http"),
        ("connections.hr.auth", "password is missing"),
        ("connections.hr.client_certificate_file", "a key needs its certificate"),
        ("connections.hr.insecure_skip_verify", "is no setting"),
        ("http.allowed_networks", "'10.0.0.0/8' is the network"),
        ("management.listen", "host:port"),
    ];
    for (key, what) in expected {
        let found = mistakes.iter().any(|m| m.starts_with(&format!("{key}:")) && m.contains(what));
        assert!(found, "{key}: {what} in {mistakes:#?}");
    }
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let mistakes = mistakes("[worker\nname = 1", &Environment::default());
    assert!(mistakes[0].starts_with("file:") && mistakes[0].contains("line 1"), "{mistakes:?}");
}

#[test]
fn a_connection_says_how_records_are_told_apart() {
    let file = r#"
        [connections.default]
        instance = "dev1"
        auth = { type = "bearer", token = "t" }
        on_mismatch = "patch"
        [connections.default.identity]
        u_order = { field = "u_external_id" }
        "x_acme_*" = { honours_sys_id = false }
        "#;
    let connection = &read(file, &Environment::default()).connector.connections["default"];
    assert_eq!(connection.on_mismatch, connector::OnMismatch::Patch);
    assert_eq!(
        connection.identity,
        [
            connector::IdentityRule::new("u_order", Some("u_external_id"), true).unwrap(),
            connector::IdentityRule::new("x_acme_*", None, false).unwrap(),
        ]
    );
}

#[test]
fn mistakes_about_the_identity_of_records_are_named() {
    let file = r#"
        [connections.default]
        instance = "dev1"
        auth = { type = "bearer", token = "t" }
        on_mismatch = "ignore"
        journal_fields = ["u_log", "Call log"]
        [connections.default.identity]
        "Order" = { field = "u_external_id" }
        u_a = { field = "External id" }
        u_b = { }
        u_c = { honours_sys_id = "no" }
        u_d = { field = "u_x", unique = true }
        u_e = "u_external_id"
        "#;
    let said = mistakes(file, &Environment::default());
    let at = "connections.default";
    for (key, what) in [
        ("on_mismatch", "is one of fail, patch"),
        ("journal_fields", "'Call log' is no field"),
        ("identity.Order", "'Order' is no table"),
        ("identity.u_a", "field 'External id' cannot hold the mark"),
        ("identity.u_b", "says nothing"),
        ("identity.u_c.honours_sys_id", "is true or false"),
        ("identity.u_d.unique", "is no setting; known here: field, honours_sys_id"),
        ("identity.u_e", "is a section, not string"),
    ] {
        let start = format!("{at}.{key}: {what}");
        assert!(said.iter().any(|line| line.starts_with(&start)), "{start}\n{said:#?}");
    }
}

#[test]
fn secrets_of_the_inbound_section_are_kept_from_jobs() {
    let file = r#"
        [connections.hr]
        instance = "dev1"
        auth = { type = "bearer", token = "{{secrets.HR}}" }
        [inbound]
        token = { key = "{{ secrets.SIGNING }}", lifetime = "1h" }
        [[inbound.credentials]]
        name = "flows"
        basic = { username = "u", password = "{{secrets.IN}}" }
        allow = ["publish:*"]
    "#;
    let config = read(file, &Environment::default());
    assert!(config.connector.reserved_secrets.iter().eq(["IN", "SIGNING"]));
}

#[test]
fn a_placeholder_that_is_none_is_a_mistake_and_not_sent_as_a_password() {
    let file = r#"
        [connections.default]
        instance = "dev1"
        auth = { type = "basic", username = "u", password = "{{secret.PW}}" }
        [inbound]
        [[inbound.credentials]]
        name = "flows"
        basic = { username = "u", password = "{{secrets.}}" }
        allow = ["publish:*"]
    "#;
    let said = mistakes(file, &Environment::default());
    for line in [
        "connections.default.auth: authentication.password: '{{secret.PW}}' is no placeholder: \
         write {{secrets.PW}}",
        "inbound: '{{secrets.}}' is no placeholder: write {{secrets.NAME}}",
    ] {
        assert!(said.iter().any(|said| said == line), "{line}\n{said:#?}");
    }
}
