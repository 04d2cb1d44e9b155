//! Secrets from the environment and from a directory of files.
//!
//! Policy:
//!
//! - The directory wins over the environment: a mounted file can be rotated while the
//!   worker runs, a variable cannot, so the file is the newer word where both exist.
//! - A name has letters, digits, `_`, `.` and `-`, and no leading dot. Any other name is
//!   unknown, so that no name can reach out of the directory or into the `..data` folders
//!   that Kubernetes keeps there. Symbolic links *inside* the directory are followed:
//!   Kubernetes mounts every secret as one.
//! - A file is looked at again at most once a second and read only when it changed.
//! - A secret that is there but cannot be read is an error, never "unknown" and never
//!   replaced by a variable of the same name.

mod file;

use std::{collections::HashMap, fmt, io, path::PathBuf};

use secrecy::SecretString;

use crate::ports::{SecretProvider, SecretUnreadable};

use file::Directory;

/// Longest secret, in bytes: what a Kubernetes secret rarely reaches, and no password does.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Longest name of a secret; well below what file systems take.
const MAX_NAME_BYTES: usize = 200;

/// Where secrets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the names of environment variables that are secrets begin with; `SECRET_`.
    pub env_prefix: String,
    /// A directory with one file a secret, as Kubernetes mounts them; `None` is off.
    pub directory: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self { env_prefix: "SECRET_".to_owned(), directory: None }
    }
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Without a prefix the whole environment would be secrets.
    #[error(
        "secrets.env_prefix is empty, so every environment variable would be a secret: \
         use a prefix such as SECRET_"
    )]
    EmptyPrefix,
    /// The directory is not there.
    #[error("secrets.directory '{}' cannot be used: {source}", path.display())]
    Directory {
        /// As configured.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Looks secrets up in a directory, then in the environment.
pub struct SecretStore {
    directory: Option<Directory>,
    variables: HashMap<String, SecretString>,
}

impl SecretStore {
    /// A store over the configured directory and those of the given environment variables
    /// that begin with the prefix.
    pub fn new(
        config: &Config,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        if config.env_prefix.is_empty() {
            return Err(Error::EmptyPrefix);
        }
        let directory = config.directory.as_ref().map(|path| {
            Directory::open(path).map_err(|source| Error::Directory { path: path.clone(), source })
        });
        let variables = environment
            .into_iter()
            .filter_map(|(key, value)| {
                let name = key.strip_prefix(&config.env_prefix)?;
                Some((name.to_owned(), SecretString::from(value)))
            })
            .collect();
        Ok(Self { directory: directory.transpose()?, variables })
    }
}

impl SecretProvider for SecretStore {
    fn secret(&self, name: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        if !is_name(name) {
            return Ok(None);
        }
        let from_file = match &self.directory {
            Some(directory) => directory.secret(name)?,
            None => None,
        };
        Ok(from_file.or_else(|| self.variables.get(name).cloned()))
    }
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretStore")
            .field("directory", &self.directory)
            .field("variables", &self.variables.len())
            .finish()
    }
}

/// Whether a text can be the name of a secret.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{Config, Error, SecretStore, is_name};

    #[test]
    fn a_name_cannot_be_a_path() {
        for name in ["SN_PASSWORD", "a", "tls.key", "db-2", "a..b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "..data", ".hidden", "a b", "ä", "a\0"]
        {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"a".repeat(201)));
    }

    #[test]
    fn an_empty_prefix_would_make_every_variable_a_secret() {
        let config = Config { env_prefix: String::new(), directory: None };
        assert!(matches!(SecretStore::new(&config, []), Err(Error::EmptyPrefix)));
    }
}
