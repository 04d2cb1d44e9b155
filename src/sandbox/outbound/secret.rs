//! A secret of a rule: written once, never shown.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What is shown in its place.
const HIDDEN: &str = "(hidden)";

/// A password, key or token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for those who prove it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl TryFrom<String> for Secret {
    type Error = String;

    /// Refuses what a read of the rules shows, or a rule written back would lose its secret.
    fn try_from(text: String) -> Result<Self, String> {
        if text == HIDDEN {
            return Err(format!("'{HIDDEN}' is no secret: write the secret itself"));
        }
        Ok(Self(text))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(HIDDEN)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}
