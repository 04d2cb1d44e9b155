//! `check` finds what `run` would refuse, and what every job would fail on.

use std::process::Output;

use super::{config_file, program, text};

const INBOUND: &str = r#"
[connections.hr]
instance = "dev1"
auth = { type = "basic", username = "worker", password = "{{secrets.SN_PASSWORD}}" }
[inbound]
[[inbound.credentials]]
name = "flows"
basic = { username = "flows", password = "{{secrets.FLOWS_PASSWORD}}" }
allow = ["route:*"]
[[inbound.credentials]]
name = "hook"
hmac = { keys = ["{{secrets.OLD_HOOK}}", "{{secrets.NEW_HOOK}}"] }
allow = ["route:*"]
"#;

const SECRETS: [(&str, &str); 3] = [
    ("SECRET_FLOWS_PASSWORD", "a-long-password"),
    ("SECRET_OLD_HOOK", "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQ="),
    ("SECRET_NEW_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
];

fn check(settings: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let file = config_file(settings);
    let mut command = program();
    command.args(["check", "--config"]).arg(file.path()).envs(environment.iter().copied());
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), text(&stderr))
}

#[test]
fn secrets_without_which_run_would_not_start_are_all_mistakes() {
    let (code, said) = check(INBOUND, &[]);
    assert_eq!(code, Some(64), "{said}");
    for part in [
        "inbound: credential 'flows': secret 'FLOWS_PASSWORD' is not known",
        "inbound: credential 'hook': secret 'OLD_HOOK' is not known",
        "inbound: credential 'hook': secret 'NEW_HOOK' is not known",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let file = config_file(INBOUND);
    let run = program().args(["run", "--config"]).arg(file.path()).output().unwrap();
    assert_eq!(run.status.code(), Some(64));
    assert!(text(&run.stderr).contains("secret 'NEW_HOOK' is not known"), "{}", text(&run.stderr));
}

#[test]
fn a_secret_that_every_job_of_a_connection_would_miss_is_a_warning() {
    let (code, said) = check(INBOUND, &SECRETS);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("warning: connections.hr.auth: secret 'SN_PASSWORD' is not known"),
        "{said}"
    );
    let mut all = SECRETS.to_vec();
    all.push(("SECRET_SN_PASSWORD", "x"));
    assert_eq!(check(INBOUND, &all), (Some(0), String::new()));
}

#[test]
fn everything_that_cannot_be_read_is_named_at_once() {
    let (code, said) = check(
        r#"
[zeebe]
grpc_address = "https://zeebe.example.com"
ca_file = "/nowhere/zeebe.pem"
[secrets]
directory = "/nowhere/secrets"
[connections.one]
instance = "dev1"
auth = { type = "bearer", token = "x" }
client_certificate_file = "/nowhere/one.pem"
client_key_file = "/nowhere/one.key"
[connections.two]
instance = "dev2"
auth = { type = "bearer", token = "x" }
ca_file = "/nowhere/two.pem"
[inbound]
tls = { cert = "/nowhere/tls.crt", key = "/nowhere/tls.key" }
open = true
"#,
        &[],
    );
    assert_eq!(code, Some(64), "{said}");
    for part in [
        "zeebe.ca_file: '/nowhere/zeebe.pem'",
        "secrets.directory '/nowhere/secrets'",
        "connections.one: '/nowhere/one.pem'",
        "connections.one: '/nowhere/one.key'",
        "connections.two: '/nowhere/two.pem'",
        "inbound: tls.cert: '/nowhere/tls.crt'",
        "inbound: tls.key: '/nowhere/tls.key'",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}
