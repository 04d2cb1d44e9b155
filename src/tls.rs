//! What we trust when we connect: one TLS set-up for everything that goes out.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
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
    /// The library refused.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// TLS 1.2 and 1.3, trusting the file's authorities, or without a file the public ones.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let fail = |message: String| Error::CaFile { path: path.to_owned(), message };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| fail(e.to_string()))?;
                roots.add(certificate).map_err(|e| fail(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(fail("it holds no certificate".to_owned()));
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
