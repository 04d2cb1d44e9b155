//! HTTP Basic.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;

use super::{Denied, Keyring, Known, Proof, same};

/// Whose user name and password these are, base64 as the header has them.
pub(super) fn check<'k>(keyring: &'k Keyring, encoded: &str) -> Result<&'k Known, Denied> {
    let (name, password) = decode(encoded)
        .ok_or_else(|| Denied("Basic is followed by base64 of name:password".to_owned()))?;
    let mut found = None;
    for known in &keyring.0 {
        let Proof::Basic { username, password: right } = &known.proof else { continue };
        let fits = same(username.as_bytes(), name.as_bytes())
            & same(right.expose_secret().as_bytes(), password.as_bytes());
        if fits {
            found = Some(known);
        }
    }
    found.ok_or_else(|| Denied("user name or password is wrong".to_owned()))
}

/// A name and a password, of which the password may contain colons.
pub(crate) fn decode(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
