//! Credentials for each call, put in at the moment of sending.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use tonic::{Request, metadata::MetadataValue};

use super::{Authentication, Error, oauth::Tokens};
use crate::ports::{GatewayError, GatewayErrorKind};

/// A value of the `authorization` metadata.
pub(super) type Value = MetadataValue<tonic::metadata::Ascii>;

/// Where the `authorization` metadata comes from.
#[derive(Debug)]
pub(super) enum Credentials {
    None,
    Fixed(Value),
    Tokens(Box<Tokens>),
}

impl Credentials {
    pub(super) fn new(
        authentication: &Authentication,
        tls: &rustls::ClientConfig,
    ) -> Result<Self, Error> {
        match authentication {
            Authentication::None => Ok(Self::None),
            Authentication::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose_secret());
                let text = format!("Basic {}", BASE64_STANDARD.encode(pair));
                Ok(Self::Fixed(
                    sensitive(&text).map_err(|error| Error::TokenClient(error.message))?,
                ))
            }
            Authentication::Oidc(oidc) => {
                Ok(Self::Tokens(Box::new(Tokens::new(oidc.clone(), tls.clone())?)))
            }
        }
    }

    /// Adds the credentials to a request. Tells which token was used.
    pub(super) async fn apply<M>(&self, request: &mut Request<M>) -> Result<Used, GatewayError> {
        let (value, used) = self.value().await?;
        if let Some(value) = value {
            request.metadata_mut().insert("authorization", value);
        }
        Ok(used)
    }

    /// The `authorization` value for a call now, and which token it is.
    pub(super) async fn value(&self) -> Result<(Option<Value>, Used), GatewayError> {
        match self {
            Self::None => Ok((None, Used::default())),
            Self::Fixed(value) => Ok((Some(value.clone()), Used::default())),
            Self::Tokens(tokens) => {
                let token = tokens.current().await?;
                let value = sensitive(&format!("Bearer {}", token.text.expose_secret()))?;
                Ok((Some(value), Used(token.number)))
            }
        }
    }

    /// The gateway refused the token that was used. Tells whether another try with a new one
    /// makes sense.
    pub(super) async fn refused(&self, used: Used) -> bool {
        match self {
            Self::Tokens(tokens) => tokens.renew(used.0).await,
            Self::None | Self::Fixed(_) => false,
        }
    }
}

/// Number of the token that a call used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used(u64);

fn sensitive(text: &str) -> Result<Value, GatewayError> {
    let mut value: MetadataValue<_> = text.parse().map_err(|_| GatewayError {
        kind: GatewayErrorKind::Unauthenticated,
        message: "the credentials for the gateway have characters that no header can carry"
            .to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
