//! Who is let in: each kind of credential, right and wrong.

use serde_json::json;

use super::{
    rig::{NOW, Rig},
    signing::{GITHUB, HOOK, OLD_HOOK},
    wire::Request,
};
use crate::support::gateway::Call;

const PUBLISH: &str = "/v2/messages/publication";

fn publish() -> Request {
    Request::post(PUBLISH, &json!({"name": "order.paid"}))
}

#[tokio::test]
async fn every_kind_of_credential_lets_its_owner_in() {
    let rig = Rig::start("").await;
    for request in [
        publish().by_flows(),
        publish().header("x-api-key", "old-key"),
        publish().header("X-API-Key", "new-key"),
        publish().signed(HOOK, "m1", NOW),
        publish().signed(OLD_HOOK, "m2", NOW - 299),
        publish().signed_body(GITHUB),
        publish().header("authorization", "").header("x-api-key", "new-key"),
    ] {
        rig.send(&request).await.expect(200);
    }
    assert_eq!(rig.calls().len(), 7);
}

#[tokio::test]
async fn a_wrong_credential_gets_401_with_challenges_and_costs_no_call() {
    let rig = Rig::start("").await;
    let tampered = |mut request: Request| {
        request.body = br#"{"name": "order.lost"}"#.to_vec();
        request
    };
    for (request, says) in [
        (publish(), "carries no credentials"),
        (publish().basic("flows", "password"), "user name or password is wrong"),
        (publish().basic("flow", "pass:word"), "user name or password is wrong"),
        (publish().header("authorization", "Basic !!!"), "base64 of name:password"),
        (publish().header("authorization", "Digest x"), "Basic or Bearer"),
        (publish().by_flows().by_flows(), "more than one Authorization"),
        (publish().header("authorization", "Bearer x").header("x-api-key", "new-key"), "no JWT"),
        (publish().header("x-api-key", "newer-key"), "API key is wrong"),
        (publish().header("x-api-key", ""), "API key is wrong"),
        (publish().signed(HOOK, "m1", NOW - 301), "300 s from our clock"),
        (publish().signed(HOOK, "m1", NOW + 301), "300 s from our clock"),
        (publish().signed("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "m1", NOW), "signature fits neither"),
        (tampered(publish().signed(HOOK, "m1", NOW)), "signature fits neither"),
        (tampered(publish().signed_body(GITHUB)), "signature fits neither"),
        (publish().signed(HOOK, "a.b", NOW), "no full stop"),
        (publish().header("webhook-signature", "v1,AAAA"), "webhook-id is missing"),
    ] {
        let reply = rig.send(&request).await.expect(401);
        assert!(reply.detail().contains(says), "{says}: {}", reply.detail());
        let challenges = reply.headers.iter().filter(|(name, _)| name == "www-authenticate");
        assert_eq!(challenges.count(), 5, "{reply:?}");
    }
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn an_unknown_sender_is_answered_before_a_large_body_is_read() {
    let rig = Rig::start("").await;
    // The head alone: were the body waited for, there would be no answer.
    let request = Request::new("POST", PUBLISH).header("content-length", "1000000");
    rig.send(&request).await.expect(401);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let rig = Rig::start("").await;
    let orders = |path: &str, body| Request::post(path, &body).header("x-api-key", "new-key");
    for (request, scope) in [
        (orders(PUBLISH, json!({"name": "invoice.paid"})), "publish:invoice.paid"),
        (orders("/v2/process-instances", json!({"processDefinitionId": "hire"})), "start:hire"),
        (orders("/v2/process-instances", json!({"processDefinitionKey": "7"})), "start:*"),
        (
            orders(
                "/v2/process-instances",
                json!({"processDefinitionId": "order-1", "awaitCompletion": true}),
            ),
            "await",
        ),
        (
            orders(
                "/v2/process-instances",
                json!({"processDefinitionId": "order-1", "tenantId": "hr"}),
            ),
            "tenant:hr",
        ),
        (orders("/v2/signals/broadcast", json!({"signalName": "alarm"})), "signal:alarm"),
        (orders("/v2/messages/correlation", json!({"name": "x"})), "correlate:x"),
        (orders("/v2/process-instances/1/cancellation", json!({})), "cancel"),
        (orders("/inbound/anything", json!({})), "route:anything"),
        (Request::new("GET", "/v2/topology").header("x-api-key", "new-key"), "topology"),
    ] {
        let reply = rig.send(&request).await.expect(403);
        assert!(reply.detail().ends_with(&format!("'{scope}'")), "{scope}: {}", reply.detail());
    }
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn a_signed_id_is_the_idempotency_key_whatever_other_header_says() {
    let rig = Rig::start("").await;
    let first = publish().signed(HOOK, "evt_1", NOW);
    rig.send(&first).await.expect(200);
    let copy = first.clone().header("idempotency-key", "another");
    let reply = rig.send(&copy).await.expect(200);
    assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    // A later attempt of the same event has a new time stamp, and is a repetition too.
    let reply = rig.send(&publish().signed(HOOK, "evt_1", NOW + 60)).await.expect(200);
    assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    let calls = rig.calls();
    let [Call::Publish(message)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(message.message_id, "hook:publish:evt_1");
}

#[tokio::test]
async fn where_the_body_alone_is_signed_it_is_its_own_key() {
    let rig = Rig::start("").await;
    let request = publish().signed_body(GITHUB).header("x-github-delivery", "1");
    rig.send(&request).await.expect(200);
    let copy = publish().signed_body(GITHUB).key("fresh").header("x-github-delivery", "2");
    let reply = rig.send(&copy).await.expect(200);
    assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    assert_eq!(rig.calls().len(), 1);
}
