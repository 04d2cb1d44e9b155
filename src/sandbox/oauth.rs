//! `POST /oauth_token.do`. While an access token is valid, the same one is given again,
//! with the time that is left. Every refusal is the same 401, whatever is wrong.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Shared, answer::Answer, authentication, call::Call};

const ACCESS_SECONDS: i64 = 1_800;
const REFRESH_SECONDS: i64 = 8_640_000;

/// The tokens given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    grants: Mutex<Vec<Grant>>,
}

/// One pair of tokens.
#[derive(Clone)]
struct Grant {
    client: String,
    user_name: String,
    access: String,
    access_until: Timestamp,
    refresh: String,
    refresh_until: Timestamp,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Tokens {
    fn grants(&self) -> MutexGuard<'_, Vec<Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user that a valid access token stands for.
    pub(crate) fn user_of(&self, access: &str, now: Timestamp) -> Option<String> {
        let grants = self.grants();
        let grant = grants.iter().find(|g| g.access == access && g.access_until > now);
        grant.map(|grant| grant.user_name.clone())
    }

    /// Forgets all tokens.
    pub(crate) fn clear(&self) {
        self.grants().clear();
    }

    /// The valid pair of that client and user, or a new one.
    fn give(&self, client: &str, user_name: &str, now: Timestamp) -> Grant {
        let mut grants = self.grants();
        grants.retain(|grant| grant.refresh_until > now);
        let known = grants.iter_mut().find(|g| g.client == client && g.user_name == user_name);
        if let Some(grant) = known {
            if grant.access_until <= now {
                grant.access = new_token();
                grant.access_until = after(now, ACCESS_SECONDS);
            }
            return grant.clone();
        }
        let grant = Grant {
            client: client.to_owned(),
            user_name: user_name.to_owned(),
            access: new_token(),
            access_until: after(now, ACCESS_SECONDS),
            refresh: new_token(),
            refresh_until: after(now, REFRESH_SECONDS),
        };
        grants.push(grant.clone());
        grant
    }

    fn user_of_refresh(&self, client: &str, refresh: &str, now: Timestamp) -> Option<String> {
        let grants = self.grants();
        let mut valid = grants.iter().filter(|g| g.client == client && g.refresh_until > now);
        valid.find(|grant| grant.refresh == refresh).map(|grant| grant.user_name.clone())
    }
}

/// Answers the token endpoint.
pub(crate) fn token(shared: &Shared, call: &Call) -> Answer {
    granted(shared, call).unwrap_or_else(|| {
        let body = json!({"error_description": "access_denied", "error": "server_error"});
        Answer::json(StatusCode::UNAUTHORIZED, body)
    })
}

fn granted(shared: &Shared, call: &Call) -> Option<Answer> {
    let content_type = call.header("content-type")?;
    if call.method != Method::POST || !content_type.contains("application/x-www-form-urlencoded") {
        return None;
    }
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(&call.body).into_owned().collect();
    let field =
        |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (id, secret) = (field("client_id")?, field("client_secret")?);
    let client = shared.config.oauth_clients.iter().find(|c| c.id == id && c.secret == secret)?;
    let now = shared.config.clock.now();
    let kind = field("grant_type")?;
    let user_name = match kind {
        "client_credentials" => client.user_name.clone(),
        "password" => {
            let (user_name, password) = (field("username")?, field("password")?);
            authentication::is_login(shared, user_name, password).then(|| user_name.to_owned())?
        }
        "refresh_token" => shared.tokens.user_of_refresh(id, field("refresh_token")?, now)?,
        _ => return None,
    };
    let grant = shared.tokens.give(id, &user_name, now);
    Some(describe(&grant, kind != "client_credentials", now))
}

/// The last second does not count: a fresh token has 1799.
fn describe(grant: &Grant, shows_refresh: bool, now: Timestamp) -> Answer {
    let left = grant.access_until.duration_since(now).as_secs() - 1;
    let mut body = json!({
        "access_token": grant.access,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": left.max(0),
    });
    if let (true, Some(body)) = (shows_refresh, body.as_object_mut()) {
        body.insert("refresh_token".to_owned(), grant.refresh.clone().into());
    }
    Answer::json(StatusCode::OK, body)
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// 86 characters, as long as real ones.
fn new_token() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(86).collect()
}
