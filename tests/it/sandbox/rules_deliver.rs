//! Tries, order, limits and ends of what business rules send.

use std::time::Duration;

use serde_json::{Value, json};
use servicenow_worker::sandbox::{BusinessRule, Config, Delivery, DeliveryState, Sandbox};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Instance, basic, client, receiver::Receiver};

/// The delivery of one new incident under a rule with these members, after these answers.
async fn delivered(members: Value, answers: &[u16]) -> (Delivery, Receiver) {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    for status in answers {
        receiver.answer(*status);
    }
    instance.sandbox.business_rules().push(receiver.rule(members)).unwrap();
    instance.insert("incident", json!({})).await;
    instance.sandbox.business_rules().settled().await;
    (instance.sandbox.business_rules().deliveries().pop().unwrap(), receiver)
}

fn ended(delivery: &Delivery) -> (DeliveryState, u32, Option<u16>) {
    (delivery.state, delivery.tries, delivery.status)
}

#[tokio::test]
async fn tries_go_on_until_it_is_taken_with_one_key_and_one_body() {
    let policy = json!({"retry": {"tries": 5, "delaysMs": [1, 0]}});
    let (delivery, receiver) = delivered(policy, &[503, 429, 201]).await;
    assert_eq!(ended(&delivery), (DeliveryState::Delivered, 3, Some(201)));
    assert_eq!(delivery.error, None);
    let calls = receiver.received();
    assert_eq!(calls.len(), 3);
    for request in &calls {
        assert_eq!(request.header("idempotency-key"), delivery.key);
        assert_eq!(request.body, delivery.body);
    }
}

#[tokio::test]
async fn tries_end_with_the_policy() {
    use DeliveryState::{Delivered, Failed};
    let three = json!({"retry": {"tries": 3, "delaysMs": [0]}});
    let only_409 = json!({"retry": {"tries": 3, "delaysMs": [0], "statuses": [409]}});
    for (members, answers, expected) in [
        (json!({}), vec![503], (Failed, 1, Some(503))),
        (json!({}), vec![204], (Delivered, 1, Some(204))),
        (three.clone(), vec![503; 4], (Failed, 3, Some(503))),
        (three.clone(), vec![503, 400], (Failed, 2, Some(400))),
        (three.clone(), vec![409], (Failed, 1, Some(409))),
        (only_409.clone(), vec![409, 200], (Delivered, 2, Some(200))),
        (only_409, vec![503], (Failed, 1, Some(503))),
        // A redirect is an answer, and no 2xx.
        (three, vec![302], (Failed, 1, Some(302))),
    ] {
        let (delivery, receiver) = delivered(members.clone(), &answers).await;
        assert_eq!(ended(&delivery), expected, "{members} {answers:?}");
        assert_eq!(receiver.received().len(), usize::try_from(expected.1).unwrap());
    }
}

#[tokio::test]
async fn the_seconds_of_an_answer_come_before_a_days_delay() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    receiver.answer_with(429, &[("retry-after", "0")], String::new());
    let retry = json!({"delaysMs": [86_400_000]});
    let rules = instance.sandbox.business_rules();
    rules.push(receiver.rule(json!({ "retry": retry }))).unwrap();
    instance.insert("incident", json!({})).await;
    rules.settled().await;
    assert_eq!(ended(&rules.deliveries()[0]), (DeliveryState::Delivered, 2, Some(200)));
}

#[tokio::test]
async fn the_key_can_be_made_of_the_record_or_left_out() {
    let own = json!({"idempotencyKey": "${sys_id}-${sys_mod_count}"});
    let (delivery, receiver) = delivered(own, &[]).await;
    let key = format!("{}-0", delivery.sys_id);
    assert_eq!(receiver.received()[0].header("idempotency-key"), key);
    let (_, receiver) = delivered(json!({"idempotencyKey": ""}), &[]).await;
    assert_eq!(receiver.received()[0].header("idempotency-key"), "");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_flood_is_not_read() {
    let (instance, receiver) = (Instance::start().await, Receiver::start().await);
    receiver.answer_with(307, &[("location", "/elsewhere")], String::new());
    receiver.answer_with(200, &[], "é".repeat(4 * 1024 * 1024));
    let rules = instance.sandbox.business_rules();
    rules.push(receiver.rule(json!({}))).unwrap();
    for _ in 0..2 {
        instance.insert("incident", json!({})).await;
        rules.settled().await;
    }
    let paths: Vec<_> = receiver.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/hook", "/hook"]);
    let deliveries = rules.deliveries();
    assert_eq!(ended(&deliveries[0]), (DeliveryState::Failed, 1, Some(307)));
    assert_eq!(ended(&deliveries[1]), (DeliveryState::Delivered, 1, Some(200)));
    assert_eq!(deliveries[1].answer, "é".repeat(2048));
}

#[tokio::test]
async fn no_answer_counts_as_one_to_try_again() {
    let silent = Receiver::gated().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, error) in [
        (silent.base.clone(), "no answer in time"),
        (format!("http://{closed}/"), "no connection: "),
    ] {
        let short = |config: &mut Config| config.outbound.timeout = Duration::from_millis(50);
        let instance = Instance::with(short).await;
        let rules = instance.sandbox.business_rules();
        let retry = json!({"tries": 2, "delaysMs": [0]});
        rules.push(silent.rule(json!({"url": url, "retry": retry}))).unwrap();
        instance.insert("incident", json!({})).await;
        rules.settled().await;
        let delivery = &rules.deliveries()[0];
        assert_eq!(ended(delivery), (DeliveryState::Failed, 2, None));
        let told = delivery.error.as_deref().unwrap();
        assert!(told.starts_with(error), "{told}");
    }
}

#[tokio::test]
async fn a_record_is_told_about_in_order_and_others_do_not_wait_for_it() {
    let instance = Instance::with(|config| config.outbound.max_in_flight = 1).await;
    let receiver = Receiver::gated().await;
    let retry = json!({"tries": 2, "delaysMs": [0]});
    let body = json!("${short_description} ${state}");
    let rules = instance.sandbox.business_rules();
    rules.push(receiver.rule(json!({"retry": retry, "body": body}))).unwrap();
    receiver.answer(503);
    let first = instance.insert("incident", json!({"short_description": "a"})).await;
    let path = format!("/api/now/table/incident/{}", first["sys_id"].as_str().unwrap());
    instance.send("PATCH", &path, json!({"state": "2"})).await;
    instance.insert("incident", json!({"short_description": "b"})).await;
    receiver.let_through(5);
    rules.settled().await;
    // 'a' waits for its second try without the one slot, and "a 2" waits for "a 1".
    assert_eq!(receiver.bodies(), ["a 1", "b 1", "a 1", "a 2"]);
}

#[tokio::test]
async fn calls_at_once_and_deliveries_in_line_are_bounded() {
    let instance = Instance::with(|config| {
        config.outbound.max_in_flight = 2;
        config.outbound.queue_limit = 5;
    })
    .await;
    let receiver = Receiver::gated().await;
    let rules = instance.sandbox.business_rules();
    rules.push(receiver.rule(json!({}))).unwrap();
    for _ in 0..7 {
        instance.insert("incident", json!({})).await;
    }
    for answered in 0..5 {
        receiver.arrived((answered + 2).min(5)).await;
        receiver.let_through(1);
    }
    rules.settled().await;
    assert_eq!((receiver.received().len(), receiver.peak()), (5, 2));
    let deliveries = rules.deliveries();
    let states: Vec<_> = deliveries.iter().map(|delivery| delivery.state).collect();
    assert!(states[..5].iter().all(|state| *state == DeliveryState::Delivered), "{states:?}");
    assert_eq!(states[5..], [DeliveryState::Dropped; 2]);
    let full = "the queue is full: 5 deliveries have not ended";
    assert_eq!(deliveries[6].error.as_deref(), Some(full));
}

#[tokio::test]
async fn a_message_that_cannot_go_out_says_why() {
    let small = |config: &mut Config| config.outbound.max_body_bytes = 20;
    let (instance, receiver) = (Instance::with(small).await, Receiver::start().await);
    let rules = instance.sandbox.business_rules();
    let name = receiver.rule(json!({"headers": {"X-Name": "${short_description}"}}));
    rules.push(name).unwrap();
    instance.insert("incident", json!({"short_description": "two\nlines"})).await;
    rules.push(receiver.rule(json!({"body": "${short_description}"}))).unwrap();
    instance.insert("incident", json!({"short_description": "x".repeat(19)})).await;
    rules.settled().await;
    let deliveries = rules.deliveries();
    let errors: Vec<_> = deliveries.iter().map(|d| d.error.as_deref().unwrap()).collect();
    assert!(errors[0].starts_with("X-Name: 'two\nlines' cannot be sent"), "{errors:?}");
    assert_eq!(errors[1], "the body has 21 bytes: at most 20 may go out");
    assert!(deliveries.iter().all(|d| d.state == DeliveryState::Failed && d.tries == 0));
    assert!(receiver.received().is_empty());
}

/// A sandbox under a rule with these members, and its run, which can be waited for.
struct Running {
    sandbox: Sandbox,
    incidents: String,
    stop: CancellationToken,
    run: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(rule: BusinessRule) -> Self {
        let mut config = Config::demo().unwrap();
        config.outbound.max_in_flight = 1;
        let sandbox = Sandbox::new(config).unwrap();
        sandbox.business_rules().push(rule).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let incidents = format!("http://{}/api/now/table/incident", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (served, stopped) = (sandbox.clone(), stop.clone());
        let run = tokio::spawn(async move { served.run(listener, stopped).await });
        Self { sandbox, incidents, stop, run }
    }

    async fn insert(&self) {
        let request =
            client().post(&self.incidents).header("authorization", basic("admin", "admin"));
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
}

#[tokio::test]
async fn a_stop_lets_the_call_in_progress_end_and_drops_what_waits() {
    use DeliveryState::{Delivered, Dropped};
    let receiver = Receiver::gated().await;
    receiver.answer(503);
    let retry = json!({"tries": 2, "delaysMs": [86_400_000]});
    let running = Running::start(receiver.rule(json!({ "retry": retry }))).await;
    // One waits a day for its second try, one is in progress, one in line.
    running.insert().await;
    receiver.arrived(1).await;
    receiver.let_through(1);
    running.insert().await;
    receiver.arrived(2).await;
    running.insert().await;
    running.stop.cancel();
    receiver.let_through(1);
    running.run.await.unwrap().unwrap();
    let deliveries = running.sandbox.business_rules().deliveries();
    let ends: Vec<_> = deliveries.iter().map(ended).collect();
    assert_eq!(ends, [(Dropped, 1, Some(503)), (Delivered, 1, Some(200)), (Dropped, 0, None)]);
    assert_eq!(deliveries[0].error.as_deref(), Some("the sandbox stopped"));
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_call_that_never_ends() {
    let receiver = Receiver::gated().await;
    let running = Running::start(receiver.rule(json!({}))).await;
    running.insert().await;
    receiver.arrived(1).await;
    tokio::time::pause();
    running.stop.cancel();
    running.run.await.unwrap().unwrap();
    let rules = running.sandbox.business_rules();
    rules.settled().await;
    assert_eq!(ended(&rules.deliveries()[0]), (DeliveryState::Dropped, 0, None));
}

#[tokio::test]
async fn a_reset_cuts_what_is_under_way_and_goes_on() {
    let (instance, receiver) = (Instance::start().await, Receiver::gated().await);
    let rules = instance.sandbox.business_rules();
    rules.push(receiver.rule(json!({}))).unwrap();
    instance.insert("incident", json!({})).await;
    receiver.arrived(1).await;
    instance.sandbox.reset().unwrap();
    rules.settled().await;
    assert!(rules.deliveries().is_empty() && rules.all().is_empty());
    rules.push(receiver.rule(json!({}))).unwrap();
    receiver.let_through(2);
    instance.insert("incident", json!({})).await;
    rules.settled().await;
    assert_eq!(ended(&rules.deliveries()[0]), (DeliveryState::Delivered, 1, Some(200)));
}
