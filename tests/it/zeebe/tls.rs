//! Whom the client trusts, and by which name it asks.

use servicenow_worker::{
    ports::{GatewayErrorKind, JobGateway},
    zeebe::{Config, Error, Gateway},
};
use tempfile::TempDir;

use super::gateway;
use crate::support::gateway::{Authority, ScriptedGateway, Settings};

async fn gateway_of(authority: &Authority, name: &str) -> ScriptedGateway {
    let tls = Some(authority.identity(name).unwrap());
    ScriptedGateway::start(Settings { tls, ..Settings::default() }).await.unwrap()
}

fn trusting(directory: &TempDir, authority: &Authority, gateway: &ScriptedGateway) -> Config {
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    Config { ca_file: Some(file), ..gateway.client() }
}

#[tokio::test]
async fn the_authority_of_the_file_is_trusted() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new().unwrap());
    let gateway = gateway_of(&authority, "localhost").await;
    let client = Gateway::new(&trusting(&directory, &authority, &gateway)).unwrap();
    assert_eq!(client.topology().await.unwrap().partitions, 1);
}

#[tokio::test]
async fn an_unknown_authority_and_a_foreign_name_are_refused() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new().unwrap());
    let unknown = gateway_of(&Authority::new().unwrap(), "localhost").await;
    let foreign = gateway_of(&authority, "zeebe.example").await;
    let by_public_roots = gateway_of(&authority, "localhost").await;
    for config in [
        trusting(&directory, &authority, &unknown),
        trusting(&directory, &authority, &foreign),
        by_public_roots.client(),
    ] {
        let error = Gateway::new(&config).unwrap().topology().await.unwrap_err();
        assert_eq!(error.kind, GatewayErrorKind::Unavailable);
        assert!(error.message.contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn the_authority_override_is_the_name_that_is_asked_for_and_checked() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new().unwrap());
    let secure = gateway_of(&authority, "zeebe.example").await;
    let config = Config {
        authority: Some("zeebe.example:443".to_owned()),
        ..trusting(&directory, &authority, &secure)
    };
    Gateway::new(&config).unwrap().topology().await.unwrap();
    assert_eq!(secure.authorities(), ["zeebe.example:443"]);
    let plain = gateway().await;
    let config = Config { authority: Some("zeebe.internal".to_owned()), ..plain.client() };
    Gateway::new(&config).unwrap().topology().await.unwrap();
    assert_eq!(plain.authorities(), ["zeebe.internal"]);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let config = Config { address: "https://localhost:1".to_owned(), ..Config::default() };
    let with = |address: &str| Config { address: address.to_owned(), ..Config::default() };
    for (config, said) in [
        (Config { ca_file: Some(empty), ..config.clone() }, "empty.pem"),
        (Config { authority: Some("two words".to_owned()), ..config }, "zeebe.authority"),
        (with("localhost:26500"), "zeebe.grpc_address"),
        (with("ftp://localhost:26500"), "zeebe.grpc_address"),
        (with("http://"), "zeebe.grpc_address"),
    ] {
        let error: Error = Gateway::new(&config).unwrap_err();
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}
