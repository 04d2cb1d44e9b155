//! `GET /openapi.json`: what the endpoint offers, for tools that build requests from such a
//! description. It is the same for everybody and names no route, credential or setting, so
//! it needs no credential.

use std::sync::LazyLock;

use serde_json::Value;

use super::answer::Answer;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("openapi.json")).unwrap_or_default());

/// The description, with the addresses below this prefix.
pub(crate) fn document(prefix: &str) -> Answer {
    let mut document = DOCUMENT.clone();
    let server = if prefix.is_empty() { "/" } else { prefix };
    for (place, address) in [
        ("/servers/0/url", server.to_owned()),
        (
            "/components/securitySchemes/client/flows/clientCredentials/tokenUrl",
            format!("{prefix}/oauth/token"),
        ),
    ] {
        if let Some(known) = document.pointer_mut(place) {
            *known = address.into();
        }
    }
    Answer::json(document)
}
