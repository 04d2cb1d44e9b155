//! The endpoint over TLS.

use servicenow_worker::tls::client_config;

use super::{
    rig::{CREDENTIALS, Rig},
    wire::Request,
};
use crate::support::gateway::{Authority, Settings};

#[tokio::test]
async fn with_a_certificate_it_speaks_https_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new().unwrap();
    let (certificate, key) = authority.pem_pair("localhost").unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca.pem", &authority.pem());
    let (cert, key) = (file("cert.pem", &certificate), file("key.pem", &key));
    let settings = format!(
        "[inbound]\ntls = {{ cert = '{}', key = '{}' }}\n{CREDENTIALS}",
        cert.display(),
        key.display()
    );
    let rig = Rig::with(&settings, Settings::default()).await;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(client_config(Some(&ca)).unwrap())
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/v2/license", rig.endpoint.address.port());
    let reply = client.get(url).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let plain = Request::new("GET", "/v2/license");
    let address = rig.endpoint.address;
    let plain = tokio::spawn(async move { plain.send(address).await });
    assert!(plain.await.is_err(), "there is no HTTP answer to plain HTTP");
}
