//! Which changes make a business rule fire, and what it says about them.

use serde_json::{Value, json};
use servicenow_worker::sandbox::{DeliveryState, Fault, Match};

use super::{Instance, receiver::Receiver};

/// The `sys_id` of the seeded user `admin`.
const ADMIN: &str = "6816f79cc0a8016401c5a33be04be441";
const INCIDENTS: &str = "/api/now/table/incident";

async fn patch(instance: &Instance, record: &Value, body: Value) {
    let answer = instance.send("PATCH", &path(record), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn path(record: &Value) -> String {
    format!("{INCIDENTS}/{}", record["sys_id"].as_str().unwrap())
}

/// What is told when one incident is made, resolved by halves and deleted under a rule
/// with these members.
async fn told(members: Value) -> Vec<Value> {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    let rule = receiver.rule(members);
    instance.sandbox.business_rules().push(rule).unwrap();
    let record = instance.insert("incident", json!({"short_description": "a"})).await;
    patch(&instance, &record, json!({"state": "2"})).await;
    patch(&instance, &record, json!({"state": "2"})).await;
    patch(&instance, &record, json!({"short_description": "b"})).await;
    patch(&instance, &record, json!({"work_notes": "noted"})).await;
    assert_eq!(instance.send("DELETE", &path(&record), json!({})).await.status, 204);
    instance.sandbox.business_rules().settled().await;
    receiver.bodies()
}

fn steps(bodies: &[Value]) -> Vec<&str> {
    bodies.iter().map(|body| body.as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_told_has_the_values_of_its_commit() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    let rule = receiver.rule(json!({
        "when": ["update"],
        "method": "PUT",
        "url": format!("{}/p/${{short_description}}?by=${{event.user}}", receiver.base),
        "headers": {"X-State": "was ${previous.state}", "content-type": "application/vnd.x+json"},
        "body": {
            "${state}": ["${state}", "${display.state}", "${previous.state}", 7, true, null],
            "text": "<${number}> by ${caller_id.user_name}: ${ current.short_description }",
            "empty": "${close_notes}",
            "event": "${event.operation} ${event.table} ${event.time}",
            "key": "${event.key}",
        },
    }));
    instance.sandbox.business_rules().push(rule).unwrap();
    let fields = json!({"short_description": "ä/b?", "caller_id": ADMIN});
    let record = instance.insert("incident", fields).await;
    patch(&instance, &record, json!({"state": "2"})).await;
    patch(&instance, &record, json!({"state": "3"})).await;
    instance.sandbox.business_rules().settled().await;
    let [first, second] = &receiver.received()[..] else { panic!("two updates") };
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", "/p/%C3%A4%2Fb%3F?by=admin"));
    assert_eq!(first.header("x-state"), "was 1");
    assert_eq!(first.header("content-type"), "application/vnd.x+json");
    assert_eq!(first.header("user-agent"), "ServiceNow/1.0");
    let key = first.header("idempotency-key");
    let number = record["number"].as_str().unwrap();
    let expected = json!({
        "${state}": ["2", "In Progress", "1", 7, true, null],
        "text": format!("<{number}> by admin: ä/b?"),
        "empty": "",
        "event": "update incident 2026-03-02 12:00:00",
        "key": key,
    });
    assert_eq!(first.body, expected.to_string());
    assert_eq!(second.json()["${state}"], json!(["3", "On Hold", "2", 7, true, null]));
    assert_eq!(key.len(), 32);
    assert_ne!(second.header("idempotency-key"), key);
}

#[tokio::test]
async fn operations_are_chosen_and_an_update_without_a_change_is_none() {
    let body = "${event.operation} ${state} ${previous.state} ${short_description}";
    let all = told(json!({"when": ["insert", "update", "delete"], "body": body})).await;
    let expected = ["insert 1  a", "update 2 1 a", "update 2 2 b", "update 2 2 b", "delete 2 2 b"];
    assert_eq!(steps(&all), expected);
    let usual = told(json!({ "body": "${event.operation}" })).await;
    assert_eq!(steps(&usual), ["insert", "update", "update", "update"]);
}

#[tokio::test]
async fn conditions_changes_and_users_narrow_it_down() {
    for (members, expected) in [
        (json!({"condition": "state=2"}), vec!["update", "update", "update"]),
        (json!({"condition": "state=2^short_descriptionSTARTSWITHa"}), vec!["update"]),
        (
            json!({"condition": "sys_created_by=javascript:gs.getUserName()^state=1"}),
            vec!["insert"],
        ),
        (json!({"changes": ["state"]}), vec!["insert", "update"]),
        (json!({"changes": ["state", "work_notes"], "when": ["update"]}), vec!["update"; 2]),
        (json!({"changes": ["state"], "condition": "state=2"}), vec!["update"]),
        (json!({"changes": ["close_notes"]}), vec![]),
        (json!({"unlessUser": "Admin"}), vec![]),
        (json!({"unlessUser": "itil", "when": ["insert"]}), vec!["insert"]),
        (json!({"table": "task", "when": ["delete"]}), vec!["delete"]),
        (json!({"table": "problem"}), vec![]),
    ] {
        let mut full = members.clone();
        full["body"] = "${event.operation}".into();
        let told = told(full).await;
        assert_eq!(steps(&told), expected, "{members}");
    }
}

#[tokio::test]
async fn a_journal_shows_what_this_change_adds_to_it() {
    let body = json!("${work_notes}|${display.work_notes}");
    let told = told(json!({"changes": ["work_notes"], "body": body})).await;
    let shown = "2026-03-02 04:00:00 - System Administrator (Work notes)\nnoted\n\n";
    assert_eq!(told, [format!("noted|{shown}")]);
}

#[tokio::test]
async fn nothing_is_told_of_what_is_refused_and_all_of_what_is_committed() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    instance.sandbox.business_rules().push(receiver.rule(json!({}))).unwrap();
    let id = "0123456789abcdef0123456789abcdef";
    instance.sandbox.faults().push(Match::on("POST", "incident"), Fault::Accepted);
    assert_eq!(instance.send("POST", INCIDENTS, json!({"sys_id": id})).await.status, 202);
    instance.insert("incident", json!({"sys_id": id})).await;
    assert_eq!(instance.send("POST", INCIDENTS, json!({"sys_id": id})).await.status, 403);
    let path = format!("{INCIDENTS}/{id}");
    // A resolved incident needs a code and notes: the data policy refuses.
    assert_eq!(instance.send("PATCH", &path, json!({"state": "6"})).await.status, 403);
    instance.sandbox.faults().push(Match::on("PATCH", "incident"), Fault::ForbiddenAfterInsert);
    assert_eq!(instance.send("PATCH", &path, json!({"state": "3"})).await.status, 403);
    instance.sandbox.business_rules().settled().await;
    assert_eq!(receiver.bodies(), [json!({"state": "1"}), json!({"state": "3"})]);
}

#[tokio::test]
async fn the_caller_does_not_wait_for_the_delivery() {
    let (instance, receiver) = (Instance::start().await, Receiver::gated().await);
    instance.sandbox.business_rules().push(receiver.rule(json!({}))).unwrap();
    let record = instance.insert("incident", json!({})).await;
    receiver.arrived(1).await;
    // While it is told the record is there and can change.
    patch(&instance, &record, json!({"state": "2"})).await;
    assert_eq!(instance.get(&path(&record)).await.result()["state"], "2");
    receiver.let_through(2);
    instance.sandbox.business_rules().settled().await;
    assert_eq!(receiver.bodies(), [json!({"state": "1"}), json!({"state": "2"})]);
}

#[tokio::test]
async fn an_answer_written_by_the_excepted_user_is_not_told_back() {
    let instance = Instance::start().await;
    let rule = json!({
        "name": "note it",
        "table": "incident",
        "unlessUser": "itil",
        "method": "PATCH",
        "url": format!("{}{INCIDENTS}/${{sys_id}}", instance.base),
        "body": {"work_notes": "seen ${number}"},
        "authentication": {"basic": {"user": "itil", "password": "itil"}},
    });
    let rules = instance.sandbox.business_rules();
    rules.push(serde_json::from_value(rule).unwrap()).unwrap();
    let record = instance.insert("incident", json!({})).await;
    rules.settled().await;
    let deliveries = rules.deliveries();
    assert_eq!(deliveries.len(), 1);
    assert_eq!((deliveries[0].state, deliveries[0].status), (DeliveryState::Delivered, Some(200)));
    let notes = instance.sandbox.records("sys_journal_field");
    let note = notes.iter().find(|note| note["element_id"] == record["sys_id"]).unwrap();
    assert_eq!(note["value"], format!("seen {}", record["number"].as_str().unwrap()));
    assert_eq!(note["sys_created_by"], "itil");
}
