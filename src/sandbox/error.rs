//! What can be wrong with the emulator's own files.

/// Why a sandbox cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The seed is not JSON, or not of the form `{"table": [{"field": "value"}]}`.
    #[error("seed: {0}: use {{\"table\": [{{\"field\": \"value\"}}]}}")]
    Seed(String),
    /// A table definition cannot be read.
    #[error("definition of table '{0}': {1}")]
    Definition(String, String),
    /// A table extends one that is not there.
    #[error("table '{0}' is extended but not defined: define it under $tables")]
    UnknownParent(String),
    /// Tables extend each other in a circle.
    #[error("table '{0}' extends itself: break the circle of extends")]
    EndlessParents(String),
    /// A business rule cannot be read, or cannot work.
    #[error("business rule '{0}': {1}")]
    BusinessRule(String, String),
    /// Certificate or key cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
}
