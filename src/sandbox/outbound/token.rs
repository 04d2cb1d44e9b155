//! The access token of a rule: fetched by client credentials and kept until it runs out.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use super::{Authentication, sender::Sender};

/// How long a token of unknown life is used.
const UNKNOWN_LIFE: Duration = Duration::from_mins(5);

/// A token is renewed that much before its end.
const MARGIN: Duration = Duration::from_secs(10);

/// A place for one token. Who finds it empty fetches; others wait for it.
#[derive(Debug, Default)]
pub(super) struct TokenSlot(Mutex<Option<Token>>);

struct Token {
    text: String,
    until: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("until", &self.until).finish_non_exhaustive()
    }
}

impl TokenSlot {
    /// A valid token; `refused` is one that the other side no longer takes.
    pub(super) async fn get(
        &self,
        sender: &Sender,
        grant: &Authentication,
        refused: Option<&str>,
    ) -> Result<String, String> {
        let mut kept = self.0.lock().await;
        if let Some(token) = kept.as_ref()
            && token.until > Instant::now()
            && refused != Some(token.text.as_str())
        {
            return Ok(token.text.clone());
        }
        *kept = None;
        let token = fetch(sender, grant).await.map_err(|error| format!("token: {error}"))?;
        Ok(kept.insert(token).text.clone())
    }
}

async fn fetch(sender: &Sender, grant: &Authentication) -> Result<Token, String> {
    let (url, headers, form) = question(grant)?;
    let answer = sender.post_form(url, headers, form).await?;
    read(answer.status, &answer.body)
}

/// What asks for a token: where, with which headers and which form.
fn question(grant: &Authentication) -> Result<(&str, HeaderMap, String), String> {
    let Authentication::ClientCredentials {
        token_url,
        client_id,
        client_secret,
        scope,
        audience,
        basic_header,
    } = grant
    else {
        return Err("the rule has no client credentials".to_owned());
    };
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if *basic_header {
        headers.insert(header::AUTHORIZATION, basic(client_id, client_secret.reveal())?);
    } else {
        form.append_pair("client_id", client_id);
        form.append_pair("client_secret", client_secret.reveal());
    }
    for (name, value) in [("scope", scope), ("audience", audience)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    Ok((token_url, headers, form.finish()))
}

fn read(status: u16, body: &[u8]) -> Result<Token, String> {
    if status != 200 {
        return Err(format!("the token URL answered {status}"));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| format!("the token URL answered no JSON: {error}"))?;
    let text = body["access_token"].as_str().ok_or("the answer has no access_token")?;
    let seconds = match &body["expires_in"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let life = seconds.map_or(UNKNOWN_LIFE, Duration::from_secs);
    let now = Instant::now();
    let until = now.checked_add(life.saturating_sub(MARGIN)).unwrap_or(now);
    Ok(Token { text: text.to_owned(), until })
}

/// The value of a basic `Authorization` header.
pub(super) fn basic(user: &str, password: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        .map_err(|error| error.to_string())
}
