use serde_json::{Value, json};
use servicenow_worker::sandbox::{Fault, Match};

use super::{Answer, Instance};

const INCIDENTS: &str = "/api/now/table/incident";
const PAGE: &str = include_str!("../../../docs/sandbox.md");
const CHOSEN: &str = "0123456789abcdef0123456789abcdef";

async fn admin(instance: &Instance, method: &str, path: &str, body: Value) -> Answer {
    Answer::of(instance.bare_request(method, path).body(body.to_string())).await
}

/// Inserts under one fault and says what came back and whether the record is there.
async fn insert_under(fault: Value) -> (Answer, bool) {
    let instance = Instance::start().await;
    let rule = json!({"match": {"method": "POST", "table": "incident"}, "fault": fault});
    assert_eq!(admin(&instance, "POST", "/sandbox/faults", rule).await.status, 204);
    let answer = instance.send("POST", INCIDENTS, json!({"sys_id": CHOSEN})).await;
    let there = instance.get(&format!("{INCIDENTS}/{CHOSEN}")).await.status == 200;
    assert_eq!(instance.send("POST", INCIDENTS, json!({})).await.status, 201, "only once");
    (answer, there)
}

#[tokio::test]
async fn a_status_with_headers_and_body_replaces_the_answer() {
    let fault = json!({"status": {
        "code": 503, "headers": [["Retry-After", "7"]], "body": "<html>maintenance</html>"
    }});
    let (answer, there) = insert_under(fault).await;
    assert_eq!((answer.status, there), (503, false));
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(answer.header("content-type"), "text/html;charset=UTF-8");
    assert_eq!(answer.text, "<html>maintenance</html>");
    let late = json!({"status": {"code": 500, "body": {"error": "x"}, "after_commit": true}});
    let (answer, there) = insert_under(late).await;
    assert_eq!((answer.status, answer.json(), there), (500, json!({"error": "x"}), true));
}

#[tokio::test]
async fn a_202_drops_the_call() {
    let (answer, there) = insert_under(json!("accepted")).await;
    assert_eq!((answer.status, answer.text.as_str(), there), (202, "", false));
}

#[tokio::test]
async fn a_hibernating_instance_answers_a_page_as_200() {
    let (answer, there) = insert_under(json!("hibernating")).await;
    assert_eq!((answer.status, there), (200, false));
    assert_eq!(answer.header("content-type"), "text/html;charset=UTF-8");
    assert!(answer.text.contains("Your instance is hibernating"));
}

#[tokio::test]
async fn the_two_kinds_of_429_differ_in_their_headers() {
    let (rule, there) = insert_under(json!({"rate_limited": {"retry_after": 30}})).await;
    assert_eq!((rule.status, there), (429, false));
    assert_eq!(rule.header("retry-after"), "30");
    let now = "2026-03-02T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(rule.header("x-ratelimit-reset"), (now + 30).to_string());
    assert!(!rule.header("x-ratelimit-limit").is_empty());
    assert_eq!(rule.header("x-ratelimit-rule").len(), 32);
    let (full, there) = insert_under(json!("queue_full")).await;
    assert_eq!((full.status, there), (429, false));
    assert_eq!((full.header("retry-after"), full.header("x-ratelimit-limit")), ("", ""));
}

#[tokio::test]
async fn a_403_can_come_after_the_insert() {
    let (answer, there) = insert_under(json!("forbidden_after_insert")).await;
    let detail = "ACL Exception Insert Failed due to security constraints";
    answer.assert_failure(403, "Operation Failed", detail);
    assert!(there);
}

#[tokio::test]
async fn a_chosen_sys_id_may_not_be_honoured() {
    let (answer, there) = insert_under(json!("id_not_honoured")).await;
    assert_eq!((answer.status, there), (201, false));
    assert_ne!(answer.result()["sys_id"], CHOSEN);
}

#[tokio::test]
async fn a_success_can_have_an_error_beside_its_rows() {
    let instance = Instance::start().await;
    instance.sandbox.faults().push(Match::on("GET", "incident"), Fault::ErrorInSuccess);
    let answer = instance.get(INCIDENTS).await;
    let body = answer.json();
    assert_eq!((answer.status, &body["status"]), (200, &json!("failure")));
    assert_eq!(body["result"].as_array().unwrap().len(), 10);
    let message = "Transaction cancelled: maximum execution time exceeded";
    assert_eq!(body["error"]["message"], message);
}

#[tokio::test]
async fn an_ignored_query_returns_foreign_rows() {
    let instance = Instance::start().await;
    instance.sandbox.faults().push(Match::default(), Fault::QueryIgnored);
    let path = format!("{INCIDENTS}?sysparm_query=correlation_id=x");
    assert_eq!(instance.get(&path).await.result().as_array().unwrap().len(), 10);
    assert_eq!(instance.get(&path).await.result(), json!([]));
}

#[tokio::test]
async fn faults_of_several_rules_add_up() {
    let instance = Instance::start().await;
    let rules = json!([
        {"match": {"path": "/api/now", "nth": 2}, "fault": {"delay": {"before_ms": 1, "after_ms": 1}}},
        {"match": {"body": "marker"}, "fault": "forbidden_after_insert"}
    ]);
    admin(&instance, "POST", "/sandbox/faults", rules).await;
    assert_eq!(instance.get(INCIDENTS).await.status, 200);
    let marked = json!({"short_description": "a marker"});
    assert_eq!(instance.send("POST", INCIDENTS, marked).await.status, 403);
    assert_eq!(instance.sandbox.records("incident").len(), 11);
    let listed = admin(&instance, "GET", "/sandbox/faults", json!({})).await.json();
    let counts = |at: usize| (listed["faults"][at]["seen"].clone(), &listed["faults"][at]["hits"]);
    assert_eq!((counts(0), counts(1)), ((json!(2), &json!(1)), (json!(1), &json!(1))));
    assert_eq!(admin(&instance, "DELETE", "/sandbox/faults", json!({})).await.status, 204);
    assert!(instance.sandbox.faults().rules().is_empty());
}

#[tokio::test]
async fn the_tally_counts_calls_inserts_and_repeated_inserts() {
    let instance = Instance::start().await;
    for _ in 0..3 {
        instance.send("POST", INCIDENTS, json!({"sys_id": CHOSEN})).await;
    }
    assert_eq!(instance.get(INCIDENTS).await.status, 200);
    let tally = admin(&instance, "GET", "/sandbox/tally", json!({})).await.json();
    let expected = json!({
        "calls": {"GET": 1, "POST": 3}, "inserted": {"incident": 1}, "repeatedInserts": 2
    });
    assert_eq!(tally, expected);
    assert_eq!(instance.sandbox.tally().repeated_inserts, 2);
    instance.sandbox.reset().unwrap();
    assert_eq!(instance.sandbox.tally(), servicenow_worker::sandbox::Counts::default());
}

#[tokio::test]
async fn a_wrong_rule_is_refused_and_names_what_is_wrong() {
    let instance = Instance::start().await;
    let rules = json!([{"fault": "accepted"}, {"fault": "earthquake"}]);
    let answer = admin(&instance, "POST", "/sandbox/faults", rules).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("earthquake"), "{}", answer.text);
    assert!(instance.sandbox.faults().rules().is_empty());
    assert_eq!(admin(&instance, "GET", "/sandbox/nothing", json!({})).await.status, 404);
}

/// The rows of the page's table of faults, as they are written.
fn faults_of_the_page() -> Vec<Value> {
    let rows = PAGE.split("| `fault` | what happens |\n|---|---|\n").nth(1).unwrap();
    let rows = rows.lines().take_while(|row| row.starts_with('|'));
    let written = rows.map(|row| row.split('`').nth(1).unwrap());
    written.map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn name_of(fault: &Value) -> &str {
    fault.as_str().unwrap_or_else(|| fault.as_object().unwrap().keys().next().unwrap())
}

#[tokio::test]
async fn the_faults_of_the_sandbox_page_are_all_there_are_and_are_written_so() {
    let instance = Instance::start().await;
    let faults = faults_of_the_page();
    for fault in &faults {
        let rule = json!({"match": {"nth": 100}, "fault": fault});
        let answer = admin(&instance, "POST", "/sandbox/faults", rule).await;
        assert_eq!(answer.status, 204, "{fault}: {}", answer.text);
        let name = name_of(fault);
        let wrong = if fault.is_string() { json!({name: {"a": 1}}) } else { json!(name) };
        let answer = admin(&instance, "POST", "/sandbox/faults", json!({"fault": wrong})).await;
        assert_eq!(answer.status, 400, "{wrong}");
        let said = answer.json()["error"].as_str().unwrap().to_owned();
        let written = said.strip_prefix(&format!("fault '{name}' is written ")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(written).unwrap(), *fault, "{said}");
    }
    let unknown = json!({"fault": "earthquake"});
    let said = admin(&instance, "POST", "/sandbox/faults", unknown).await.json();
    let names: Vec<_> = faults.iter().map(name_of).collect();
    let all = format!("fault 'earthquake' is none of {}", names.join(", "));
    assert_eq!(said, json!({"error": all}));
    let typo = json!({"fault": {"status": {"code": 503, "header": []}}});
    let said = admin(&instance, "POST", "/sandbox/faults", typo).await;
    assert!(said.text.contains("unknown field `header`"), "{}", said.text);
}

#[tokio::test]
async fn the_examples_of_the_sandbox_page_do_what_it_says() {
    let blocks = PAGE.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    let rules: Vec<&str> = blocks.filter(|block| block.contains("\"fault\"")).collect();
    let [second_insert, lost_answer, rate_limit] = rules[..] else { panic!("{rules:?}") };
    assert!(PAGE.contains(&format!("curl -d '{}' ", lost_answer.trim())));
    let under = async |rule: &str| {
        let instance = Instance::start().await;
        let request = instance.bare_request("POST", "/sandbox/faults").body(rule.to_owned());
        assert_eq!(Answer::of(request).await.status, 204, "{rule}");
        instance
    };
    let instance = under(second_insert).await;
    let statuses = [201, 503, 201];
    for status in statuses {
        assert_eq!(instance.send("POST", INCIDENTS, json!({})).await.status, status);
    }
    let instance = under(lost_answer).await;
    let request = instance.bare_request("POST", INCIDENTS);
    let request = request.header("authorization", &instance.authorization);
    let request = request.header("content-type", "application/json");
    assert!(request.body(json!({"sys_id": CHOSEN}).to_string()).send().await.is_err());
    assert_eq!(instance.get(&format!("{INCIDENTS}/{CHOSEN}")).await.status, 200);
    let instance = under(rate_limit).await;
    for status in [429, 429, 429, 200] {
        let answer = instance.get(INCIDENTS).await;
        let wait = if status == 429 { "30" } else { "" };
        assert_eq!((answer.status, answer.header("retry-after")), (status, wait));
    }
}

#[tokio::test]
async fn the_request_log_shows_what_came_without_credentials() {
    let instance = Instance::start().await;
    let path = format!("{INCIDENTS}?sysparm_fields=number&x-sn-apikey=sandbox");
    instance.send("POST", &path, json!({"short_description": "seen"})).await;
    let form = "grant_type=client_credentials&client_id=sandbox&client_secret=topsecret";
    Answer::of(instance.bare_request("POST", "/oauth_token.do").body(form)).await;
    let log = admin(&instance, "GET", "/sandbox/requests", json!({})).await;
    for secret in ["YWRtaW46", "apikey", "topsecret"] {
        assert!(!log.text.contains(secret), "{secret}");
    }
    let log = log.json();
    assert_eq!(log["total"], 2);
    let request = &log["requests"][0];
    assert_eq!((&request["method"], &request["path"]), (&json!("POST"), &json!(INCIDENTS)));
    assert_eq!(
        (&request["query"], &request["status"]),
        (&json!("sysparm_fields=number"), &json!(201))
    );
    assert_eq!(request["body"], "{\"short_description\":\"seen\"}");
    assert_eq!(log["requests"][1]["body"], "(credentials)");
}

#[tokio::test]
async fn the_log_keeps_the_latest_and_reset_goes_back_to_the_seed() {
    let instance = Instance::with(|config| config.log_capacity = 2).await;
    for _ in 0..3 {
        instance.insert("incident", json!({})).await;
    }
    let ids: Vec<u64> = instance.sandbox.requests().iter().map(|request| request.id).collect();
    assert_eq!(ids, [1, 2]);
    instance.sandbox.faults().push(Match::default(), Fault::Accepted);
    assert_eq!(admin(&instance, "POST", "/sandbox/reset", json!({})).await.status, 204);
    assert_eq!(instance.sandbox.records("incident").len(), 10);
    assert!(instance.sandbox.requests().is_empty() && instance.sandbox.faults().rules().is_empty());
    assert_eq!(instance.insert("incident", json!({})).await["number"], "INC0010001");
}

#[tokio::test]
async fn connections_are_counted() {
    let instance = Instance::start().await;
    for _ in 0..5 {
        instance.get(INCIDENTS).await;
    }
    let answer = admin(&instance, "GET", "/sandbox/connections", json!({})).await;
    assert_eq!(answer.json(), json!({"connections": 1}), "keep-alive");
}

#[tokio::test]
async fn faults_that_strike_alone_take_a_call_each() {
    let instance = Instance::start().await;
    let table = json!({"path": "/api/now/table/", "alone": true});
    let insert = json!({"method": "POST", "table": "incident", "alone": true});
    let rules = json!([
        {"match": table, "fault": {"status": {"code": 503}}},
        {"match": insert, "fault": "forbidden_after_insert"},
    ]);
    assert_eq!(admin(&instance, "POST", "/sandbox/faults", rules).await.status, 204);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(instance.send("POST", INCIDENTS, json!({})).await.status);
    }
    assert_eq!(answers, [503, 403, 201]);
}
