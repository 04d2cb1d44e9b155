//! How a rule proves itself to the URL it calls.

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Secret, sign};

/// The proof. In JSON: `"none"`, or `{"basic": {"user": "camunda", "password": "…"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Authentication {
    /// None.
    #[default]
    None,
    /// HTTP basic.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that does not change.
    Bearer {
        /// The token.
        token: Secret,
    },
    /// A token of the OAuth grant for client credentials, kept until it runs out.
    ClientCredentials {
        /// Where tokens are had.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: Secret,
        /// The form field `scope`; left out without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// The form field `audience`; left out without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// Whether id and secret go into a basic header rather than into the form.
        #[serde(default)]
        basic_header: bool,
    },
    /// A key in a header.
    ApiKey {
        /// The header.
        #[serde(default = "api_key_header")]
        header: String,
        /// The key.
        key: Secret,
    },
    /// HMAC-SHA256 of the raw body, as `generateMac` of `CertificateEncryption` makes it.
    Hmac {
        /// The header.
        header: String,
        /// The key in base64, as `generateMac` takes it.
        key: Secret,
        /// How the bytes of the signature are written.
        #[serde(default)]
        encoding: Encoding,
        /// What stands before the signature, such as `sha256=`.
        #[serde(default)]
        prefix: String,
    },
    /// The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of Standard
    /// Webhooks.
    StandardWebhooks {
        /// The secret: base64, with or without `whsec_` before it.
        secret: Secret,
    },
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// Base64, as `generateMac` answers.
    #[default]
    Base64,
    /// Small hexadecimal digits.
    Hex,
}

fn api_key_header() -> String {
    "x-api-key".to_owned()
}

impl Authentication {
    /// What makes it unusable.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Basic { user, .. } if user.contains(':') => {
                Err("user has a colon: HTTP basic cannot carry it".to_owned())
            }
            Self::None | Self::Basic { .. } => Ok(()),
            Self::Bearer { token } => fits_header("token", token.reveal()),
            Self::ClientCredentials { token_url, .. } => web_address("tokenUrl", token_url),
            Self::ApiKey { header, key } => {
                is_header(header)?;
                fits_header("key", key.reveal())
            }
            Self::Hmac { header, key, prefix, .. } => {
                is_header(header)?;
                fits_header("prefix", prefix)?;
                sign::key(key.reveal()).map(drop)
            }
            Self::StandardWebhooks { secret } => sign::webhook_key(secret.reveal()).map(drop),
        }
        .map_err(|error| format!("authentication: {error}"))
    }
}

fn is_header(name: &str) -> Result<(), String> {
    HeaderName::from_bytes(name.as_bytes())
        .map(drop)
        .map_err(|_| format!("header '{name}' is no name of a header: use letters, digits and '-'"))
}

fn fits_header(field: &str, value: &str) -> Result<(), String> {
    HeaderValue::from_str(value)
        .map(drop)
        .map_err(|_| format!("{field} has characters that no header can carry: use ASCII"))
}

/// Whether that is an address that can be called.
pub(super) fn web_address(field: &str, text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("{field} is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{field} begins with {}: use http or https", url.scheme()));
    }
    Ok(())
}
