//! Bearer tokens: from our own endpoint, and from somebody else's.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    rig::{CREDENTIALS, Endpoint, NOW, Rig},
    wire::{Reply, Request},
};

fn token_request(form: &str) -> Request {
    let mut request = Request::new("POST", "/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded");
    request.body = form.as_bytes().to_vec();
    request
}

async fn publish(to: &Endpoint, token: &str) -> Reply {
    let request = Request::post("/v2/messages/publication", &json!({"name": "paid"}));
    to.send(&request.header("authorization", &format!("Bearer {token}"))).await
}

const FORM: &str = "grant_type=client_credentials&client_id=spoke\
                    &client_secret=a+long+enough+secret&audience=zeebe.camunda.io&scope=x";

#[tokio::test]
async fn a_client_gets_a_jwt_that_serves_at_every_replica() {
    let rig = Rig::start("").await;
    let settings = format!("[inbound]\n{CREDENTIALS}");
    let replica = Endpoint::start(&settings, &rig.gateway).await;
    let reply = rig.send(&token_request(FORM)).await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(
        (&reply.body["token_type"], &reply.body["expires_in"]),
        (&json!("Bearer"), &json!(3_600))
    );
    let token = reply.body["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap();
    assert_eq!(
        (claims["exp"].as_i64(), &claims["aud"]),
        (Some(NOW + 3_600), &json!("servicenow-worker"))
    );
    publish(&rig.endpoint, token).await.expect(200);
    publish(&replica, token).await.expect(200);
    let forged = format!("{}x", &token[..token.len() - 1]);
    publish(&rig.endpoint, &forged).await.expect(401);
}

#[tokio::test]
async fn client_credentials_may_stand_in_the_header_and_wrong_ones_are_told_so() {
    let rig = Rig::start("").await;
    let grant = "grant_type=client_credentials";
    rig.send(&token_request(grant).basic("spoke", "a long enough secret")).await.expect(200);
    rig.send(&token_request(grant).basic("spoke", "a%20long%20enough%20secret")).await.expect(200);
    for (request, status, error) in [
        (token_request(grant), 401, "invalid_client"),
        (token_request(grant).basic("spoke", "wrong"), 401, "invalid_client"),
        (token_request("client_id=spoke&client_secret=x"), 400, "unsupported_grant_type"),
        (token_request("grant_type=password"), 400, "unsupported_grant_type"),
        (token_request(&format!("{FORM}&client_id=other")), 400, "invalid_request"),
    ] {
        let reply = rig.send(&request).await.expect(status);
        assert_eq!(reply.body["error"], error);
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
    let json = Request::post("/oauth/token", &json!({"grant_type": "client_credentials"}));
    rig.send(&json).await.expect(415);
}

#[tokio::test]
async fn a_token_ends_and_one_of_another_audience_or_key_does_not_count() {
    let rig = Rig::start("token = { audience = \"a\", key = \"{{secrets.TOKEN}}\" }").await;
    let own = |audience: &str| {
        format!("[inbound]\ntoken = {{ audience = \"{audience}\" }}\n{CREDENTIALS}")
    };
    let token = rig.send(&token_request(FORM)).await.expect(200).body["access_token"].clone();
    let token = token.as_str().unwrap();
    publish(&rig.endpoint, token).await.expect(200);
    let other_key = Endpoint::start(&own("a"), &rig.gateway).await;
    let reply = publish(&other_key, token).await.expect(401);
    assert!(reply.detail().contains("not one of ours"), "{}", reply.detail());
    let first = other_key.send(&token_request(FORM)).await.expect(200);
    let other_audience = Endpoint::start(&own("b"), &rig.gateway).await;
    let token = first.body["access_token"].as_str().unwrap();
    let reply = publish(&other_audience, token).await.expect(401);
    assert!(reply.detail().contains("audience"), "{}", reply.detail());
}

/// Somebody else who issues tokens.
struct Issuer {
    url: String,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    random: SystemRandom,
    asked: Arc<std::sync::atomic::AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let random = SystemRandom::new();
        let pem = include_bytes!("issuer-key.pem");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let public = PublicKeyComponents::<Vec<u8>>::from(rsa.public());
        let point = ec.public_key().as_ref();
        let keys = json!({"keys": [
            {"kty": "oct", "k": "AAAA", "kid": "r"},
            {"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256",
             "n": BASE64.encode(&public.n), "e": BASE64.encode(&public.e)},
            {"kty": "EC", "kid": "e", "crv": "P-256",
             "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])},
        ]});
        let asked: Arc<std::sync::atomic::AtomicUsize> = Arc::default();
        let counted = Arc::clone(&asked);
        let answer = move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(axum::Json(keys.clone()))
        };
        let router = axum::Router::new().route("/keys", axum::routing::get(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, rsa, ec, random, asked }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = if header["kid"] == "e" {
            self.ec.sign(&self.random, text.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            let (random, text) = (&self.random, text.as_bytes());
            self.rsa.sign(&RSA_PKCS1_SHA256, random, text, &mut signature).unwrap();
            signature
        };
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn settings(&self) -> String {
        format!(
            "[inbound]\n[[inbound.credentials]]\nname = \"idp\"\nallow = [\"publish:*\"]\n\
             [inbound.credentials.jwt]\nissuer = \"https://idp\"\naudience = \"worker\"\n\
             jwks_url = \"{}\"\nalgorithms = [\"RS256\", \"ES256\"]\nclaims = {{ azp = \"flows\" }}\n",
            self.url
        )
    }
}

fn claims() -> Value {
    json!({"iss": "https://idp", "aud": ["worker", "x"], "exp": NOW + 60, "nbf": NOW, "azp": "flows"})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

#[tokio::test]
async fn tokens_of_a_configured_issuer_count_when_signature_and_claims_are_right() {
    let issuer = Issuer::start().await;
    let rig = Rig::with(&issuer.settings(), crate::support::gateway::Settings::default()).await;
    let rs = json!({"alg": "RS256", "kid": "r"});
    let es = json!({"alg": "ES256", "kid": "e"});
    publish(&rig.endpoint, &issuer.token(&rs, &claims())).await.expect(200);
    publish(&rig.endpoint, &issuer.token(&es, &claims())).await.expect(200);
    let none = json!({"alg": "none"});
    let unsigned =
        format!("{}.{}.", BASE64.encode(none.to_string()), BASE64.encode(claims().to_string()));
    for (token, says) in [
        (issuer.token(&rs, &with(claims(), "exp", json!(NOW - 31))), "expired"),
        (issuer.token(&rs, &with(claims(), "exp", Value::Null)), "exp is no number"),
        (issuer.token(&rs, &with(claims(), "exp", json!("9999999999"))), "exp is no number"),
        (issuer.token(&rs, &with(claims(), "nbf", json!(NOW + 31))), "not valid yet"),
        (issuer.token(&rs, &with(claims(), "aud", json!("other"))), "audience"),
        (issuer.token(&rs, &with(claims(), "azp", json!("other"))), "claim 'azp'"),
        (issuer.token(&rs, &with(claims(), "iss", json!("https://idp/"))), "issuer is not known"),
        (issuer.token(&json!({"alg": "PS256", "kid": "r"}), &claims()), "algorithm"),
        (issuer.token(&json!({"alg": "HS256", "kid": "r"}), &claims()), "algorithm"),
        (issuer.token(&json!({"alg": "ES256", "kid": "r"}), &claims()), "signature is wrong"),
        (issuer.token(&json!({"alg": "RS256", "kid": "r", "crit": ["x"]}), &claims()), "no JWT"),
        (unsigned, "algorithm"),
        ("a.b.c".to_owned(), "no JWT"),
    ] {
        let reply = publish(&rig.endpoint, &token).await.expect(401);
        assert!(reply.detail().contains(says), "{says}: {}", reply.detail());
    }
    assert_eq!(rig.calls().len(), 2);
}

#[tokio::test]
async fn made_up_key_ids_do_not_make_us_ask_the_issuer_again_and_again() {
    let issuer = Issuer::start().await;
    let rig = Rig::with(&issuer.settings(), crate::support::gateway::Settings::default()).await;
    for number in 0..20 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        publish(&rig.endpoint, &issuer.token(&header, &claims())).await.expect(401);
    }
    assert_eq!(issuer.asked.load(std::sync::atomic::Ordering::Relaxed), 1);
}
