//! Whom the client trusts.

use std::{path::PathBuf, sync::Arc};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::PrivateKeyDer,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use servicenow_worker::{
    ports::Transport,
    servicenow::{
        Chooser, Endpoint, NoAnswer, NoAnswerCause,
        http::{Client, Config, Error, OwnTls},
    },
    tls::Identity,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{
    basic, config, endpoint_of, post,
    server::{Server, json},
};

pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(super) fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `localhost`, changed as a test wants, with its key.
fn certified(
    authority: &Authority,
    change: impl FnOnce(&mut CertificateParams),
) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    (params.signed_by(&key, authority).unwrap(), key)
}

/// A server for `localhost` with a certificate of this authority.
pub(super) async fn server(authority: &Authority) -> Server {
    start(certified(authority, |_| ()), None).await
}

/// A server that lets in only who has a certificate of `clients`.
async fn server_for(clients: &Authority, authority: &Authority, version: Version) -> Server {
    let mut roots = RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    start(certified(authority, |_| ()), Some((builder.build().unwrap(), version))).await
}

type Version = &'static SupportedProtocolVersion;

async fn start(
    (certificate, key): (Certificate, KeyPair),
    clients: Option<(Arc<dyn ClientCertVerifier>, Version)>,
) -> Server {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = match clients {
        None => builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth(),
        Some((verifier, version)) => {
            builder.with_protocol_versions(&[version]).unwrap().with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start_with(Some(acceptor), |_| json("201 Created", "{}")).await
}

pub(super) fn ca_file(directory: &TempDir, authority: &Authority) -> PathBuf {
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

/// An identity in files.
fn identity(directory: &TempDir, name: &str, clients: &Authority) -> Identity {
    let (certificate, key) = certified(clients, |_| ());
    let file = |end: &str, text: &str| {
        let path = directory.path().join(format!("{name}-{end}"));
        std::fs::write(&path, text).unwrap();
        path
    };
    Identity {
        certificate_file: file("cert.pem", &certificate.pem()),
        key_file: file("key.pem", &key.serialize_pem()),
    }
}

fn own(ca_file: Option<PathBuf>, identity: Option<Identity>) -> Config {
    let own = OwnTls { connection: "default".to_owned(), ca_file, identity };
    Config { own_tls: vec![own], ..config() }
}

fn at(server: &Server) -> Arc<Endpoint> {
    endpoint_of(&format!("https://localhost:{}", server.port), basic())
}

async fn refused(config: &Config, endpoint: &Arc<Endpoint>) -> NoAnswer {
    let error = Client::new(config).unwrap().send(endpoint, post()).await.unwrap_err();
    let found = (error.cause, error.may_have_acted);
    assert_eq!(found, (NoAnswerCause::Unreachable, false), "{error}");
    error
}

#[tokio::test]
async fn a_connection_trusts_its_own_authorities_in_place_of_those_of_all() {
    let (directory, ours, theirs) = (tempfile::tempdir().unwrap(), authority(), authority());
    let (ours_server, theirs_server) = (server(&ours).await, server(&theirs).await);
    let own = own(Some(ca_file(&directory, &ours)), None);
    let general = directory.path().join("general.pem");
    std::fs::write(&general, theirs.pem()).unwrap();
    let config = Config { ca_file: Some(general), ..own };
    let client = Client::new(&config).unwrap();
    assert_eq!(client.send(&at(&ours_server), post()).await.unwrap().status, 201);
    assert!(refused(&config, &at(&theirs_server)).await.message.contains("ca_file"));

    let as_other = |chosen_by: Chooser, server: &Server| {
        Arc::new(Endpoint { connection: "inline".to_owned(), chosen_by, ..(*at(server)).clone() })
    };
    let by_its_address = Chooser::Connection("default".to_owned());
    let inline = client.send(&as_other(by_its_address, &ours_server), post()).await;
    assert_eq!(inline.unwrap().status, 201, "a job may name the instance itself");
    let other = Chooser::Connection("other".to_owned());
    assert!(client.send(&as_other(other.clone(), &ours_server), post()).await.is_err());
    assert_eq!(client.send(&as_other(other, &theirs_server), post()).await.unwrap().status, 201);
}

#[tokio::test]
async fn an_expired_certificate_is_refused_before_anything_is_sent() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), authority());
    let past = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 1);
    };
    let server = start(certified(&authority, past), None).await;
    let config = Config { ca_file: Some(ca_file(&directory, &authority)), ..config() };
    let error = refused(&config, &at(&server)).await;
    assert!(error.message.contains("expired"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_the_one_of_the_connection_and_no_other() {
    let (directory, authority, clients) =
        (tempfile::tempdir().unwrap(), authority(), self::authority());
    let ca = Some(ca_file(&directory, &authority));
    for version in [&TLS12, &TLS13] {
        let server = server_for(&clients, &authority, version).await;
        let right = own(ca.clone(), Some(identity(&directory, "right", &clients)));
        let client = Client::new(&right).unwrap();
        assert_eq!(client.send(&at(&server), post()).await.unwrap().status, 201);
        assert_eq!(server.requests().len(), 1);

        let inline =
            Arc::new(Endpoint { connection: "inline".to_owned(), ..(*at(&server)).clone() });
        let foreign = own(ca.clone(), Some(identity(&directory, "foreign", &authority)));
        for (config, endpoint) in
            [(own(ca.clone(), None), at(&server)), (foreign, at(&server)), (right, inline)]
        {
            let error = refused(&config, &endpoint).await;
            assert!(error.message.contains("client_certificate_file"), "{error}");
            assert_eq!(server.requests().len(), 1, "nothing more has come");
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_nothing_newer_than_tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        // A ServerHello of TLS 1.1: version, random, no session, a suite, no compression.
        let mut body = vec![2, 0, 0, 38, 3, 2];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x14, 0]);
        let mut record = vec![22, 3, 2, 0, u8::try_from(body.len()).unwrap()];
        record.extend(body);
        stream.write_all(&record).await.unwrap();
        hello
    });
    let endpoint = endpoint_of(&format!("https://localhost:{port}"), basic());
    refused(&config(), &endpoint).await;
    // supported_versions: four bytes of two versions, 1.3 and 1.2.
    let versions = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    let hello = hello.await.unwrap();
    assert!(hello.windows(versions.len()).any(|part| part == versions), "{hello:?}");
}

#[test]
fn files_of_a_connection_that_cannot_be_used_are_named_with_it() {
    let (directory, clients) = (tempfile::tempdir().unwrap(), authority());
    let (one, two) = (identity(&directory, "1", &clients), identity(&directory, "2", &clients));
    let nowhere = directory.path().join("nowhere.pem");
    let mixed = Identity { key_file: two.key_file, ..one.clone() };
    let no_key = Identity { key_file: one.certificate_file.clone(), ..one };
    for (ca_file, identity, said) in [
        (Some(nowhere), None, "nowhere.pem"),
        (None, Some(mixed), "cannot be used together"),
        (None, Some(no_key), "cannot be read as a PEM private key"),
    ] {
        let error = Client::new(&own(ca_file, identity)).unwrap_err().to_string();
        assert!(error.starts_with("connections.default: ") && error.contains(said), "{error}");
    }
}
