//! `POST /oauth/token`: client credentials for a token, as RFC 6749 has it. Unknown
//! parameters are ignored, since clients send an audience, a scope and more.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    audit::Record,
    authentication::{decode_basic, same},
    credentials::{Known, Proof},
    shared::Shared,
    token::Claims,
};

/// Why there is no token, in the RFC's words.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

const UNKNOWN_CLIENT: Refusal = Refusal {
    status: StatusCode::UNAUTHORIZED,
    error: "invalid_client",
    description: "the client's id or secret is wrong",
};
const WRONG_GRANT: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    error: "unsupported_grant_type",
    description: "the grant_type is client_credentials",
};
const TWICE: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    error: "invalid_request",
    description: "a parameter is there twice",
};

/// Answers a request for a token.
pub(crate) fn answer<G, R>(
    shared: &Shared<G, R>,
    headers: &HeaderMap,
    body: &[u8],
    record: &mut Record,
) -> Response<Body> {
    match issue(shared, headers, body, record) {
        Ok(token) => {
            let lifetime = shared.config.token.lifetime.as_secs();
            let body =
                json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime});
            response(StatusCode::OK, &body)
        }
        Err(refusal) => {
            let body = json!({"error": refusal.error, "error_description": refusal.description});
            let mut response = response(refusal.status, &body);
            if refusal.status == StatusCode::UNAUTHORIZED {
                let challenge = HeaderValue::from_static("Basic realm=\"token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

fn issue<G, R>(
    shared: &Shared<G, R>,
    headers: &HeaderMap,
    body: &[u8],
    record: &mut Record,
) -> Result<String, Refusal> {
    if parameter(body, "grant_type")?.as_deref() != Some("client_credentials") {
        return Err(WRONG_GRANT);
    }
    let (id, secret) = client(headers, body)?.ok_or(UNKNOWN_CLIENT)?;
    record.target.clone_from(&id);
    let keyring = shared.authenticator.keyring();
    let known = keyring.0.iter().fold(None, |found, known| {
        if is_client(known, &id, &secret) { Some(known) } else { found }
    });
    let known = known.ok_or(UNKNOWN_CLIENT)?;
    let key = known.signing.as_ref().ok_or(UNKNOWN_CLIENT)?;
    record.credential = Some(known.name.clone());
    let token = &shared.config.token;
    let claims = Claims {
        client: &id,
        audience: &token.audience,
        lifetime: token.lifetime,
        id: fastrand::u64(..),
    };
    Ok(key.issue(&claims, shared.clock.now()))
}

fn is_client(known: &Known, id: &str, secret: &str) -> bool {
    let Proof::Client { id: right_id, secret: right } = &known.proof else { return false };
    same(right_id.as_bytes(), id.as_bytes())
        & same(right.expose_secret().as_bytes(), secret.as_bytes())
}

/// The client's id and secret: from the header, else from the body.
fn client(headers: &HeaderMap, body: &[u8]) -> Result<Option<(String, String)>, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(text) = authorization.map(str::trim).filter(|text| !text.is_empty()) {
        let basic = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let pair = basic.and_then(|(_, encoded)| decode_basic(encoded.trim()));
        // The RFC wants both percent-encoded; what has no percent sign is the same either way.
        return Ok(pair.map(|(id, secret)| (decoded(&id), decoded(&secret))));
    }
    let (id, secret) = (parameter(body, "client_id")?, parameter(body, "client_secret")?);
    Ok(id.zip(secret))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

fn parameter(body: &[u8], name: &str) -> Result<Option<String>, Refusal> {
    let mut values =
        url::form_urlencoded::parse(body).filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = values.next().map(std::borrow::Cow::into_owned);
    if values.next().is_some() { Err(TWICE) } else { Ok(value) }
}

fn response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
