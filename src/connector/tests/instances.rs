//! Instances that jobs name themselves.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    connector::{
        Config, Connection, Connector, HostPattern, Step,
        testing::{config, job, secrets},
    },
    outcome::Outcome,
    servicenow::{Chooser, Endpoint, Instance, Reason},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn inline(instance: &str) -> Value {
    json!({
        "operation": "get", "table": "incident", "sysId": ID, "instance": instance,
        "authentication": {"type": "bearer", "token": "tok-en"},
    })
}

/// Where the job's first call goes.
fn endpoint(config: Config, instance: &str) -> Endpoint {
    let plan = Connector::new(config).plan(Arc::new(job(inline(instance)))).unwrap();
    match plan.start(secrets(), jiff::Timestamp::UNIX_EPOCH) {
        (_, Step::Send(call)) => (*call.endpoint).clone(),
        (_, Step::Done(finished)) => panic!("{instance}: {finished:?}"),
    }
}

#[test]
fn an_instance_is_the_operators_choice_when_it_is_configured_or_its_address_written_out() {
    let mut config = config();
    let local = Instance::parse("http://127.0.0.1:8080", false).unwrap();
    let local = Connection { instance: local, ..config.connections["default"].clone() };
    config.connections.insert("local".to_owned(), local);
    let patterns = ["localhost", "10.0.0.1", "sn.example", "*.corp.example"];
    config.allowed_hosts = patterns.map(|text| HostPattern::parse(text).unwrap()).into();
    let by = |instance: &str| endpoint(config.clone(), instance).chosen_by;
    assert_eq!(by("http://127.0.0.1:8080"), Chooser::Connection("local".to_owned()));
    assert_eq!(by("dev1"), Chooser::Connection("default".to_owned()));
    for instance in ["http://localhost:9", "https://10.0.0.1", "https://10.0.0.1:8443"] {
        assert_eq!(by(instance), Chooser::AllowedHosts, "{instance}");
    }
    let on_another_port = "dev1.service-now.com:8443";
    for instance in ["http://127.0.0.1:9", "sn.example", "a.corp.example", on_another_port] {
        assert_eq!(by(instance), Chooser::Job, "{instance}");
    }
}

/// What could lead elsewhere than it seems to, or within.
const HOSTILE: [&str; 50] = [
    "https://169.254.169.254",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]",
    "https://[::1]",
    "https://[fe80::1%25eth0]",
    "0x7f.1",
    "https://0x7f.1",
    "https://0x7f000001",
    "https://2130706433",
    "https://0177.0.0.1",
    "https://127.1",
    "https://127.0.0.1.",
    "127.0.0.1:443",
    "https://0",
    "localhost",
    "LOCALHOST",
    "https://localhost.",
    "ip6-localhost:443",
    "https://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}",
    "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "https://%31%32%37.0.0.1",
    "https://dev9.service-now.com@evil.example",
    "https://dev9.service-now.com:pw@evil.example",
    "https://user@dev9.service-now.com",
    "https://:pw@dev9.service-now.com",
    "dev9.service-now.com@evil.example",
    "https://dev9.service-now.com\\@evil.example",
    "https://evil.example\\.service-now.com",
    "https:\\\\evil.example",
    "\\\\evil.example",
    "//evil.example",
    "https://evil.example#.service-now.com",
    "https://evil.example?.service-now.com",
    "https://evil.example/.service-now.com",
    "https://evil.example%2f.service-now.com",
    "https://evil.example%00.service-now.com",
    "https://dev9.service-now.com%0d%0aHost:evil.example",
    "dev9.service-now.com\r\nHost: evil.example",
    "dev9.service-now.com.",
    "dev9.service-now.com\u{3002}evil.example",
    "dev9.service-now.com.evil.example",
    "dev9.service-now.com:99999",
    "evilservice-now.com",
    "service-now.com",
    "http://dev9.service-now.com",
    "ftp://dev9.service-now.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
];

#[test]
fn a_hostile_instance_is_refused_before_any_call() {
    for instance in HOSTILE {
        let plan = Connector::new(config()).plan(Arc::new(job(inline(instance)))).unwrap();
        let (_, step) = plan.start(secrets(), jiff::Timestamp::UNIX_EPOCH);
        let Step::Done(finished) = step else { panic!("{instance} is called") };
        assert_eq!(finished.summary.result, Err(Reason::InvalidInput), "{instance}");
        let Outcome::Fail { message, retries: 0, .. } = finished.outcome else {
            panic!("{instance} is no incident")
        };
        assert!(message.contains("instance: "), "{instance}: {message}");
    }
}

#[test]
fn a_bare_word_is_the_name_of_an_instance_whatever_number_it_spells() {
    for word in ["2130706433", "0x7f000001", "0"] {
        let host = endpoint(config(), word).instance.host().to_owned();
        assert_eq!(host, format!("{word}.service-now.com"));
    }
}
