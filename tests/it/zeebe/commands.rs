//! Commands about jobs: what they carry, and what their refusals mean.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    job::{Job, JobKey, JobRef, Variables},
    outcome::{MAX_MESSAGE_CHARS, Outcome},
    ports::{GatewayErrorKind, JobGateway, Subscription},
    zeebe::{
        Config, Gateway,
        proto::{CompleteJobRequest, FailJobRequest, ThrowErrorRequest, UpdateJobTimeoutRequest},
    },
};
use tonic::Code;

use super::{client, gateway, job, subscription};
use crate::support::gateway::{Call, Fault, Rpc, ScriptedGateway};

fn variables() -> Variables {
    json!({"sysId": "0a", "count": 2}).as_object().unwrap().clone()
}

fn complete() -> Outcome {
    Outcome::Complete { variables: variables() }
}

fn fail(retries: i32) -> Outcome {
    Outcome::Fail {
        retries,
        message: "no such table".to_owned(),
        retry_backoff: Duration::from_secs(30),
        variables: variables(),
    }
}

fn throw() -> Outcome {
    Outcome::ThrowError {
        code: "NOT_THERE".to_owned(),
        message: "no such record".to_owned(),
        variables: variables(),
    }
}

async fn take(gateway: &ScriptedGateway, client: &Gateway, subscription: &Subscription) -> Job {
    gateway.offer(job());
    client.poll(subscription, 1, None).await.unwrap().remove(0)
}

fn commands(gateway: &ScriptedGateway) -> Vec<Call> {
    let calls = gateway.calls().into_iter().map(|seen| seen.call);
    calls.filter(|call| !matches!(call, Call::Poll(_))).collect()
}

#[tokio::test]
async fn each_command_carries_all_its_fields() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let text = r#"{"sysId":"0a","count":2}"#.to_owned();
    for outcome in [complete(), fail(2), throw()] {
        let job = take(&gateway, &client, &subscription()).await;
        client.extend(&job.id, Duration::from_millis(1_500)).await.unwrap();
        client.report(&job.id, &outcome).await.unwrap();
    }
    let extend = |job_key| {
        Call::Extend(UpdateJobTimeoutRequest {
            job_key,
            timeout: 1_500,
            operation_reference: None,
            job_lease_token: None,
        })
    };
    let complete =
        CompleteJobRequest { job_key: 1, variables: text.clone(), job_lease_token: None };
    let fail = FailJobRequest {
        job_key: 2,
        retries: 2,
        error_message: "no such table".to_owned(),
        retry_back_off: 30_000,
        variables: text.clone(),
        job_lease_token: None,
    };
    let throw = ThrowErrorRequest {
        job_key: 3,
        error_code: "NOT_THERE".to_owned(),
        error_message: "no such record".to_owned(),
        variables: text,
        job_lease_token: None,
    };
    let expected = [
        extend(1),
        Call::Complete(complete),
        extend(2),
        Call::Fail(fail),
        extend(3),
        Call::Throw(throw),
    ];
    assert_eq!(commands(&gateway), expected);
}

#[tokio::test]
async fn messages_are_cut_and_retries_never_negative() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let id = take(&gateway, &client, &subscription()).await.id;
    let failure = Outcome::Fail {
        retries: -3,
        message: "é".repeat(MAX_MESSAGE_CHARS + 5),
        retry_backoff: Duration::ZERO,
        variables: Variables::new(),
    };
    client.report(&id, &failure).await.unwrap();
    let Some(Call::Fail(sent)) = commands(&gateway).pop() else { panic!("no failure") };
    assert_eq!((sent.retries, sent.retry_back_off, sent.variables.as_str()), (0, 0, ""));
    assert_eq!(sent.error_message.chars().count(), MAX_MESSAGE_CHARS);
}

#[tokio::test]
async fn a_lease_goes_back_with_every_command_about_its_job() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let leased = Subscription { lease: true, ..subscription() };
    for outcome in [complete(), fail(1), throw()] {
        let job = take(&gateway, &client, &leased).await;
        assert!(job.id.lease.is_some());
        client.extend(&job.id, Duration::from_secs(5)).await.unwrap();
        client.report(&job.id, &outcome).await.unwrap();
    }
    let job = take(&gateway, &client, &leased).await;
    for lease in [None, Some("of somebody else".to_owned())] {
        let stale = JobRef { lease, ..job.id.clone() };
        // A lock can be extended without a token, but not with a wrong one.
        let extended = client.extend(&stale, Duration::from_secs(5)).await;
        let refused = extended.err().map(|error| error.kind);
        assert_eq!(refused, stale.lease.is_some().then_some(GatewayErrorKind::Superseded));
        for outcome in [complete(), fail(1), throw()] {
            let error = client.report(&stale, &outcome).await.unwrap_err();
            assert_eq!(error.kind, GatewayErrorKind::Superseded, "{outcome:?}");
        }
    }
    client.report(&job.id, &complete()).await.unwrap();
}

#[tokio::test]
async fn a_job_that_has_ended_is_not_found_and_one_that_failed_is_superseded() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let ended = take(&gateway, &client, &subscription()).await.id;
    client.report(&ended, &complete()).await.unwrap();
    let failed = take(&gateway, &client, &subscription()).await.id;
    client.report(&failed, &fail(0)).await.unwrap();
    let unknown = JobRef { key: JobKey(77), lease: None };
    for (id, kind) in [
        (&ended, GatewayErrorKind::NotFound),
        (&unknown, GatewayErrorKind::NotFound),
        (&failed, GatewayErrorKind::Superseded),
    ] {
        for outcome in [complete(), fail(1), throw()] {
            assert_eq!(client.report(id, &outcome).await.unwrap_err().kind, kind, "{outcome:?}");
        }
        let extended = client.extend(id, Duration::from_secs(1)).await;
        assert_eq!(extended.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_may_have_worked() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let id = take(&gateway, &client, &subscription()).await.id;
    gateway.script(Rpc::Complete, 1, Fault::LoseAnswer(Code::DeadlineExceeded));
    let error = client.report(&id, &complete()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::TimedOut);
    let error = client.report(&id, &complete()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let gateway = gateway().await;
    let config = Config { request_timeout: Duration::from_millis(100), ..gateway.client() };
    let client = Gateway::new(&config).unwrap();
    let id = take(&gateway, &client, &subscription()).await.id;
    gateway.script(Rpc::Complete, 1, Fault::Silence);
    let error = client.report(&id, &complete()).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn a_command_that_no_gateway_takes_is_not_sent() {
    let gateway = gateway().await;
    let client = client(&gateway);
    let id = take(&gateway, &client, &subscription()).await.id;
    let big = Variables::from_iter([("big".to_owned(), "x".repeat(4 * 1024 * 1024).into())]);
    let error = client.report(&id, &Outcome::Complete { variables: big }).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::Invalid);
    assert!(error.message.contains("bytes"), "{error}");
    assert_eq!(commands(&gateway), []);
    let almost = Variables::from_iter([("big".to_owned(), "x".repeat(4_170_000).into())]);
    client.report(&id, &Outcome::Complete { variables: almost }).await.unwrap();
}
