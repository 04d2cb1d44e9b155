//! Secrets from the environment and from a directory.
