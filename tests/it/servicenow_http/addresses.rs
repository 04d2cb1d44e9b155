//! Where the client connects when a job names the instance.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use servicenow_worker::{
    ports::Transport,
    servicenow::{
        Authentication, Chooser, Endpoint, NoAnswerCause,
        endpoint::OauthClient,
        http::{Client, Config, Lookup},
    },
};
use tokio::net::TcpListener;

use super::{
    basic, client, config, endpoint, endpoint_of, get,
    server::{Server, Step, answer, json},
};

/// As a job names it.
fn named_by_a_job(address: &str) -> Arc<Endpoint> {
    let endpoint = (*endpoint_of(address, basic())).clone();
    Arc::new(Endpoint { connection: "inline".to_owned(), chosen_by: Chooser::Job, ..endpoint })
}

/// A lookup that gives these addresses one turn after the other, and counts the turns.
fn lookup(turns: &'static [&'static str]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lookup = Lookup::by(move |_| {
        let turn = counted.fetch_add(1, Ordering::SeqCst);
        Ok(vec![turns[turn.min(turns.len() - 1)].parse::<IpAddr>().unwrap()])
    });
    (lookup, asked)
}

async fn is_refused(client: &Client, endpoint: &Arc<Endpoint>) {
    let error = client.send(endpoint, get()).await.unwrap_err();
    let found = (error.cause, error.may_have_acted);
    assert_eq!(found, (NoAnswerCause::Invalid, false), "{error}");
    assert!(error.message.contains("allowed_networks"), "{error}");
}

#[tokio::test]
async fn an_address_instead_of_a_name_is_refused_before_any_socket_opens() {
    let server = Server::start(|_| json("200 OK", "{}")).await;
    let (lookup, asked) = lookup(&["127.0.0.1"]);
    let client = Client::new(&Config { lookup, ..config() }).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "127.0.0.1.",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "169.254.169.254",
        "0.0.0.0",
        "[::]",
    ] {
        for scheme in ["http", "https"] {
            let address = format!("{scheme}://{host}:{}", server.port);
            // Plain http is taken for loopback hosts alone.
            let Ok(instance) = servicenow_worker::servicenow::Instance::parse(&address, true)
            else {
                panic!("{address} is read")
            };
            let endpoint = named_by_a_job("https://dev1.service-now.com");
            let endpoint = Arc::new(Endpoint { instance, ..(*endpoint).clone() });
            is_refused(&client, &endpoint).await;
        }
    }
    assert_eq!((server.connections(), asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_name_that_leads_within_is_refused_at_connect_and_no_token_asked_for() {
    let server = Server::start(|_| json("200 OK", "{}")).await;
    let (lookup, asked) = lookup(&["127.0.0.1"]);
    let client = Client::new(&Config { lookup, ..config() }).unwrap();
    let plain = named_by_a_job(&format!("https://dev1.service-now.com:{}", server.port));
    is_refused(&client, &plain).await;
    let oauth = OauthClient { client_id: "id".into(), client_secret: "s3cret".into(), scope: None };
    let authentication = Authentication::OauthClientCredentials(oauth);
    is_refused(&client, &Arc::new(Endpoint { authentication, ..(*plain).clone() })).await;
    assert_eq!((server.connections(), asked.load(Ordering::SeqCst)), (0, 2));
}

#[tokio::test]
async fn a_name_that_is_bound_to_another_address_between_two_calls_is_refused() {
    let server = Server::start(|_| {
        let mut steps = answer("200 OK", "connection: close\r\n", "{}");
        steps.push(Step::Close);
        steps
    })
    .await;
    let within = TcpListener::bind(("127.0.0.2", server.port)).await.unwrap();
    let (lookup, asked) = lookup(&["127.0.0.1", "127.0.0.2"]);
    let allowed_networks = vec!["127.0.0.1".parse().unwrap()];
    let client = Client::new(&Config { lookup, allowed_networks, ..config() }).unwrap();
    let endpoint = named_by_a_job("https://dev1.service-now.com");
    let address = format!("http://dev1.service-now.com:{}", server.port);
    let instance = servicenow_worker::servicenow::Instance::parse(&address, true).unwrap();
    let endpoint = Arc::new(Endpoint { instance, ..(*endpoint).clone() });
    assert_eq!(client.send(&endpoint, get()).await.unwrap().status, 200);
    is_refused(&client, &endpoint).await;
    assert_eq!((server.connections(), asked.load(Ordering::SeqCst)), (1, 2));
    let nobody = tokio::time::timeout(std::time::Duration::from_millis(1), within.accept()).await;
    assert!(nobody.is_err(), "nobody has connected");
}

#[tokio::test]
async fn what_the_operator_chose_is_reached_wherever_it_is() {
    let server = Server::start(|_| json("200 OK", "{}")).await;
    let connection = endpoint(&server);
    assert_eq!(client().send(&connection, get()).await.unwrap().status, 200);
    let written_out = Endpoint { chosen_by: Chooser::AllowedHosts, ..(*connection).clone() };
    assert_eq!(client().send(&Arc::new(written_out), get()).await.unwrap().status, 200);
    let address = format!("http://127.0.0.1:{}", server.port);
    is_refused(&client(), &named_by_a_job(&address)).await;
    let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let client = Client::new(&Config { allowed_networks, ..config() }).unwrap();
    assert_eq!(client.send(&named_by_a_job(&address), get()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_proxy_looks_names_up_itself_and_may_be_within() {
    let proxy = Server::start(|_| json("200 OK", "{}")).await;
    let (lookup, _) = lookup(&["127.0.0.1"]);
    let url = format!("http://proxy.example:{}", proxy.port);
    let config = Config { proxy: Some(url.into()), lookup, ..config() };
    let client = Client::new(&config).unwrap();
    let endpoint = named_by_a_job("https://dev1.service-now.com");
    let instance =
        servicenow_worker::servicenow::Instance::parse("http://dev1.service-now.com", true)
            .unwrap();
    let endpoint = Arc::new(Endpoint { instance, ..(*endpoint).clone() });
    assert_eq!(client.send(&endpoint, get()).await.unwrap().status, 200);
    assert!(proxy.requests()[0].target().starts_with("http://dev1.service-now.com/"));
    is_refused(&client, &named_by_a_job("https://10.0.0.1")).await;
}
