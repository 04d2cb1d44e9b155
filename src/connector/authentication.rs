//! Credentials as an operator or a job writes them: texts that may hold `{{secrets.NAME}}`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::secrets;
use crate::servicenow::{Authentication, endpoint::OauthClient};

/// Credentials whose texts may still hold `{{secrets.NAME}}`.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Value")]
pub enum AuthenticationTemplate {
    /// HTTP Basic.
    Basic {
        /// ServiceNow user.
        username: String,
        /// The user's password.
        password: String,
    },
    /// A bearer token made elsewhere.
    Bearer {
        /// The token.
        token: String,
    },
    /// ServiceNow's inbound API key.
    ApiKey {
        /// Header name.
        header: String,
        /// The key.
        key: String,
    },
    /// OAuth client credentials.
    OauthClientCredentials(OauthClientTemplate),
    /// OAuth resource-owner password grant.
    OauthPassword {
        /// The OAuth client.
        client: OauthClientTemplate,
        /// ServiceNow user.
        username: String,
        /// The user's password.
        password: String,
    },
}

/// An OAuth client, texts unresolved.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthClientTemplate {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
    /// Requested scope.
    pub scope: Option<String>,
}

/// Why a value describes no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAuthentication(String);

const TYPES: &str = "basic, bearer, apiKey, oauthClientCredentials, oauthPassword";

impl TryFrom<Value> for AuthenticationTemplate {
    type Error = InvalidAuthentication;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let Value::Object(map) = value else {
            return Err(InvalidAuthentication(format!(
                "authentication is no context: give it a type ({TYPES}) and its credentials"
            )));
        };
        let kind = optional(&map, &["type"])?.unwrap_or_default();
        match kind.as_str() {
            "basic" => Ok(Self::Basic {
                username: required(&map, &["username"])?,
                password: required(&map, &["password"])?,
            }),
            "bearer" => Ok(Self::Bearer { token: required(&map, &["token"])? }),
            "apiKey" => Ok(Self::ApiKey {
                header: optional(&map, &["header"])?.unwrap_or_else(|| "x-sn-apikey".to_owned()),
                key: required(&map, &["key"])?,
            }),
            "oauthClientCredentials" => Ok(Self::OauthClientCredentials(client(&map)?)),
            "oauthPassword" => Ok(Self::OauthPassword {
                client: client(&map)?,
                username: required(&map, &["username"])?,
                password: required(&map, &["password"])?,
            }),
            other => Err(InvalidAuthentication(format!(
                "authentication.type '{}' is not known: use one of {TYPES}",
                crate::outcome::cut(other, 40)
            ))),
        }
    }
}

impl AuthenticationTemplate {
    /// Every text, for the search for secret names.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Basic { username, password } => vec![username, password],
            Self::Bearer { token } => vec![token],
            Self::ApiKey { header, key } => vec![header, key],
            Self::OauthClientCredentials(client) => client.texts(),
            Self::OauthPassword { client, username, password } => {
                let mut texts = client.texts();
                texts.extend([username.as_str(), password]);
                texts
            }
        }
    }

    /// The credentials, with every text passed through `resolve`.
    pub(crate) fn resolve<E>(
        &self,
        mut resolve: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<Authentication, E> {
        Ok(match self {
            Self::Basic { username, password } => Authentication::Basic {
                username: resolve(username)?,
                password: resolve(password)?.into(),
            },
            Self::Bearer { token } => Authentication::Bearer { token: resolve(token)?.into() },
            Self::ApiKey { header, key } => {
                Authentication::ApiKey { header: resolve(header)?, key: resolve(key)?.into() }
            }
            Self::OauthClientCredentials(client) => {
                Authentication::OauthClientCredentials(client.resolve(&mut resolve)?)
            }
            Self::OauthPassword { client, username, password } => Authentication::OauthPassword {
                client: client.resolve(&mut resolve)?,
                username: resolve(username)?,
                password: resolve(password)?.into(),
            },
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Bearer { .. } => "bearer",
            Self::ApiKey { .. } => "apiKey",
            Self::OauthClientCredentials(_) => "oauthClientCredentials",
            Self::OauthPassword { .. } => "oauthPassword",
        }
    }
}

/// Prints the type only: the texts may be the secrets themselves.
impl std::fmt::Debug for AuthenticationTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthenticationTemplate({})", self.kind())
    }
}

impl OauthClientTemplate {
    fn texts(&self) -> Vec<&str> {
        let mut texts = vec![self.client_id.as_str(), &self.client_secret];
        texts.extend(self.scope.as_deref());
        texts
    }

    fn resolve<E>(
        &self,
        resolve: &mut impl FnMut(&str) -> Result<String, E>,
    ) -> Result<OauthClient, E> {
        Ok(OauthClient {
            client_id: resolve(&self.client_id)?,
            client_secret: resolve(&self.client_secret)?.into(),
            scope: self.scope.as_deref().map(resolve).transpose()?,
        })
    }
}

impl std::fmt::Debug for OauthClientTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OauthClientTemplate")
    }
}

fn client(map: &Map<String, Value>) -> Result<OauthClientTemplate, InvalidAuthentication> {
    Ok(OauthClientTemplate {
        client_id: required(map, &["clientId", "client_id"])?,
        client_secret: required(map, &["clientSecret", "client_secret"])?,
        scope: optional(map, &["scope"])?,
    })
}

/// The text under the first of the spellings that is there; blank counts as absent.
fn optional(
    map: &Map<String, Value>,
    names: &[&str],
) -> Result<Option<String>, InvalidAuthentication> {
    match names.iter().find_map(|name| map.get(*name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => match secrets::misspelt(text) {
            Some(what) => {
                Err(InvalidAuthentication(format!("authentication.{}: {what}", names[0])))
            }
            None => Ok(Some(text.clone())),
        },
        Some(_) => Err(InvalidAuthentication(format!("authentication.{} is no text", names[0]))),
    }
}

fn required(map: &Map<String, Value>, names: &[&str]) -> Result<String, InvalidAuthentication> {
    optional(map, names)?.ok_or_else(|| {
        InvalidAuthentication(format!(
            "authentication.{} is missing: write it as {{{{secrets.NAME}}}} or as text",
            names[0]
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::AuthenticationTemplate;

    fn message(value: Value) -> String {
        AuthenticationTemplate::try_from(value).unwrap_err().to_string()
    }

    #[test]
    fn each_type_names_what_it_misses() {
        assert!(message(json!({"type": "basic", "username": "u"})).contains("password is missing"));
        assert!(message(json!({"type": "magic"})).contains("oauthPassword"));
        assert!(message(json!("basic")).contains("no context"));
        assert!(message(json!({"type": "bearer", "token": 7})).contains("token is no text"));
    }

    #[test]
    fn configuration_and_jobs_may_spell_the_client_their_own_way() {
        for map in [
            json!({"type": "oauthClientCredentials", "clientId": "a", "clientSecret": "b"}),
            json!({"type": "oauthClientCredentials", "client_id": "a", "client_secret": "b"}),
        ] {
            let template: AuthenticationTemplate = serde_json::from_value(map).unwrap();
            assert_eq!(template.texts(), ["a", "b"]);
        }
    }

    #[test]
    fn printing_shows_no_credential() {
        let template: AuthenticationTemplate =
            serde_json::from_value(json!({"type": "bearer", "token": "hush"})).unwrap();
        assert!(!format!("{template:?}").contains("hush"));
    }
}
