//! The examples of `docs/inbound.md`: its files are read as configurations, and its requests
//! are sent, in their order, to one endpoint that runs with the first of them. An answer that
//! follows another belongs to the same request, sent again. `…` stands for any text, in a
//! request for the latest token; a key of the engine's stands for any other.

use serde_json::Value;
use servicenow_worker::config::{Config, Environment};

use super::{
    rig::Endpoint,
    wire::{Reply, Request},
};
use crate::support::{
    bpmn,
    gateway::{ScriptedGateway, Settings},
};

const PAGE: &str = include_str!("../../../docs/inbound.md");
const ANY: &str = "…";

/// The fenced blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("\n```").skip(1).step_by(2);
    let named = blocks.map(|block| block.split_once('\n').unwrap());
    named.filter(|(name, _)| *name == language).map(|(_, text)| text).collect()
}

/// The secrets of the page.
fn environment() -> Environment {
    let lines = blocks("sh")[0].lines().map(|line| line.strip_prefix("export ").unwrap());
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    let pairs: Vec<_> = pairs.map(|(name, value)| (name, value.trim_matches('\''))).collect();
    Environment::from(<[_; 3]>::try_from(pairs).unwrap())
}

/// Headers and body of a block, behind its first line.
fn parts(block: &str) -> (Vec<(&str, &str)>, &str) {
    let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
    let headers = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
    (headers.collect(), body)
}

fn request(block: &str, token: &str) -> Request {
    let (method, path) = block.lines().next().unwrap().split_once(' ').unwrap();
    let (headers, body) = parts(block);
    let request = headers.into_iter().fold(Request::new(method, path), |request, (name, value)| {
        request.header(name, &value.replace(ANY, token))
    });
    Request { body: body.as_bytes().to_vec(), ..request }
}

/// Whether an answer is the one of the page.
fn is_said(block: &str, reply: &Reply) -> bool {
    let status = block.split(' ').nth(1).unwrap();
    let (headers, body) = parts(block);
    status == reply.status.to_string()
        && headers.iter().all(|(name, value)| {
            reply.header(&name.to_ascii_lowercase()).is_some_and(|given| given == *value)
        })
        && fits(&serde_json::from_str(body).unwrap(), &reply.body)
}

fn fits(said: &Value, given: &Value) -> bool {
    match (said, given) {
        (Value::String(said), Value::String(given)) => {
            said == ANY || said == given || (is_key(said) && is_key(given))
        }
        (Value::Object(said), Value::Object(given)) => {
            said.len() == given.len()
                && said.iter().all(|(name, said)| given.get(name).is_some_and(|it| fits(said, it)))
        }
        _ => said == given,
    }
}

fn is_key(text: &str) -> bool {
    text.len() >= 16 && text.bytes().all(|b| b.is_ascii_digit())
}

#[test]
fn every_file_of_the_page_is_a_configuration() {
    let files = blocks("toml");
    assert_eq!(files.len(), 2);
    for file in files {
        let config = Config::read(Some(file), &environment());
        assert!(config.unwrap_or_else(|e| panic!("{e}\nin\n{file}")).inbound.is_some());
    }
}

#[tokio::test]
async fn every_request_of_the_page_gets_the_answer_of_the_page() {
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    let process = bpmn::one_task("order-fulfilment");
    gateway.engine().deploy("order-fulfilment.bpmn", process.as_bytes()).unwrap();
    let endpoint = Endpoint::configured(blocks("toml")[0], environment(), &gateway).await;
    let (mut token, mut asked, mut is_open) = (String::new(), Vec::new(), false);
    let mut answers = 0;
    for block in blocks("http") {
        if !block.starts_with("HTTP/") {
            assert!(!is_open, "no answer before\n{block}");
            asked.push(request(block, &token));
            is_open = true;
            continue;
        }
        let reply = endpoint.send(asked.last().unwrap()).await;
        assert!(is_said(block, &reply), "{:?}\nsaid {block}\ngiven {reply:?}", asked.last());
        if let Some(given) = reply.body["access_token"].as_str() {
            given.clone_into(&mut token);
        }
        answers += 1;
        is_open = false;
    }
    assert!(!is_open && asked.len() >= 9 && answers > asked.len(), "{} {answers}", asked.len());
}

#[test]
fn the_script_of_the_business_rule_sends_what_the_request_below_it_shows() {
    let scripts = blocks("javascript");
    let script = scripts.iter().find(|script| script.contains("executeRule")).unwrap();
    let sent = blocks("http").into_iter().find(|block| block.contains("webhook-signature"));
    let sent = sent.unwrap();
    let path = sent.lines().next().unwrap().strip_prefix("POST ").unwrap();
    assert!(script.contains(&format!("worker.example.com{path}'")), "{path}");
    let headers = script.split("setRequestHeader('").skip(1).map(|text| text.split('\'').next());
    let shown: Vec<_> = parts(sent).0.into_iter().map(|(name, _)| Some(name)).collect();
    assert_eq!(headers.collect::<Vec<_>>(), shown);
    let body: Value = serde_json::from_str(parts(sent).1).unwrap();
    for name in body.as_object().unwrap().keys() {
        assert!(script.contains(&format!("{name}: ")), "{name}");
    }
}

#[test]
fn every_refusal_of_the_table_of_bad_input_is_explained() {
    let mut missing = Vec::new();
    for line in include_str!("bad_input.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let Some(title) = case["title"].as_str() else { continue };
        let row = format!("| {} |", case["status"]);
        let explained = |line: &str| line.starts_with(&row) && line.contains(&format!("`{title}`"));
        if !PAGE.lines().any(explained) {
            missing.push(format!("{row} {title}"));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
