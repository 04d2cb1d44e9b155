//! Secrets: where they go, and where they never are.

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    connector::{
        Config, Connector, SecretScope, Secrets, Step,
        testing::{answer, config, flow_job, job, job_with, raw, run, run_with, secrets},
    },
    job::Job,
    outcome::Outcome,
    servicenow::Authentication,
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn create(text: &str) -> Job {
    let fields = json!({"short_description": text});
    job_with(
        json!({"operation": "create", "table": "incident", "fields": fields}),
        json!({"resultVariable": "r"}),
    )
}

fn names(config: Config, job: Job) -> Vec<String> {
    Connector::new(config).plan(Arc::new(job)).unwrap().secret_names().iter().cloned().collect()
}

#[test]
fn only_what_is_used_is_looked_up() {
    assert_eq!(names(config(), create("{{secrets.OTHER}}")), ["SN_PASSWORD"]);
    let everywhere = Config { secret_scope: SecretScope::Inputs, ..config() };
    assert_eq!(names(everywhere, create("{{secrets.OTHER}}")), ["OTHER", "SN_PASSWORD"]);
    let flow = flow_job(json!({"path": "/api/x/y", "headers": {"a": "{{ secrets.H }}"}}));
    assert_eq!(names(config(), flow), ["H", "SN_PASSWORD"]);
    let inline = job(json!({
        "instance": "dev9", "authentication": {"type": "bearer", "token": "{{secrets.T}}"},
    }));
    assert_eq!(names(config(), inline), ["T"]);
    let stray = job(json!({"authentication": {"token": "{{secrets.T}}"}}));
    assert_eq!(names(config(), stray), ["SN_PASSWORD"]);
}

#[test]
fn the_password_reaches_the_endpoint_and_nothing_else() {
    let plan = Connector::new(config()).plan(Arc::new(create("x"))).unwrap();
    let (exchange, step) = plan.start(secrets(), jiff::Timestamp::UNIX_EPOCH);
    let Step::Send(call) = step else { panic!("a request") };
    let Authentication::Basic { username, password } = &call.endpoint.authentication else {
        panic!("basic")
    };
    assert_eq!((username.as_str(), password.expose_secret()), ("worker", "correct horse"));
    assert!(!format!("{exchange:?} {call:?}").contains("correct horse"));
}

#[test]
fn a_placeholder_that_is_none_is_no_credential() {
    let inline = job(json!({
        "operation": "get", "table": "incident", "sysId": ID, "instance": "dev9",
        "authentication": {"type": "basic", "username": "u", "password": "{{secret.PW}}"},
    }));
    let flow = flow_job(json!({"path": "/api/x/y", "headers": {"x-key": "{{Secrets.PW}}"}}));
    for (job, said) in [
        (
            inline,
            "authentication.password: '{{secret.PW}}' is no placeholder: write {{secrets.PW}}",
        ),
        (flow, "headers: 'x-key': '{{Secrets.PW}}' is no placeholder: write {{secrets.PW}}"),
    ] {
        let run = run(job, []);
        assert!(run.incident().starts_with("SN_INVALID_INPUT"), "{}", run.incident());
        assert!(run.incident().contains(said), "{}", run.incident());
    }
}

#[test]
fn an_unknown_secret_ends_the_job_with_its_name() {
    let run = run_with(config(), Secrets::new(), create("x"), []);
    assert!(run.incident().contains("secret 'SN_PASSWORD' is not known"), "{}", run.incident());
    assert_eq!(run.finished.summary.calls, 0);
}

#[test]
fn data_that_looks_like_a_secret_stays_data() {
    let run = run(create("{{secrets.SN_PASSWORD}}"), [answer(429, json!({}))]);
    let body = run.requests[0].body.as_ref().unwrap();
    assert_eq!(body["short_description"], "{{secrets.SN_PASSWORD}}");
}

#[test]
fn the_wider_scope_replaces_inputs_once() {
    let config = || Config { secret_scope: SecretScope::Inputs, ..config() };
    let mut all = secrets();
    all.insert("A".to_owned(), "{{secrets.SN_PASSWORD}}".into());
    let run = run_with(config(), all, create("a {{secrets.A}}"), [answer(429, json!({}))]);
    let body = run.requests[0].body.as_ref().unwrap();
    assert_eq!(body["short_description"], "a {{secrets.SN_PASSWORD}}");
}

#[test]
fn inline_credentials_are_replaced_once_in_either_scope() {
    for secret_scope in [SecretScope::Credentials, SecretScope::Inputs] {
        let variables = json!({
            "operation": "get", "table": "incident", "sysId": ID, "instance": "dev9",
            "authentication": {"type": "bearer", "token": "{{secrets.T}}"},
        });
        let secrets = Secrets::from([("T".to_owned(), "{{secrets.SN_PASSWORD}}".into())]);
        let plan = Connector::new(Config { secret_scope, ..config() })
            .plan(Arc::new(job(variables)))
            .unwrap();
        let (_, step) = plan.start(secrets, jiff::Timestamp::UNIX_EPOCH);
        let Step::Send(call) = step else { panic!("a request") };
        let Authentication::Bearer { token } = &call.endpoint.authentication else {
            panic!("bearer")
        };
        assert_eq!(token.expose_secret(), "{{secrets.SN_PASSWORD}}");
    }
}

#[test]
fn an_answer_that_repeats_the_password_is_masked_everywhere() {
    let pair = "d29ya2VyOmNvcnJlY3QgaG9yc2U="; // worker:correct horse
    let said = format!("got Basic {pair} and correct horse and correct%20horse");
    let body = json!({"error": {"message": said, "detail": ""}});
    let failed = run(create("x"), [answer(400, body)]);
    let Outcome::Fail { message, variables, .. } = &failed.finished.outcome else {
        panic!("a failure")
    };
    let all = format!("{message} {}", Value::Object(variables.clone()));
    for leak in ["correct horse", pair, "correct%20horse"] {
        assert!(!all.contains(leak), "{all}");
    }
    assert!(all.contains("got Basic *** and *** and ***"), "{all}");
    assert!(failed.finished.summary.secret_scrubs >= 6);

    let record = json!({"sys_id": ID, "short_description": "correct horse"});
    let created = run(create("x"), [answer(201, json!({"result": record}))]);
    assert_eq!(created.completed()["r"]["record"]["short_description"], "***");
    assert!(!format!("{:?}", created.finished).contains("correct horse"));
}

#[test]
fn a_password_cut_in_half_is_masked_too() {
    let said = format!("{} correct horse battery", "x".repeat(485));
    let body = json!({"error": {"message": said, "detail": ""}});
    let run = run(create("x"), [answer(400, body)]);
    assert!(!run.incident().contains("correct h"), "{}", run.incident());
}

#[test]
fn a_web_page_that_repeats_the_password_is_masked() {
    let page = "<html>token=correct+horse</html>".to_owned();
    let run = run(create("x"), [raw(400, "text/html", &[], page)]);
    assert!(!format!("{:?}", run.finished).contains("correct+horse"));
}

/// An inline job to `dev9` with this token.
fn elsewhere(token: &str) -> Job {
    job(json!({
        "operation": "get", "table": "incident", "sysId": ID, "instance": "dev9",
        "authentication": {"type": "bearer", "token": token},
    }))
}

#[test]
fn a_secret_of_a_connection_goes_to_its_instance_alone() {
    let token = "{{secrets.OWN}} {{ secrets.SN_PASSWORD }}";
    let mut all = secrets();
    all.insert("OWN".to_owned(), "own".into());
    let run = run_with(config(), all.clone(), elsewhere(token), []);
    let said = "secret 'SN_PASSWORD' belongs to connection 'default' alone";
    assert!(run.incident().contains(said), "{}", run.incident());
    assert_eq!(run.finished.summary.calls, 0);

    let headers = json!({"path": "/api/x/y", "headers": {"a": "{{secrets.SN_PASSWORD}}"}});
    let mut flow = flow_job(headers);
    flow.variables.extend(elsewhere("{{secrets.OWN}}").variables);
    flow.variables.remove("operation");
    let run = run_with(config(), all.clone(), flow, []);
    assert!(run.incident().contains(said), "{}", run.incident());

    let mut to_its_own = elsewhere(token);
    to_its_own.variables.insert("instance".to_owned(), json!("dev1"));
    let reply = answer(200, json!({"result": {"sys_id": ID}}));
    let run = run_with(config(), all, to_its_own, [reply]);
    assert_eq!(run.finished.summary.result, Ok("read"));
}

#[test]
fn a_secret_of_the_inbound_endpoint_goes_nowhere() {
    let reserved = || Config { reserved_secrets: ["HOOK".to_owned()].into(), ..config() };
    let all = || Secrets::from([("HOOK".to_owned(), "hook".into())]);
    let run = run_with(reserved(), all(), elsewhere("{{secrets.HOOK}}"), []);
    let said = "secret 'HOOK' belongs to the inbound endpoint";
    assert!(run.incident().contains(said), "{}", run.incident());
}

#[test]
fn an_answer_that_looks_like_a_secret_stays_as_it_is() {
    for secret_scope in [SecretScope::Credentials, SecretScope::Inputs] {
        let record = json!({"sys_id": ID, "short_description": "{{secrets.SN_PASSWORD}}"});
        let reply = answer(201, json!({"result": record}));
        let run = run_with(Config { secret_scope, ..config() }, secrets(), create("x"), [reply]);
        let kept = &run.completed()["r"]["record"]["short_description"];
        assert_eq!(kept, "{{secrets.SN_PASSWORD}}");
    }
}
