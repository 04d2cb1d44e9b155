//! What we trust when we connect, and who we are there: one TLS set-up for everything that
//! goes out.
//!
//! TLS 1.2 and 1.3, which is all the library can. A file of authorities takes the place of
//! the public ones, it does not add to them. There is no way to leave the check out.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// A TLS set-up that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no list of certificates.
    #[error("'{}' cannot be read as PEM certificates: {message}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The file is no key.
    #[error("'{}' cannot be read as a PEM private key: {message}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Certificate and key do not fit, or are of a kind that cannot be used.
    #[error("'{}' and '{}' cannot be used together: {message}", certificate.display(), key.display())]
    Identity {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        message: String,
    },
    /// The library refused.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// The certificate that says who we are, for servers that ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PEM: the certificate, then those that lead to its authority.
    pub certificate_file: PathBuf,
    /// PEM: its private key.
    pub key_file: PathBuf,
}

/// TLS 1.2 and 1.3, trusting the file's authorities, or without a file the public ones.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, Error> {
    client_config_as(None, ca_file)
}

/// The same with a certificate of our own.
pub fn client_config_as(
    identity: Option<&Identity>,
    ca_file: Option<&Path>,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(ca_file)?);
    let Some(identity) = identity else { return Ok(builder.with_no_client_auth()) };
    let Identity { certificate_file, key_file } = identity;
    let chain = certificates(certificate_file)?;
    let key = private_key(key_file)?;
    builder.with_client_auth_cert(chain, key).map_err(|error| Error::Identity {
        certificate: certificate_file.clone(),
        key: key_file.clone(),
        message: error.to_string(),
    })
}

/// Everything that is wrong with the files of a set-up; [`client_config_as`] stops at the
/// first.
pub fn mistakes(identity: Option<&Identity>, ca_file: Option<&Path>) -> Vec<Error> {
    let mut mistakes: Vec<_> = roots(ca_file).err().into_iter().collect();
    if let Some(Identity { certificate_file, key_file }) = identity {
        mistakes.extend(certificates(certificate_file).err());
        mistakes.extend(private_key(key_file).err());
    }
    if mistakes.is_empty() {
        mistakes.extend(client_config_as(identity, ca_file).err());
    }
    mistakes
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| Error::KeyFile { path: path.to_owned(), message: error.to_string() })
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unreadable(path, &error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| unreadable(path, &error))?;
    if certificates.is_empty() {
        return Err(unreadable(path, &"it holds no certificate"));
    }
    Ok(certificates)
}

fn unreadable(path: &Path, what: &dyn std::fmt::Display) -> Error {
    Error::CaFile { path: path.to_owned(), message: what.to_string() }
}
