//! Credentials for each call, put in at the moment of sending.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use tonic::{Request, metadata::MetadataValue};

use super::{Authentication, Error, oauth::Tokens};
use crate::ports::{GatewayError, GatewayErrorKind};

/// Where the `authorization` metadata comes from.
#[derive(Debug)]
pub(super) enum Credentials {
    None,
    Fixed(MetadataValue<tonic::metadata::Ascii>),
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
        let (value, used) = match self {
            Self::None => return Ok(Used::default()),
            Self::Fixed(value) => (value.clone(), Used::default()),
            Self::Tokens(tokens) => {
                let token = tokens.current().await?;
                (sensitive(&format!("Bearer {}", token.text.expose_secret()))?, Used(token.number))
            }
        };
        request.metadata_mut().insert("authorization", value);
        Ok(used)
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

fn sensitive(text: &str) -> Result<MetadataValue<tonic::metadata::Ascii>, GatewayError> {
    let mut value: MetadataValue<_> = text.parse().map_err(|_| GatewayError {
        kind: GatewayErrorKind::Unauthenticated,
        message: "the credentials for the gateway have characters that no header can carry"
            .to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
