//! A key in a header.

use axum::http::HeaderMap;
use secrecy::ExposeSecret;

use super::{Denied, Keyring, Known, Proof, same};

/// Whose key the headers carry; `None` when they carry none.
pub(super) fn check<'k>(
    keyring: &'k Keyring,
    headers: &HeaderMap,
) -> Option<Result<&'k Known, Denied>> {
    let (mut presented, mut found) = (false, None);
    for known in &keyring.0 {
        let Proof::ApiKey { header, keys } = &known.proof else { continue };
        let Some(value) = headers.get(header.as_str()) else { continue };
        presented = true;
        let fits =
            |key: &secrecy::SecretString| same(key.expose_secret().as_bytes(), value.as_bytes());
        // All of them: time must not tell which one it was.
        if keys.iter().filter(|key| fits(key)).count() > 0 {
            found = Some(known);
        }
    }
    presented.then(|| found.ok_or_else(|| Denied("the API key is wrong".to_owned())))
}
