use serde_json::Value;
use servicenow_worker::sandbox::{Config, Sandbox, tls};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{basic, client};

#[tokio::test]
async fn https_is_served_with_a_certificate_of_ones_own_and_links_say_https() {
    drop(client()); // installs the crypto provider
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
    let sandbox = Sandbox::new(Config::demo().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let stop = CancellationToken::new();
    let config = tls::config(certificate.as_bytes(), key.as_bytes()).unwrap();
    let (served, stopped) = (sandbox.clone(), stop.clone());
    let run = tokio::spawn(async move { served.run_tls(listener, config, stopped).await });

    let trusted = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let path = "/api/now/table/incident?sysparm_limit=1&sysparm_fields=sys_domain";
    let request =
        client.get(format!("{base}{path}")).header("authorization", basic("itil", "itil"));
    let text = request.send().await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    let link = answer["result"][0]["sys_domain"]["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{base}/api/now/table/")), "{link}");
    assert_eq!(sandbox.connections(), 1);

    drop(client);
    stop.cancel();
    run.await.unwrap().unwrap();
}

#[test]
fn certificates_and_keys_that_cannot_be_read_are_named() {
    let error = tls::config(b"nothing", b"nothing").unwrap_err().to_string();
    assert!(error.contains("key"), "{error}");
}
