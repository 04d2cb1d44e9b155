//! What went wrong in comparable systems, tried at the wire. `docs/fault-table.md` lists them.

use std::sync::Arc;

use servicenow_worker::{
    ports::Transport,
    servicenow::{
        Chooser, Endpoint, NoAnswerCause,
        http::{Client, Config, Lookup},
    },
};

use super::{
    basic, config, endpoint_of, get,
    server::{Server, json},
    tls,
};

fn named_by_a_job(address: &str) -> Arc<Endpoint> {
    let endpoint = (*endpoint_of(address, basic())).clone();
    Arc::new(Endpoint { connection: "inline".to_owned(), chosen_by: Chooser::Job, ..endpoint })
}

#[tokio::test]
async fn cve_2026_42449_an_ipv4_address_in_ipv6_clothing_gets_no_key() {
    let client = Client::new(&config()).unwrap();
    for host in ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]"] {
        let reply = client.send(&named_by_a_job(&format!("https://{host}")), get()).await;
        assert_eq!(reply.unwrap_err().cause, NoAnswerCause::Invalid, "{host}");
    }
}

#[tokio::test]
async fn camunda_verified_host_a_name_is_checked_where_it_is_connected_to() {
    let server = Server::start(|_| json("200 OK", "{}")).await;
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "::1"] {
        let lookup = Lookup::by(move |_| Ok(vec![address.parse().unwrap()]));
        let client = Client::new(&Config { lookup, ..config() }).unwrap();
        let endpoint = named_by_a_job(&format!("https://dev1.service-now.com:{}", server.port));
        let error = client.send(&endpoint, get()).await.unwrap_err();
        assert_eq!(error.cause, NoAnswerCause::Invalid, "{address}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn cve_2026_22750_a_configured_authority_is_the_only_one_that_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (tls::authority(), tls::authority());
    let ca_file = Some(tls::ca_file(&directory, &ours));
    let client = Client::new(&Config { ca_file, ..config() }).unwrap();
    let (trusted, other) = (tls::server(&ours).await, tls::server(&theirs).await);
    let at = |server: &Server| endpoint_of(&format!("https://localhost:{}", server.port), basic());
    assert_eq!(client.send(&at(&trusted), get()).await.unwrap().status, 201);
    let error = client.send(&at(&other), get()).await.unwrap_err();
    assert_eq!(error.cause, NoAnswerCause::Unreachable);
    assert!(other.requests().is_empty());
}
