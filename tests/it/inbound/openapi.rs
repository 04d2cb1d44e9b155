//! The description at `/openapi.json`, held against the endpoint: its paths are ours, its
//! examples are taken, and every answer is as it says.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Map, Value, json};
use servicenow_worker::inbound::OPERATIONS;

use super::{
    rig::{CREDENTIALS, Rig},
    schema::{Document, body_schema, examples},
    wire::{Reply, Request},
};
use crate::support::{bpmn, gateway::Settings};

const SETTINGS: &str = r#"
[inbound]
path_prefix = "/sn"

[[inbound.routes]]
name = "incident-closed"
do = "message"
message = "incident.closed"
key = "=body.sys_id + \":\" + string(body.sys_mod_count)"
"#;

/// An endpoint that knows its cluster, and what a start answered.
async fn with_instance() -> (Rig, Value) {
    let gateway = Settings { version: "8.10.0".to_owned(), ..Settings::default() };
    let rig = Rig::with(&format!("{SETTINGS}\n{CREDENTIALS}"), gateway).await;
    let known =
        async { while rig.send(&Request::new("GET", "/sn/v2/status")).await.status != 204 {} };
    tokio::time::timeout(Duration::from_secs(20), known).await.expect("the cluster is known");
    let start = json!({"processDefinitionId": "order"});
    let started = rig.post("/sn/v2/process-instances", &start).await.expect(200).body;
    let second = bpmn::nothing_to_do("order");
    rig.gateway.engine().deploy("order-2.bpmn", second.as_bytes()).unwrap();
    (rig, started)
}

async fn rig() -> Rig {
    with_instance().await.0
}

async fn document(rig: &Rig) -> Document {
    let reply = rig.send(&Request::new("GET", "/sn/openapi.json")).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    Document(reply.body)
}

/// One operation of the document.
struct Described<'d> {
    method: String,
    /// With examples in place of parameters.
    path: String,
    operation: &'d Value,
}

impl Described<'_> {
    /// A request with this example as body, from nobody.
    fn request(&self, example: Option<&Value>) -> Request {
        let path = format!("/sn{}", self.path);
        let form = &self.operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
        match example {
            None => Request::new(&self.method, &path),
            Some(body) if form.is_null() => Request::post(&path, body),
            Some(body) => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in body.as_object().unwrap() {
                    pairs.append_pair(name, value.as_str().unwrap());
                }
                let form = "application/x-www-form-urlencoded";
                let request = Request::new(&self.method, &path).header("content-type", form);
                Request { body: pairs.finish().into_bytes(), ..request }
            }
        }
    }

    fn is_open(&self) -> bool {
        self.operation["security"] == json!([])
    }

    /// As somebody who may, or as nobody where nobody needs to be known.
    fn authorized(&self, request: Request) -> Request {
        if self.is_open() { request } else { request.by_flows() }
    }
}

fn described(document: &Document) -> Vec<Described<'_>> {
    let mut all = Vec::new();
    for (pattern, item) in document.0["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut path = pattern.clone();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if let Some(example) = parameter["example"].as_str() {
                    let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                    path = path.replace(&name, example);
                }
            }
            all.push(Described { method: method.to_uppercase(), path, operation });
        }
    }
    all
}

/// What is wrong with an answer, by what the document says of its status.
fn faults(document: &Document, described: &Described<'_>, reply: &Reply) -> Vec<String> {
    let at = format!("{} {} {}", described.method, described.path, reply.status);
    let responses = &described.operation["responses"];
    let status = reply.status.to_string();
    let response = responses.get(&status).or_else(|| responses.get(format!("{}XX", &status[..1])));
    let Some(response) = response.map(|response| document.resolve(response)) else {
        return vec![format!("{at} is not described")];
    };
    let Some(content) = response["content"].as_object() else {
        return if reply.body.is_null() { vec![] } else { vec![format!("{at} has a body")] };
    };
    let (form, described) = content.iter().next().unwrap();
    if reply.header("content-type") != Some(form) {
        return vec![format!("{at} is no {form}: {reply:?}")];
    }
    document.faults(&described["schema"], &reply.body, &at)
}

#[tokio::test]
async fn the_description_has_exactly_our_paths_and_methods() {
    let document = document(&rig().await).await;
    assert_eq!(document.0["openapi"], "3.1.0");
    let ours: BTreeSet<(String, String)> = OPERATIONS
        .iter()
        .map(|(_, method, path)| (method.to_string(), (*path).to_owned()))
        .collect();
    let named = regex::Regex::new(r"\{\w+\}").unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document.0["paths"].as_object().unwrap() {
        let pattern = named.replace_all(path, "{}");
        for method in item.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), pattern.clone().into_owned()));
        }
    }
    assert_eq!(described, ours);
}

#[tokio::test]
async fn its_addresses_stand_below_the_prefix() {
    let token = "/components/securitySchemes/client/flows/clientCredentials/tokenUrl";
    let below = document(&rig().await).await;
    assert_eq!(below.0["servers"], json!([{"url": "/sn"}]));
    assert_eq!(below.0.pointer(token), Some(&json!("/sn/oauth/token")));
    let plain = Rig::start("").await;
    let plain = plain.send(&Request::new("GET", "/openapi.json")).await.expect(200);
    assert_eq!(plain.body["servers"], json!([{"url": "/"}]));
    assert_eq!(plain.body.pointer(token), Some(&json!("/oauth/token")));
}

/// With the keys of an instance in place of the examples'.
fn with_keys(mut request: Request, started: &Value) -> Request {
    let key = |name: &str| started[name].as_str().unwrap();
    request.path = request.path.replace("2251799813685249", key("processInstanceKey"));
    let body = String::from_utf8(request.body).unwrap();
    request.body = body.replace("2251799813685248", key("processDefinitionKey")).into_bytes();
    request
}

#[tokio::test]
async fn every_example_is_taken_and_answered_as_described() {
    let (rig, started) = with_instance().await;
    let document = document(&rig).await;
    let mut wrong = Vec::new();
    for described in described(&document) {
        let examples = examples(described.operation);
        let bodies =
            if examples.is_empty() { vec![None] } else { examples.into_iter().map(Some).collect() };
        let mut is_done = false;
        for body in bodies {
            let request = described.authorized(described.request(body));
            let reply = rig.send(&with_keys(request, &started)).await;
            let is_success = (200..300).contains(&reply.status);
            is_done |= is_success;
            // It went through to the engine, which does less than a cluster.
            if !is_success && !reply.detail().contains("the dev engine") {
                wrong.push(format!("{} {}: {reply:?}", described.method, described.path));
            }
            wrong.extend(faults(&document, &described, &reply));
        }
        assert!(is_done, "no example of {} is done", described.path);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_examples_show_every_property_and_fit_their_schema() {
    let document = document(&rig().await).await;
    let mut wrong = Vec::new();
    for described in described(&document) {
        let Some(schema) = body_schema(described.operation) else { continue };
        let mut shown = BTreeSet::new();
        for example in examples(described.operation) {
            wrong.extend(document.faults(schema, example, &described.path));
            shown.extend(example.as_object().into_iter().flat_map(Map::keys).cloned());
        }
        let known = document.resolve(schema)["properties"].as_object();
        let known: BTreeSet<String> = known.into_iter().flat_map(Map::keys).cloned().collect();
        if !known.is_subset(&shown) {
            wrong.push(format!("{}: {known:?} against {shown:?}", described.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_required_is_required_and_refusals_are_as_described() {
    let rig = rig().await;
    let document = document(&rig).await;
    let mut wrong = Vec::new();
    for described in described(&document) {
        let example = examples(described.operation).first().copied();
        let reply = rig.send(&described.request(example)).await;
        if described.is_open() == (reply.status == 401) {
            wrong.push(format!("{} from nobody: {reply:?}", described.path));
        }
        wrong.extend(faults(&document, &described, &reply));
        let schema = body_schema(described.operation).map(|schema| document.resolve(schema));
        for name in schema.and_then(|schema| schema["required"].as_array()).into_iter().flatten() {
            let mut body = example.unwrap().clone();
            body.as_object_mut().unwrap().shift_remove(name.as_str().unwrap());
            let reply = rig.send(&described.authorized(described.request(Some(&body)))).await;
            if reply.status != 400 {
                wrong.push(format!("{} without {name}: {reply:?}", described.path));
            }
            wrong.extend(faults(&document, &described, &reply));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
