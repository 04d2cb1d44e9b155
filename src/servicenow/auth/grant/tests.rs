use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use super::{Grant, NoAnswerCause};
use crate::servicenow::{Instance, Response, endpoint::OauthClient};

fn client(secret: &str) -> OauthClient {
    OauthClient { client_id: "id&1".to_owned(), client_secret: secret.into(), scope: None }
}

fn answer(status: u16, kind: &str, body: &str) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), kind.to_owned())],
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

#[test]
fn forms_are_encoded_and_carry_what_the_grant_needs() {
    let mut client = client("s=1 2");
    let grant = Grant { client: &client, user: None };
    assert_eq!(
        grant.form(),
        "grant_type=client_credentials&client_id=id%261&client_secret=s%3D1+2"
    );
    client.scope = Some("useraccount".to_owned());
    let password = SecretString::from("p+w");
    let grant = Grant { client: &client, user: Some(("abel", &password)) };
    assert_eq!(
        grant.form(),
        "grant_type=password&client_id=id%261&client_secret=s%3D1+2&username=abel\
         &password=p%2Bw&scope=useraccount"
    );
}

#[test]
fn every_part_of_the_credentials_makes_another_key() {
    let instance = Instance::parse("dev1", false).unwrap();
    let other = Instance::parse("dev2", false).unwrap();
    let (a, b) = (client("a"), client("b"));
    let (p, q) = (SecretString::from("p"), SecretString::from("q"));
    let keys = [
        Grant { client: &a, user: None }.key(&instance),
        Grant { client: &a, user: None }.key(&other),
        Grant { client: &b, user: None }.key(&instance),
        Grant { client: &a, user: Some(("u", &p)) }.key(&instance),
        Grant { client: &a, user: Some(("u", &q)) }.key(&instance),
        Grant { client: &a, user: Some(("up", &"".into())) }.key(&instance),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
    assert!(keys[0] == Grant { client: &a.clone(), user: None }.key(&instance));
}

#[test]
fn a_token_is_read_with_its_lifetime() {
    let client = client("s");
    let grant = Grant { client: &client, user: None };
    for (expires, seconds) in [
        (r#","expires_in":1799"#, 1799),
        (r#","expires_in":"60""#, 60),
        (r#","expires_in":null"#, 300),
        ("", 300),
        (r#","expires_in":-1"#, 300),
        (r#","expires_in":99999999999999"#, 86400),
    ] {
        let body = format!(r#"{{"access_token":"t","token_type":"Bearer"{expires}}}"#);
        let token = grant.read(&answer(200, "application/json", &body)).unwrap();
        assert_eq!(token.header, "Bearer t");
        assert_eq!(token.lifetime, Duration::from_secs(seconds), "{expires}");
        assert!(!format!("{token:?}").contains("Bearer t"));
    }
}

#[test]
fn refusals_are_told_from_an_endpoint_that_is_not_there() {
    use NoAnswerCause::{TokenRefused, TokenUnavailable};
    let client = client("s3cret");
    let grant = Grant { client: &client, user: None };
    let json = "application/json;charset=UTF-8";
    let said = r#"{"error_description":"access_denied s3cret","error":"server_error"}"#;
    for (status, kind, body, cause, text) in [
        (401, json, said, TokenRefused, "HTTP 401 (server_error, access_denied ***)"),
        (400, "text/html", "<html>", TokenRefused, "HTTP 400;"),
        (403, json, said, TokenRefused, "HTTP 403"),
        (200, json, said, TokenRefused, "server_error"),
        (200, json, "{}", TokenUnavailable, "without access_token"),
        (200, json, r#"{"access_token":"a\nb"}"#, TokenUnavailable, "header"),
        (200, json, r#"{"access_token":""}"#, TokenUnavailable, "header"),
        (200, "text/html", "<html>", TokenUnavailable, "sleeps"),
        (404, "text/html", "<html>", TokenUnavailable, "HTTP 404"),
        (429, json, said, TokenUnavailable, "HTTP 429"),
        (302, "text/html", "", TokenUnavailable, "HTTP 302"),
        (503, json, said, TokenUnavailable, "HTTP 503"),
    ] {
        let error = grant.read(&answer(status, kind, body)).unwrap_err();
        assert_eq!(error.cause, cause, "{status} {body}");
        assert!(!error.may_have_acted);
        assert!(error.message.contains(text), "{error} lacks {text}");
        assert!(!error.message.contains("s3cret"), "{error}");
    }
}
