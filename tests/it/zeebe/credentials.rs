//! Credentials at the wire.

use std::time::Duration;

use futures_util::future::join_all;
use servicenow_worker::{
    ports::{GatewayErrorKind, JobGateway},
    zeebe::{Authentication, Config, Gateway, Oidc},
};

use super::{
    gateway, subscription,
    token_endpoint::{Says, TokenEndpoint},
};
use crate::support::gateway::ScriptedGateway;

fn client(gateway: &ScriptedGateway, authentication: Authentication) -> Gateway {
    Gateway::new(&Config { authentication, ..gateway.client() }).unwrap()
}

/// Lets this much time pass for everything that runs here.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn basic_credentials_go_with_every_call() {
    let gateway = gateway().await;
    gateway.accept_only(&["Basic d29ya2VyOnPDqWNyZXQ="]);
    let basic = |password: &str| Authentication::Basic {
        username: "worker".to_owned(),
        password: password.into(),
    };
    let known = client(&gateway, basic("sécret"));
    known.topology().await.unwrap();
    known.poll(&subscription(), 1, None).await.unwrap();
    drop(known.stream(&subscription()).await.unwrap());
    let unknown = client(&gateway, basic("guessed"));
    let error = unknown.topology().await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unauthenticated);
    assert_eq!(gateway.counters().unauthenticated.get(), 1);
}

#[tokio::test]
async fn fifty_calls_at_once_share_one_token() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    gateway.accept_only(&["Bearer t1"]);
    let client = client(&gateway, endpoint.client());
    let answers = join_all((0..50).map(|_| client.topology())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    drop(client.stream(&subscription()).await.unwrap());
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    let (headers, form) = &asked[0];
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("worker", "s3cret&more")
    );
    assert_eq!(form.len(), 3, "{form:?}");
}

#[tokio::test]
async fn audience_and_scope_are_sent_when_they_are_set() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    let oidc = Oidc {
        audience: Some("zeebe-api".to_owned()),
        scope: Some("api://zeebe/.default".to_owned()),
        ..endpoint.oidc()
    };
    client(&gateway, Authentication::Oidc(oidc)).topology().await.unwrap();
    let (_, form) = &endpoint.asked()[0];
    assert_eq!(
        (form["audience"].as_str(), form["scope"].as_str()),
        ("zeebe-api", "api://zeebe/.default")
    );
}

#[tokio::test]
async fn a_token_is_renewed_ahead_and_serves_on_when_that_fails() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(600)).await);
    let client = client(&gateway, endpoint.client());
    client.topology().await.unwrap();
    pass(Duration::from_secs(530)).await;
    client.topology().await.unwrap();
    assert_eq!(endpoint.asked().len(), 1);
    // Within the last minute, but the endpoint is down.
    endpoint.say(Says::Status(503));
    pass(Duration::from_secs(30)).await;
    gateway.accept_only(&["Bearer t1"]);
    client.topology().await.unwrap();
    client.topology().await.unwrap();
    assert_eq!(endpoint.asked().len(), 2, "a failure counts for a second");
    endpoint.say(Says::NewToken(600));
    pass(Duration::from_secs(2)).await;
    gateway.accept_only(&["Bearer t2"]);
    client.topology().await.unwrap();
    assert_eq!(endpoint.asked().len(), 3);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_sent_again() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    gateway.accept_only(&["Bearer t2"]);
    let client = client(&gateway, endpoint.client());
    client.topology().await.unwrap();
    assert_eq!((endpoint.asked().len(), gateway.counters().unauthenticated.get()), (2, 1));
    gateway.accept_only(&["Bearer none"]);
    let error = client.topology().await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unauthenticated);
    assert_eq!((endpoint.asked().len(), gateway.counters().unauthenticated.get()), (3, 3));
}

#[tokio::test]
async fn calls_refused_at_once_share_one_renewal() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    let client = client(&gateway, endpoint.client());
    client.topology().await.unwrap();
    gateway.accept_only(&["Bearer t2"]);
    let answers = join_all((0..50).map(|_| client.topology())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(endpoint.asked().len(), 2);
}

#[tokio::test]
async fn a_call_is_not_sent_again_with_the_token_that_was_refused() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::SameToken).await);
    gateway.accept_only(&["Bearer other"]);
    let client = client(&gateway, endpoint.client());
    let error = client.topology().await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Unauthenticated);
    assert_eq!(gateway.counters().unauthenticated.get(), 1);
}

#[tokio::test]
async fn a_stream_that_is_refused_opens_with_the_next_token() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    gateway.accept_only(&["Bearer t2"]);
    let client = client(&gateway, endpoint.client());
    assert!(client.stream(&subscription()).await.is_err());
    assert!(client.stream(&subscription()).await.is_ok());
}

#[tokio::test]
async fn a_refusal_by_the_endpoint_is_remembered_for_half_a_minute() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::Status(401)).await);
    let client = client(&gateway, endpoint.client());
    for _ in 0..5 {
        let error = client.topology().await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Unauthenticated);
        assert!(error.message.contains("/token answered 401"), "{error}");
        assert!(error.message.contains("check client id"), "{error}");
        assert!(!error.message.contains("s3cret"), "{error}");
    }
    assert_eq!(endpoint.asked().len(), 1);
    endpoint.say(Says::NewToken(300));
    pass(Duration::from_secs(31)).await;
    client.topology().await.unwrap();
    assert_eq!(endpoint.asked().len(), 2);
    assert_eq!(gateway.counters().unauthenticated.get(), 0, "nothing was sent without a token");
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_asked_again_after_a_second() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::Status(502)).await);
    let client = client(&gateway, endpoint.client());
    for _ in 0..3 {
        let error = client.topology().await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Unavailable);
    }
    assert_eq!(endpoint.asked().len(), 1);
    endpoint.say(Says::NewToken(300));
    pass(Duration::from_millis(1_100)).await;
    client.topology().await.unwrap();
}

#[tokio::test]
async fn an_odd_lifetime_makes_no_token_unusable() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(0)).await);
    // Text is what Entra's first version sends; the others are nobody's.
    for lifetime in [r#""3600""#, "3599.5", "18446744073709551615", "1e400", "-1", "null", "{}"] {
        endpoint.say(Says::Lifetime(lifetime));
        client(&gateway, endpoint.client()).topology().await.unwrap();
    }
    endpoint.say(Says::Lifetime(r#""3600""#));
    let client = client(&gateway, endpoint.client());
    client.topology().await.unwrap();
    let asked = endpoint.asked().len();
    pass(Duration::from_mins(50)).await;
    client.topology().await.unwrap();
    assert_eq!(endpoint.asked().len(), asked);
}

#[tokio::test]
async fn credentials_do_not_print() {
    let (gateway, endpoint) = (gateway().await, TokenEndpoint::start(Says::NewToken(300)).await);
    let client = client(&gateway, endpoint.client());
    client.topology().await.unwrap();
    let printed = format!("{client:?} {:?}", endpoint.client());
    assert!(!printed.contains("s3cret") && !printed.contains("t1"), "{printed}");
}
