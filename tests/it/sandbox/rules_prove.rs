//! How a business rule proves itself to what it calls.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use servicenow_worker::sandbox::{Config, DeliveryState, Sandbox, tls};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Instance, basic,
    receiver::{Received, Receiver},
};

const KEY: &[u8] = b"a key of thirty-two bytes, or so";

fn mac(signed: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(signed);
    mac.finalize().into_bytes().to_vec()
}

/// What arrives when one incident is made under a rule with that proof.
async fn proven(authentication: Value) -> Received {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    let body = json!({"text": "${short_description}", "n": 1.0});
    let rule = receiver.rule(json!({"authentication": authentication, "body": body}));
    instance.sandbox.business_rules().push(rule).unwrap();
    instance.insert("incident", json!({"short_description": "größer \" als"})).await;
    instance.sandbox.business_rules().settled().await;
    let mut calls = receiver.received();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

#[tokio::test]
async fn fixed_credentials_go_into_their_headers() {
    assert_eq!(proven(json!("none")).await.header("authorization"), "");
    let user = json!({"basic": {"user": "camunda", "password": "s:3"}});
    assert_eq!(proven(user).await.header("authorization"), basic("camunda", "s:3"));
    let bearer = json!({"bearer": {"token": "t0ken"}});
    assert_eq!(proven(bearer).await.header("authorization"), "Bearer t0ken");
    let key = json!({"apiKey": {"key": "k3y"}});
    assert_eq!(proven(key).await.header("x-api-key"), "k3y");
    let key = json!({"apiKey": {"header": "X-Own", "key": "k3y"}});
    assert_eq!(proven(key).await.header("x-own"), "k3y");
}

#[tokio::test]
async fn a_mac_is_of_the_bytes_that_go_out() {
    let key = STANDARD.encode(KEY);
    let as_generated = json!({"hmac": {"header": "X-Signature", "key": key}});
    let call = proven(as_generated).await;
    assert_eq!(call.header("x-signature"), STANDARD.encode(mac(&call.body)));
    let like_github = json!({"hmac": {
        "header": "X-Hub-Signature-256", "key": key, "encoding": "hex", "prefix": "sha256="
    }});
    let call = proven(like_github).await;
    let hex = mac(&call.body).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(call.header("x-hub-signature-256"), format!("sha256={hex}"));
    assert_eq!(call.json(), json!({"text": "größer \" als", "n": 1.0}));
}

#[tokio::test]
async fn a_webhook_is_signed_anew_for_each_try_under_one_id() {
    let (instance, receiver) = (Instance::start().await, Receiver::gated().await);
    receiver.answer(503);
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    let rule = receiver.rule(json!({
        "authentication": {"standardWebhooks": {"secret": secret}},
        "retry": {"tries": 2, "delaysMs": [0]},
    }));
    instance.sandbox.business_rules().push(rule).unwrap();
    instance.insert("incident", json!({})).await;
    receiver.arrived(1).await;
    instance.clock.forward(5);
    receiver.let_through(2);
    instance.sandbox.business_rules().settled().await;
    let calls = receiver.received();
    let began = "2026-03-02T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    for (request, time) in calls.iter().zip([began, began + 5]) {
        let (id, timestamp) = (request.header("webhook-id"), request.header("webhook-timestamp"));
        assert_eq!((id, timestamp), (request.header("idempotency-key"), &*time.to_string()));
        let signed = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
        let signature = format!("v1,{}", STANDARD.encode(mac(&signed)));
        assert_eq!(request.header("webhook-signature"), signature);
    }
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
}

/// The client `sandbox` of another instance's token endpoint.
fn grant(other: &Instance, secret: &str) -> Value {
    json!({"clientCredentials": {
        "tokenUrl": format!("{}/oauth_token.do", other.base),
        "clientId": "sandbox",
        "clientSecret": secret,
    }})
}

fn asked(other: &Instance) -> Vec<(String, Option<u16>)> {
    let requests = other.sandbox.requests().into_iter();
    requests.map(|request| (request.path, request.status)).collect()
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_when_it_is_refused() {
    let (instance, other, receiver) =
        (Instance::start().await, Instance::start().await, Receiver::start().await);
    let rules = instance.sandbox.business_rules();
    let rule = receiver.rule(json!({
        "url": format!("{}/api/x_camunda/hook", other.base),
        "authentication": grant(&other, "sandbox"),
    }));
    rules.push(rule).unwrap();
    let (token, hook) = ("/oauth_token.do".to_owned(), "/api/x_camunda/hook".to_owned());
    for _ in 0..2 {
        instance.insert("incident", json!({})).await;
        rules.settled().await;
    }
    let once = [(token.clone(), Some(200)), (hook.clone(), Some(200)), (hook.clone(), Some(200))];
    assert_eq!(asked(&other), once);
    assert_eq!(other.sandbox.flows()[0].payload, json!({"state": "1"}));
    // The other side forgets its tokens.
    other.sandbox.reset().unwrap();
    instance.insert("incident", json!({})).await;
    rules.settled().await;
    let again = [(hook.clone(), Some(401)), (token.clone(), Some(200)), (hook, Some(200))];
    assert_eq!(asked(&other), again);
    assert!(rules.deliveries().iter().all(|delivery| delivery.tries == 1));

    let wrong = receiver.rule(json!({"authentication": grant(&other, "wrong")}));
    rules.push(wrong).unwrap();
    instance.insert("incident", json!({})).await;
    rules.settled().await;
    let last = rules.deliveries().pop().unwrap();
    assert_eq!((last.state, last.status), (DeliveryState::Failed, None));
    assert_eq!(last.error.as_deref(), Some("token: the token URL answered 401"));
    assert!(receiver.received().is_empty(), "not without a token");
}

#[tokio::test]
async fn a_client_can_prove_itself_in_the_header_and_name_an_audience() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    let answer = json!({"access_token": "t", "expires_in": "1800"}).to_string();
    receiver.answer_with(200, &[("content-type", "application/json")], answer);
    let rule = receiver.rule(json!({"authentication": {"clientCredentials": {
        "tokenUrl": format!("{}/token", receiver.base), "clientId": "c", "clientSecret": "s",
        "audience": "zeebe api", "scope": "write", "basicHeader": true,
    }}}));
    instance.sandbox.business_rules().push(rule).unwrap();
    instance.insert("incident", json!({})).await;
    instance.insert("incident", json!({})).await;
    instance.sandbox.business_rules().settled().await;
    let calls = receiver.received();
    let paths: Vec<&str> = calls.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/token", "/hook", "/hook"]);
    assert_eq!(calls[0].header("authorization"), basic("c", "s"));
    let form = "grant_type=client_credentials&scope=write&audience=zeebe+api";
    assert_eq!(calls[0].body, form);
    assert_eq!(calls[2].header("authorization"), "Bearer t");
}

#[tokio::test]
async fn https_is_called_where_the_certificate_is_trusted() {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
    let other = Sandbox::new(Config::demo().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/api/x/hook", listener.local_addr().unwrap().port());
    let stop = CancellationToken::new();
    let config = tls::config(certificate.as_bytes(), key.as_bytes()).unwrap();
    let (served, stopped) = (other.clone(), stop.clone());
    tokio::spawn(async move { served.run_tls(listener, config, stopped).await });
    let _running = stop.drop_guard();

    for (trusted, expected) in [(Some(certificate), Some(200)), (None, None)] {
        let instance = Instance::with(|config| config.outbound.trusted_pem = trusted).await;
        let proof = json!({"basic": {"user": "admin", "password": "admin"}});
        let rule = json!({"name": "r", "table": "incident", "url": url, "authentication": proof});
        let rules = instance.sandbox.business_rules();
        rules.push(serde_json::from_value(rule).unwrap()).unwrap();
        instance.insert("incident", json!({})).await;
        rules.settled().await;
        assert_eq!(rules.deliveries()[0].status, expected, "{:?}", rules.deliveries());
    }
    assert_eq!(other.flows().len(), 1);
}
