//! Business rules by seed and by the sandbox's own endpoints.

use serde_json::{Value, json};
use servicenow_worker::sandbox::{Config, Sandbox, Seed};

use super::{Answer, Instance, receiver::Receiver};

const RULES: &str = "/sandbox/business-rules";

async fn admin(instance: &Instance, method: &str, path: &str, body: Value) -> Answer {
    Answer::of(instance.bare_request(method, path).body(body.to_string())).await
}

fn rule(name: &str) -> Value {
    json!({"name": name, "table": "incident", "url": "http://127.0.0.1:9/"})
}

async fn names(instance: &Instance) -> Vec<String> {
    let listed = admin(instance, "GET", RULES, json!({})).await.json();
    super::column(&listed["businessRules"], "name")
}

#[tokio::test]
async fn rules_are_put_added_listed_and_taken_away() {
    let instance = Instance::start().await;
    assert!(names(&instance).await.is_empty());
    let two = json!([rule("a"), rule("b")]);
    assert_eq!(admin(&instance, "PUT", RULES, two).await.status, 204);
    assert_eq!(admin(&instance, "POST", RULES, rule("c")).await.status, 204);
    let mut other = rule("a");
    other["table"] = "problem".into();
    assert_eq!(admin(&instance, "POST", RULES, json!([other])).await.status, 204);
    assert_eq!(names(&instance).await, ["a", "b", "c"]);
    let listed = admin(&instance, "GET", RULES, json!({})).await.json();
    assert_eq!(listed["businessRules"][0]["table"], "problem");
    assert_eq!(admin(&instance, "PUT", RULES, json!([rule("d")])).await.status, 204);
    assert_eq!(names(&instance).await, ["d"]);
    assert_eq!(admin(&instance, "DELETE", RULES, json!({})).await.status, 204);
    assert!(names(&instance).await.is_empty());
    assert_eq!(admin(&instance, "PATCH", RULES, json!({})).await.status, 404);
}

#[tokio::test]
async fn a_wrong_rule_is_refused_and_nothing_changes() {
    let instance = Instance::start().await;
    admin(&instance, "PUT", RULES, json!([rule("a")])).await;
    let mut wrong = rule("b");
    wrong["changes"] = json!(["stat"]);
    for method in ["PUT", "POST"] {
        let answer = admin(&instance, method, RULES, json!([rule("c"), wrong])).await;
        let error = "business rule 'b': changes: table 'incident' has no field 'stat'";
        assert_eq!((answer.status, answer.json()), (400, json!({ "error": error })));
        let answer = admin(&instance, method, RULES, json!([rule("c"), {"name": "d"}])).await;
        assert!(answer.text.contains("business rule 'd': missing field"), "{}", answer.text);
        assert_eq!(names(&instance).await, ["a"]);
    }
}

#[tokio::test]
async fn secrets_are_not_shown_and_what_is_shown_cannot_replace_them() {
    let instance = Instance::start().await;
    let mut secret = rule("a");
    secret["authentication"] = json!({"bearer": {"token": "t0psecret"}});
    assert_eq!(admin(&instance, "PUT", RULES, secret).await.status, 204);
    let listed = admin(&instance, "GET", RULES, json!({})).await;
    assert!(!listed.text.contains("t0psecret"), "{}", listed.text);
    let shown = listed.json()["businessRules"].clone();
    let answer = admin(&instance, "PUT", RULES, shown).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("write the secret itself"), "{}", answer.text);
}

#[tokio::test]
async fn deliveries_are_listed_with_what_came_of_them() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    receiver.answer_with(409, &[], "taken".to_owned());
    instance.sandbox.business_rules().push(receiver.rule(json!({}))).unwrap();
    let record = instance.insert("incident", json!({})).await;
    instance.sandbox.business_rules().settled().await;
    let listed = admin(&instance, "GET", "/sandbox/deliveries", json!({})).await.json();
    let key = receiver.received()[0].header("idempotency-key").to_owned();
    let expected = json!({"deliveries": [{
        "id": 0,
        "at": "2026-03-02T12:00:00Z",
        "rule": "tell",
        "table": "incident",
        "sysId": record["sys_id"],
        "operation": "insert",
        "key": key,
        "method": "POST",
        "url": format!("{}/hook", receiver.base),
        "body": "{\"state\":\"1\"}",
        "state": "failed",
        "tries": 1,
        "status": 409,
        "answer": "taken",
        "error": null,
    }]});
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn a_seed_brings_rules_and_a_reset_brings_them_back() {
    let layer = |rules: Value| json!({ "$businessRules": rules }).to_string();
    let first = layer(json!([rule("a"), rule("b")]));
    let mut own = rule("c");
    own["body"] = json!({"size": "${u_size}"});
    own["table"] = "u_order".into();
    let second = json!({"u_order": [{"u_size": "9"}], "$businessRules": [rule("b"), own]});
    let seed = Seed::demo().unwrap().and(&first).unwrap().and(&second.to_string()).unwrap();
    let instance = Instance::with(|config| config.seed = seed).await;
    assert_eq!(names(&instance).await, ["a", "b", "c"]);
    instance.sandbox.business_rules().clear();
    instance.sandbox.reset().unwrap();
    assert_eq!(names(&instance).await, ["a", "b", "c"]);
}

#[test]
fn a_seeds_wrong_rule_is_named_at_the_start() {
    let unreadable = json!({"$businessRules": [{"name": "a", "tabel": "incident"}]});
    let error = Seed::people().unwrap().and(&unreadable.to_string()).unwrap_err().to_string();
    assert!(error.starts_with("business rule 'a': unknown field `tabel`"), "{error}");
    let mut lost = rule("a");
    lost["table"] = "u_nothing".into();
    let hopeless = json!({"$businessRules": lost}).to_string();
    let seed = Seed::people().unwrap().and(&hopeless).unwrap();
    let error = Sandbox::new(Config::with_seed(seed)).unwrap_err().to_string();
    assert_eq!(error, "business rule 'a': table 'u_nothing' is not here: define it under $tables");
    let mut config = Config::demo().unwrap();
    config.outbound.trusted_pem = Some("no certificate".to_owned());
    let error = Sandbox::new(config).unwrap_err().to_string();
    assert_eq!(error, "TLS: certificates to trust: there is no certificate in it");
}

#[test]
fn the_rules_of_the_sandbox_page_can_work() {
    let page = include_str!("../../../docs/sandbox.md");
    let blocks: Vec<&str> = page.split("```json\n").skip(1).collect();
    let seeds = blocks.iter().map(|block| block.split("```").next().unwrap());
    let seeds: Vec<&str> = seeds.filter(|block| block.contains("$businessRules")).collect();
    assert!(!seeds.is_empty());
    for text in seeds {
        let seed = Seed::demo().unwrap().and(text).unwrap();
        let sandbox = Sandbox::new(Config::with_seed(seed)).unwrap();
        assert!(!sandbox.business_rules().all().is_empty());
    }
}
