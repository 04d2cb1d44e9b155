//! The program: its halves, and what it writes about calls.

use serde_json::json;

use super::{program::Program, wire::Request};
use crate::support::{
    eventually,
    gateway::{Call, ScriptedGateway, Settings},
};

async fn settings() -> (ScriptedGateway, String) {
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    let settings = format!(
        "[zeebe]\ngrpc_address = \"{}\"\n[management]\nlisten = \"127.0.0.1:0\"\n\
         [inbound]\nlisten = \"127.0.0.1:0\"\nbehind_proxy = true\n\
         [[inbound.credentials]]\nname = \"flows\"\napi_key = {{ key = \"{{{{secrets.KEY}}}}\" }}\n\
         allow = [\"publish:*\", \"route:*\"]\n\
         [[inbound.routes]]\nname = \"closed\"\ndo = \"message\"\nmessage = \"closed\"\n\
         key = '=body.sys_id + \":\" + string(body.count)'\n",
        gateway.address()
    );
    (gateway, settings)
}

#[tokio::test]
async fn each_call_is_one_line_in_the_log_without_secrets_or_bodies() {
    let (gateway, settings) = settings().await;
    let program = Program::start(&["--only", "inbound"], &settings);
    let address = program.address().await;
    let body = json!({"name": "paid\nforged", "variables": {"iban": "DE02120300000000202051"}});
    let request = Request::post("/v2/messages/publication", &body)
        .header("x-forwarded-for", "203.0.113.9, 198.51.100.7");
    request
        .clone()
        .key("INC1:3")
        .header("x-api-key", "the-secret-key")
        .send(address)
        .await
        .expect(200);
    request.header("x-api-key", "not-the-secret-key").send(address).await.expect(401);
    let of_calls = || program.log().lines().filter(|line| line.contains("inbound call")).count();
    eventually("both calls are in the log", || of_calls() == 2).await;
    let log = program.log();
    for part in [
        r#"operation="publish" status=200 credential="flows" peer=198.51.100.7"#,
        r#"subject="paid\nforged" key="INC1:3" result=2251799813685249"#,
        r#"status=401 credential="-" peer=198.51.100.7"#,
        r#"why="UNAUTHORIZED""#,
    ] {
        let found = log.contains(part) || log.contains(&part.replace("\\n", "\\\\n"));
        assert!(found, "{part} in {log}");
    }
    for secret in ["the-secret-key", "DE021203", "iban"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    let calls: Vec<_> = gateway.calls().into_iter().map(|seen| seen.call).collect();
    assert!(matches!(&calls[..], [Call::Publish(_)]), "no jobs are asked for: {calls:?}");
}

#[tokio::test]
async fn a_refusal_is_in_the_log_with_its_reason_and_without_what_the_body_held() {
    let (_gateway, settings) = settings().await;
    let program = Program::start(&["--only", "inbound"], &settings);
    let address = program.address().await;
    let body = json!({"sys_id": "DE02120300000000202051", "iban": 1});
    let request = Request::post("/inbound/closed", &body).header("x-api-key", "the-secret-key");
    let reply = request.send(address).await.expect(400);
    assert_eq!(
        reply.detail(),
        "route 'closed' needs an idempotency key: its place in the body is empty, \
         =body.sys_id + \":\" + string(body.count), and there is no header Idempotency-Key \
         (no key 'count' in body; keys: sys_id, iban; cannot add a null to a string)"
    );
    eventually("the call is in the log", || program.log().contains("inbound call")).await;
    let log = program.log();
    let line = log.lines().find(|line| line.contains("inbound call")).unwrap();
    assert!(line.contains("why=\"INVALID_ARGUMENT\""), "{line}");
    assert!(line.contains("detail=\"route 'closed' needs an idempotency key: its place"), "{line}");
    for part in ["key=", "Some", "None", "DE0212", "iban"] {
        assert!(!line.contains(part), "{part} in {line}");
    }
}

#[tokio::test]
async fn run_serves_both_halves_and_only_outbound_leaves_the_endpoint_out() {
    let (gateway, settings) = settings().await;
    let program = Program::start(&[], &settings);
    let address = program.address().await;
    Request::new("GET", "/v2/license").send(address).await.expect(200);
    eventually("jobs are asked for", || gateway.counters().streams.get() > 0).await;
    drop(program);
    let before = gateway.counters().streams.get();
    let program = Program::start(&["--only", "outbound"], &settings);
    eventually("jobs are asked for", || gateway.counters().streams.get() > before).await;
    assert!(!program.log().contains("inbound listens"), "{}", program.log());
}

#[test]
fn one_half_needs_its_section() {
    let mut program = Program::start(&["--only", "inbound"], "");
    assert_eq!(program.exit_code(), Some(64));
    let log = program.log();
    assert!(log.contains("--only inbound: the configuration has no section [inbound]"), "{log}");
}

#[test]
fn a_secret_that_is_missing_ends_the_start_with_its_name() {
    let settings = "[management]\nlisten = \"off\"\n[inbound]\nlisten = \"127.0.0.1:0\"\n\
                    [[inbound.credentials]]\nname = \"a\"\nallow = [\"topology\"]\n\
                    basic = { username = \"a\", password = \"{{secrets.NOPE}}\" }\n";
    let mut program = Program::start(&[], settings);
    assert_eq!(program.exit_code(), Some(64));
    let log = program.log();
    assert!(log.contains("inbound: credential 'a': secret 'NOPE' is not known"), "{log}");
}
