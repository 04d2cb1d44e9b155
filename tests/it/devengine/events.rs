//! Messages, signals and timers.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use servicenow_worker::{
    devengine::{
        DevEngine, Note, Settings,
        record::{Ending, Event, Key, Message, NewInstance, ProcessRef, RefusalKind},
    },
    job::Variables,
    ports::{Clock, JobGateway},
    zeebe::proto::{BroadcastSignalRequest, PublishMessageRequest, gateway_client::GatewayClient},
};
use tokio::{sync::broadcast::Receiver, time::Instant};
use tonic::Code;

use super::{LONG, bpmn, client, engine, processes::variables, subscription};

fn instance(process: &str, input: serde_json::Value) -> NewInstance {
    NewInstance {
        process: ProcessRef::Latest(process.to_owned()),
        variables: variables(input),
        business_id: None,
    }
}

/// The variables at the end of an instance, once it has ended.
async fn end(notes: &mut Receiver<Note>, key: Key) -> Variables {
    loop {
        if let Note::Process(Event::InstanceEnded { instance, how, variables }) =
            notes.recv().await.unwrap()
            && instance == key
        {
            assert_eq!(how, Ending::Completed);
            return variables;
        }
    }
}

#[tokio::test]
async fn a_message_reaches_whoever_waits_for_it_and_its_id_is_taken_while_it_lives() {
    let engine = engine().await;
    let mut notes = engine.events();
    engine.deploy("a.bpmn", bpmn::waiting_for_a_message("ask").as_bytes()).unwrap();
    let waiting = engine.create_instance(instance("ask", json!({"id": "42"}))).unwrap();
    let mut raw = GatewayClient::connect(engine.address()).await.unwrap();
    let message = PublishMessageRequest {
        name: "answer".to_owned(),
        correlation_key: "42".to_owned(),
        time_to_live: 60_000,
        message_id: "one".to_owned(),
        variables: r#"{"approved":true}"#.to_owned(),
        ..PublishMessageRequest::default()
    };
    let answer = raw.publish_message(message.clone()).await.unwrap().into_inner();
    assert!(answer.key > 0 && answer.tenant_id == "<default>", "{answer:?}");
    let ended = end(&mut notes, waiting.key).await;
    assert_eq!(serde_json::Value::Object(ended), json!({"id": "42", "approved": true}));
    let twice = raw.publish_message(message.clone()).await.unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists, "{twice}");
    for wrong in [
        PublishMessageRequest { tenant_id: "acme".to_owned(), ..message.clone() },
        PublishMessageRequest { variables: "{".to_owned(), ..message.clone() },
    ] {
        let status = raw.publish_message(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    let again = Message {
        name: "answer".to_owned(),
        correlation_key: "42".to_owned(),
        time_to_live_ms: 60_000,
        message_id: "one".to_owned(),
        variables: Variables::new(),
    };
    assert_eq!(engine.publish(again).unwrap_err().kind, RefusalKind::AlreadyExists);
}

#[tokio::test]
async fn a_message_that_comes_first_is_kept_for_its_time() {
    let engine = engine().await;
    let mut notes = engine.events();
    engine.deploy("a.bpmn", bpmn::waiting_for_a_message("ask").as_bytes()).unwrap();
    let message = Message {
        name: "answer".to_owned(),
        correlation_key: "42".to_owned(),
        time_to_live_ms: 60_000,
        ..Message::default()
    };
    engine.publish(message).unwrap();
    let late = engine.create_instance(instance("ask", json!({"id": "42"}))).unwrap();
    end(&mut notes, late.key).await;
}

#[tokio::test]
async fn a_message_id_is_free_again_after_its_time() {
    let clock = Arc::new(Stepped(Instant::now()));
    let engine = DevEngine::start(Settings { clock, ..Settings::default() }).await.unwrap();
    let message = Message {
        name: "answer".to_owned(),
        correlation_key: "42".to_owned(),
        time_to_live_ms: 60_000,
        message_id: "one".to_owned(),
        variables: Variables::new(),
    };
    engine.publish(message.clone()).unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    let kept = engine.publish(message.clone()).unwrap_err();
    assert_eq!(kept.kind, RefusalKind::AlreadyExists);
    tokio::time::advance(Duration::from_secs(2)).await;
    engine.publish(message).unwrap();
}

#[tokio::test]
async fn a_signal_starts_what_waits_for_it() {
    let engine = engine().await;
    engine.deploy("a.bpmn", bpmn::started_by_a_signal("fire").as_bytes()).unwrap();
    let mut raw = GatewayClient::connect(engine.address()).await.unwrap();
    let signal = BroadcastSignalRequest {
        signal_name: "alarm".to_owned(),
        variables: r#"{"floor":3}"#.to_owned(),
        tenant_id: "<default>".to_owned(),
    };
    let answer = raw.broadcast_signal(signal).await.unwrap().into_inner();
    assert!(answer.key > 0 && answer.tenant_id == "<default>", "{answer:?}");
    let job = client(&engine).poll(&subscription(), 1, LONG).await.unwrap().remove(0);
    assert_eq!(serde_json::Value::Object(job.variables), json!({"floor": 3}));
    engine.broadcast("alarm", Variables::new());
    assert_eq!(engine.gateway().open_jobs(), 2);
}

/// A clock that goes with tokio's, so that tests decide how late it is.
struct Stepped(Instant);

impl Clock for Stepped {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH + self.0.elapsed()
    }
}

#[tokio::test]
async fn a_timer_fires_when_its_time_has_come_and_not_before() {
    let clock = Arc::new(Stepped(Instant::now()));
    let engine = DevEngine::start(Settings { clock, ..Settings::default() }).await.unwrap();
    engine.deploy("a.bpmn", bpmn::waiting_an_hour("rest").as_bytes()).unwrap();
    let mut notes = engine.events();
    tokio::time::pause();
    let waiting = engine.create_instance(instance("rest", json!({}))).unwrap();
    let began = Instant::now();
    end(&mut notes, waiting.key).await;
    let (passed, hour) = (began.elapsed(), Duration::from_hours(1));
    assert!(passed >= hour && passed < hour + Duration::from_secs(2), "{passed:?}");
}
