//! OAuth at the wire.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use servicenow_worker::{
    ports::Transport,
    servicenow::{Authentication, Endpoint, NoAnswerCause, endpoint::OauthClient},
};

use super::{
    client, endpoint_of, post,
    server::{Received, Server, Step, answer, json},
};

fn oauth_client() -> OauthClient {
    OauthClient { client_id: "id".to_owned(), client_secret: "s3cret".into(), scope: None }
}

fn endpoint(server: &Server) -> Arc<Endpoint> {
    let address = format!("http://127.0.0.1:{}", server.port);
    endpoint_of(&address, Authentication::OauthClientCredentials(oauth_client()))
}

/// An instance whose tokens are `t1`, `t2`, … and that answers calls as `call` says.
async fn instance(call: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Server {
    let issued = AtomicUsize::new(0);
    Server::start(move |request| match request.target() {
        "/oauth_token.do" => {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            json("200 OK", &format!(r#"{{"access_token":"t{number}","expires_in":1799}}"#))
        }
        _ => call(request.header("authorization").unwrap()),
    })
    .await
}

fn asked_for_tokens(server: &Server) -> Vec<Received> {
    server.requests().into_iter().filter(|r| r.target() == "/oauth_token.do").collect()
}

fn unauthorized() -> Vec<Step> {
    let mut steps = answer("401 Unauthorized", "connection: close\r\n", "{}");
    steps.push(Step::Close);
    steps
}

#[tokio::test]
async fn fifty_calls_at_once_share_one_token() {
    let server = instance(|_| json("201 Created", "{}")).await;
    let (client, endpoint) = (client(), endpoint(&server));
    let replies = join_all((0..50).map(|_| client.send(&endpoint, post()))).await;
    assert!(replies.into_iter().all(|reply| reply.unwrap().status == 201));
    let asked = asked_for_tokens(&server);
    assert_eq!((asked.len(), server.requests().len()), (1, 51));
    assert!(asked[0].head.starts_with("POST "));
    assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[0].body, "grant_type=client_credentials&client_id=id&client_secret=s3cret");
}

#[tokio::test]
async fn a_password_grant_sends_user_and_password() {
    let server = instance(|_| json("200 OK", "{}")).await;
    let authentication = Authentication::OauthPassword {
        client: oauth_client(),
        username: "abel".to_owned(),
        password: "p&w".into(),
    };
    let endpoint = endpoint_of(&format!("http://127.0.0.1:{}", server.port), authentication);
    client().send(&endpoint, post()).await.unwrap();
    assert_eq!(
        asked_for_tokens(&server)[0].body,
        "grant_type=password&client_id=id&client_secret=s3cret&username=abel&password=p%26w"
    );
    assert_eq!(server.requests()[1].header("authorization"), Some("Bearer t1"));
}

#[tokio::test]
async fn a_401_is_cured_by_one_fresh_token_for_everybody() {
    let server = instance(|authorization| match authorization {
        "Bearer t1" => unauthorized(),
        _ => json("201 Created", "{}"),
    })
    .await;
    let (client, endpoint) = (client(), endpoint(&server));
    let replies = join_all((0..10).map(|_| client.send(&endpoint, post()))).await;
    assert!(replies.into_iter().all(|reply| reply.unwrap().status == 201));
    assert_eq!(asked_for_tokens(&server).len(), 2);
    let bodies = server.requests();
    assert!(bodies.iter().all(|r| r.target() == "/oauth_token.do" || r.body.contains('x')));
}

#[tokio::test]
async fn a_401_that_a_fresh_token_does_not_cure_is_the_answer() {
    let server = instance(|_| unauthorized()).await;
    let (client, endpoint) = (client(), endpoint(&server));
    assert_eq!(client.send(&endpoint, post()).await.unwrap().status, 401);
    assert_eq!((asked_for_tokens(&server).len(), server.requests().len()), (2, 4));
    assert_eq!(client.send(&endpoint, post()).await.unwrap().status, 401);
    assert_eq!((asked_for_tokens(&server).len(), server.requests().len()), (2, 5));
}

#[tokio::test]
async fn refused_credentials_are_reported_once_asked_and_nothing_else_is_sent() {
    let said = r#"{"error_description":"access_denied","error":"server_error"}"#;
    let server = Server::start(|_| json("401 Unauthorized", said)).await;
    let (client, endpoint) = (client(), endpoint(&server));
    for reply in join_all((0..20).map(|_| client.send(&endpoint, post()))).await {
        let error = reply.unwrap_err();
        assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::TokenRefused, false));
        assert!(error.message.contains("server_error, access_denied"), "{error}");
        assert!(!error.message.contains("s3cret"), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_token_endpoint_that_is_away_is_not_a_refusal() {
    let broken: [fn() -> Vec<Step>; 3] = [
        || answer("200 OK", "content-type: text/html\r\n", "<h1>Your instance is hibernating</h1>"),
        || json("503 Service Unavailable", "{}"),
        || vec![Step::Close],
    ];
    for steps in broken {
        let server = Server::start(move |_| steps()).await;
        let error = client().send(&endpoint(&server), post()).await.unwrap_err();
        let found = (error.cause, error.may_have_acted);
        assert_eq!(found, (NoAnswerCause::TokenUnavailable, false), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    let nowhere = Authentication::OauthClientCredentials(oauth_client());
    let nowhere = endpoint_of("https://nowhere.invalid", nowhere);
    let error = client().send(&nowhere, post()).await.unwrap_err();
    assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::TokenUnavailable, false));
}
