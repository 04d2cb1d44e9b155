//! Whom the client trusts.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use servicenow_worker::{
    ports::Transport,
    servicenow::{
        NoAnswerCause,
        http::{Client, Config, Error},
    },
};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::{
    basic, config, endpoint_of, post,
    server::{Server, json},
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server for `localhost` with a certificate of this authority.
async fn server(authority: &Authority) -> Server {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start_with(Some(acceptor), |_| json("201 Created", "{}")).await
}

fn ca_file(directory: &TempDir, authority: &Authority) -> PathBuf {
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    path
}

#[tokio::test]
async fn the_authority_of_the_file_is_trusted_over_one_kept_connection() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), authority());
    let server = server(&authority).await;
    let config = Config { ca_file: Some(ca_file(&directory, &authority)), ..config() };
    let client = Client::new(&config).unwrap();
    let endpoint = endpoint_of(&format!("https://localhost:{}", server.port), basic());
    for _ in 0..3 {
        assert_eq!(client.send(&endpoint, post()).await.unwrap().status, 201);
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn an_unknown_authority_and_a_foreign_name_are_refused_before_anything_is_sent() {
    let (directory, known, unknown) = (tempfile::tempdir().unwrap(), authority(), authority());
    let file = Some(ca_file(&directory, &known));
    let (of_known, of_unknown) = (server(&known).await, server(&unknown).await);
    for (ca_file, host, server) in [
        (file.clone(), "localhost", &of_unknown),
        (file, "127.0.0.1", &of_known),
        (None, "localhost", &of_known),
    ] {
        let client = Client::new(&Config { ca_file, ..config() }).unwrap();
        let endpoint = endpoint_of(&format!("https://{host}:{}", server.port), basic());
        let error = client.send(&endpoint, post()).await.unwrap_err();
        assert_eq!((error.cause, error.may_have_acted), (NoAnswerCause::Unreachable, false));
        assert!(error.message.contains("ca_file"), "{error}");
        assert!(server.requests().is_empty());
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_a_mistake_in_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for (file, said) in [
        (directory.path().join("none.pem"), "none.pem"),
        (empty, "empty.pem' cannot be read as PEM certificates: it holds no certificate"),
    ] {
        let error = Client::new(&Config { ca_file: Some(file), ..config() }).unwrap_err();
        assert!(matches!(error, Error::Tls(_)) && error.to_string().contains(said), "{error}");
    }
}
