//! Who calls: HTTP basic, an OAuth access token, or an API key.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Access, Shared, call::Call, caller::Caller, store::Store};

/// The header (and query parameter) of an API key.
const API_KEY: &str = "x-sn-apikey";

/// The caller; `None` when the call proves none.
pub(crate) fn authenticate(shared: &Shared, call: &Call) -> Option<Caller> {
    let user_name = match shared.config.access {
        Access::Open => "admin".to_owned(),
        Access::Checked => proven_user(shared, call)?,
    };
    user(&shared.read(), &user_name)
}

/// The active user of that login.
pub(crate) fn user(store: &Store, user_name: &str) -> Option<Caller> {
    let users = store.table("sys_user")?;
    let found = store.lookup(users, "user_name", user_name)?;
    found.first().filter(|user| user.get("active") == "true").map(|user| Caller::of(user))
}

/// Whether these are the login's credentials.
pub(crate) fn is_login(shared: &Shared, user_name: &str, password: &str) -> bool {
    let mut logins = shared.config.logins.iter();
    logins.any(|login| login.user_name == user_name && login.secret == password)
}

fn proven_user(shared: &Shared, call: &Call) -> Option<String> {
    if let Some(key) = call.header(API_KEY).or_else(|| call.parameter(API_KEY)) {
        let known = shared.config.api_keys.iter().find(|known| known.secret == key);
        return known.map(|known| known.user_name.clone());
    }
    let (scheme, credentials) = call.header("authorization")?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return shared.tokens.user_of(credentials.trim(), shared.config.clock.now());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user_name, password) = decoded.split_once(':')?;
    is_login(shared, user_name, password).then(|| user_name.to_owned())
}
