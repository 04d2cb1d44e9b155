//! Processes, from deployment to end.

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    devengine::{DevEngine, Settings},
    job::Variables,
    outcome::Outcome,
    ports::{GatewayErrorKind, JobGateway, ProcessGateway, Subscription},
    zeebe::proto::{
        CreateProcessInstanceRequest, CreateProcessInstanceWithResultRequest,
        DeployResourceRequest, ProcessInstanceCreationStartInstruction, PublishMessageRequest,
        Resource, deployment::Metadata, gateway_client::GatewayClient,
    },
};
use tonic::{Code, transport::Channel};

use super::{LONG, bpmn, client, engine, order, subscription, with_order};

pub(super) fn variables(value: serde_json::Value) -> Variables {
    serde_json::from_value(value).unwrap()
}

fn deployment(name: &str, content: &str) -> DeployResourceRequest {
    let resource = Resource { name: name.to_owned(), content: content.as_bytes().to_vec() };
    DeployResourceRequest { resources: vec![resource], tenant_id: String::new() }
}

fn instance(process: &str) -> CreateProcessInstanceRequest {
    CreateProcessInstanceRequest {
        bpmn_process_id: process.to_owned(),
        version: -1,
        ..CreateProcessInstanceRequest::default()
    }
}

async fn raw(engine: &DevEngine) -> GatewayClient<Channel> {
    GatewayClient::connect(engine.address()).await.unwrap()
}

#[tokio::test]
async fn a_deployment_tells_what_became_of_its_processes() {
    let engine = engine().await;
    let mut client = raw(&engine).await;
    let mut deploy = async |content: &str| {
        let answer = client.deploy_resource(deployment("order.bpmn", content)).await.unwrap();
        let answer = answer.into_inner();
        assert!(answer.key > 2_251_799_813_685_248, "{}", answer.key);
        assert_eq!((answer.tenant_id.as_str(), answer.deployments.len()), ("<default>", 1));
        let Some(Metadata::Process(process)) = answer.deployments[0].metadata.clone() else {
            panic!("no process");
        };
        process
    };
    let first = deploy(&bpmn::one_task("order")).await;
    assert_eq!((first.bpmn_process_id.as_str(), first.version), ("order", 1));
    assert_eq!(
        (first.resource_name.as_str(), first.tenant_id.as_str()),
        ("order.bpmn", "<default>")
    );
    assert_eq!(deploy(&bpmn::one_task("order")).await, first, "the same file again");
    let second = deploy(&bpmn::with_error_boundary("order")).await;
    assert_eq!(second.version, 2);
    assert!(second.process_definition_key > first.process_definition_key);
}

#[tokio::test]
async fn a_file_that_cannot_run_is_refused_with_its_name_and_the_reason() {
    let engine = engine().await;
    let mut client = raw(&engine).await;
    let unknown = bpmn::process("p", r#"<bpmn:startEvent id="s"/><bpmn:adHocSubProcess id="x"/>"#);
    for (content, part) in [
        ("not XML", ""),
        (unknown.as_str(), "'x'"),
        (r#"<bpmn:process id="p" isExecutable="true"/>"#, ""),
    ] {
        let status = client.deploy_resource(deployment("order.bpmn", content)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{content}");
        assert!(status.message().starts_with("'order.bpmn': "), "{status}");
        assert!(status.message().contains(part), "{status}");
    }
    let status = client.deploy_resource(deployment("order.dmn", "<x/>")).await.unwrap_err();
    assert!(status.message().starts_with("'order.dmn': "), "{status}");
    let status = client.deploy_resource(DeployResourceRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut elsewhere = deployment("order.bpmn", &bpmn::one_task("order"));
    elsewhere.tenant_id = "acme".to_owned();
    let status = client.deploy_resource(elsewhere).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut twice = deployment("order.bpmn", &bpmn::one_task("order"));
    twice.resources.push(twice.resources[0].clone());
    let status = client.deploy_resource(twice).await.unwrap_err();
    assert!(status.message().contains("twice"), "{status}");
    let status = client.create_process_instance(instance("order")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "a refused deployment left something behind");
}

#[tokio::test]
async fn an_instance_runs_through_a_worker_to_its_result() {
    let (_engine, client) = with_order().await;
    let input = variables(json!({"customer": "acme", "amount": 1.50, "secret": true}));
    let fetching = Subscription {
        fetch_variables: vec!["customer".to_owned(), "amount".to_owned()],
        ..subscription()
    };
    let work = async {
        let job = client.poll(&fetching, 1, LONG).await.unwrap().remove(0);
        assert_eq!((job.bpmn_process_id.as_str(), job.process_definition_version), ("order", 1));
        assert_eq!((job.element_id.as_str(), job.retries), ("task", 2));
        assert_eq!((job.header("color"), job.tenant_id.as_str()), (Some("red"), "<default>"));
        let seen = serde_json::Value::Object(job.variables.clone());
        assert_eq!(seen, json!({"customer": "acme", "amount": 1.50}));
        assert!(job.process_instance_key > 0 && job.element_instance_key > 0);
        let done = Outcome::Complete { variables: variables(json!({"sysId": "0a"})) };
        client.report(&job.id, &done).await.unwrap();
        job.process_instance_key
    };
    let (order, wait) = (order(input), Duration::from_secs(20));
    let ending = client.create_instance_with_result(&order, wait, &[]);
    let (started, key) = tokio::join!(ending, work);
    let started = started.unwrap();
    assert_eq!(started.process_instance_key, key);
    let result = serde_json::Value::Object(started.variables);
    let all = json!({"customer": "acme", "amount": 1.50, "secret": true, "sysId": "0a"});
    assert_eq!(result, all);
}

#[tokio::test]
async fn jobs_of_an_instance_are_pushed_with_the_variables_of_the_moment() {
    use futures_util::StreamExt;
    let (_engine, client) = with_order().await;
    let mut stream = client.stream(&subscription()).await.unwrap();
    client.create_instance(&order(variables(json!({"a": 1})))).await.unwrap();
    let job = stream.next().await.unwrap().unwrap();
    assert_eq!(serde_json::Value::Object(job.variables), json!({"a": 1}));
    let fail = Outcome::Fail {
        retries: 1,
        message: "later".to_owned(),
        retry_backoff: Duration::ZERO,
        variables: variables(json!({"seen": true})),
    };
    client.report(&job.id, &fail).await.unwrap();
    let again = stream.next().await.unwrap().unwrap();
    assert_eq!((again.id.key, again.retries), (job.id.key, 1));
    assert_eq!(serde_json::Value::Object(again.variables), json!({"a": 1, "seen": true}));
}

#[tokio::test]
async fn a_result_holds_what_was_asked_for_and_has_a_deadline() {
    let engine = engine().await;
    let (client, mut raw) = (client(&engine), raw(&engine).await);
    let deploy = deployment("order.bpmn", &bpmn::one_task("order"));
    raw.deploy_resource(deploy).await.unwrap();
    let asked = CreateProcessInstanceWithResultRequest {
        request: Some(CreateProcessInstanceRequest {
            variables: r#"{"a":1,"b":2}"#.to_owned(),
            ..instance("order")
        }),
        request_timeout: 50,
        fetch_variables: vec!["b".to_owned(), "c".to_owned()],
    };
    let status = raw.create_process_instance_with_result(asked.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let work = async {
        let done = Outcome::Complete { variables: Variables::new() };
        let job = client.poll(&subscription(), 2, LONG).await.unwrap().remove(0);
        client.report(&job.id, &done).await.unwrap();
    };
    work.await; // The instance that nobody waits for any more goes on.
    let asked = CreateProcessInstanceWithResultRequest { request_timeout: 20_000, ..asked };
    let (result, ()) = tokio::join!(raw.create_process_instance_with_result(asked), async {
        let done = Outcome::Complete { variables: variables(json!({"c": 3, "d": 4})) };
        let job = client.poll(&subscription(), 2, LONG).await.unwrap().remove(0);
        client.report(&job.id, &done).await.unwrap();
    });
    assert_eq!(result.unwrap().into_inner().variables, r#"{"b":2,"c":3}"#);
}

#[tokio::test]
async fn a_cancelled_instance_takes_its_jobs_with_it() {
    let (engine, client) = with_order().await;
    let started = client.create_instance(&order(Variables::new())).await.unwrap();
    let job = client.poll(&subscription(), 1, LONG).await.unwrap().remove(0).id;
    client.cancel_instance(started.process_instance_key, None).await.unwrap();
    let done = Outcome::Complete { variables: Variables::new() };
    let error = client.report(&job, &done).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
    let error = client.cancel_instance(started.process_instance_key, None).await.unwrap_err();
    assert_eq!(error.kind, GatewayErrorKind::NotFound);
    assert_eq!(engine.gateway().open_jobs(), 0);
}

#[tokio::test]
async fn an_instance_of_nothing_is_refused() {
    let (engine, _client) = with_order().await;
    let mut raw = raw(&engine).await;
    for (wrong, code) in [
        (instance("other"), Code::NotFound),
        (CreateProcessInstanceRequest { version: 7, ..instance("order") }, Code::NotFound),
        (instance(""), Code::NotFound),
        (
            CreateProcessInstanceRequest { process_definition_key: -1, ..instance("") },
            Code::InvalidArgument,
        ),
        (
            CreateProcessInstanceRequest { process_definition_key: 7, ..instance("") },
            Code::NotFound,
        ),
        (
            CreateProcessInstanceRequest { variables: "[1]".to_owned(), ..instance("order") },
            Code::InvalidArgument,
        ),
        (
            CreateProcessInstanceRequest { tenant_id: "acme".to_owned(), ..instance("order") },
            Code::InvalidArgument,
        ),
    ] {
        let status = raw.create_process_instance(wrong.clone()).await.unwrap_err();
        assert_eq!(status.code(), code, "{wrong:?}: {status}");
    }
    let right = CreateProcessInstanceRequest { version: 1, ..instance("order") };
    let created = raw.create_process_instance(right.clone()).await.unwrap().into_inner();
    let null = CreateProcessInstanceRequest { variables: "null".to_owned(), ..right };
    raw.create_process_instance(null).await.unwrap();
    let by_key = CreateProcessInstanceRequest {
        process_definition_key: created.process_definition_key,
        ..instance("")
    };
    let again = raw.create_process_instance(by_key).await.unwrap().into_inner();
    assert_eq!((again.bpmn_process_id.as_str(), again.version), ("order", 1));
    assert!(again.process_instance_key > created.process_instance_key);
}

#[tokio::test]
async fn a_business_id_is_taken_while_its_instance_runs() {
    let engine = engine().await;
    let mut raw = raw(&engine).await;
    raw.deploy_resource(deployment("order.bpmn", &bpmn::one_task("order"))).await.unwrap();
    raw.deploy_resource(deployment("other.bpmn", &bpmn::one_task("other"))).await.unwrap();
    let with = |process: &str, id: &str| CreateProcessInstanceRequest {
        business_id: Some(id.to_owned()),
        ..instance(process)
    };
    let first = raw.create_process_instance(with("order", "INC1")).await.unwrap().into_inner();
    let refused = raw.create_process_instance(with("order", "INC1")).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    let awaited = CreateProcessInstanceWithResultRequest {
        request: Some(with("order", "INC1")),
        request_timeout: 20_000,
        ..CreateProcessInstanceWithResultRequest::default()
    };
    let refused = raw.create_process_instance_with_result(awaited).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    for free in [with("order", "INC2"), with("other", "INC1"), with("order", ""), with("order", "")]
    {
        raw.create_process_instance(free).await.unwrap();
    }
    engine.cancel(first.process_instance_key).unwrap();
    raw.create_process_instance(with("order", "INC1")).await.unwrap();
}

#[tokio::test]
async fn what_the_engine_cannot_do_is_refused_rather_than_dropped() {
    let engine = engine().await;
    let mut raw = raw(&engine).await;
    raw.deploy_resource(deployment("order.bpmn", &bpmn::one_task("order"))).await.unwrap();
    let element_id = "task".to_owned();
    let elsewhere = CreateProcessInstanceRequest {
        start_instructions: vec![ProcessInstanceCreationStartInstruction { element_id }],
        ..instance("order")
    };
    let refused = raw.create_process_instance(elsewhere).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("startInstructions"), "{refused}");
    // A broker looks for the process before it looks at the instructions.
    let element_id = "task".to_owned();
    let nowhere = CreateProcessInstanceRequest {
        start_instructions: vec![ProcessInstanceCreationStartInstruction { element_id }],
        ..instance("gone")
    };
    let refused = raw.create_process_instance(nowhere).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let message = |id: &str| PublishMessageRequest {
        name: "begin".to_owned(),
        business_id: Some(id.to_owned()),
        ..PublishMessageRequest::default()
    };
    let refused = raw.publish_message(message("INC1")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("businessId"), "{refused}");
    raw.publish_message(message("")).await.unwrap();
    assert!(engine.instances().is_empty());
}

#[tokio::test]
async fn where_there_are_tenants_an_answer_names_the_one_that_was_asked_for() {
    let settings = Settings { multi_tenancy: true, ..Settings::default() };
    let engine = DevEngine::start(settings).await.unwrap();
    let mut raw = raw(&engine).await;
    let tenant_id = "hr".to_owned();
    let deployment = deployment("echo.bpmn", &bpmn::nothing_to_do("echo"));
    let deployment = DeployResourceRequest { tenant_id: tenant_id.clone(), ..deployment };
    let deployed = raw.deploy_resource(deployment).await.unwrap().into_inner();
    let asked = CreateProcessInstanceRequest { tenant_id, ..instance("echo") };
    let created = raw.create_process_instance(asked.clone()).await.unwrap().into_inner();
    let awaited = CreateProcessInstanceWithResultRequest {
        request: Some(asked),
        request_timeout: 20_000,
        ..CreateProcessInstanceWithResultRequest::default()
    };
    let ended = raw.create_process_instance_with_result(awaited).await.unwrap().into_inner();
    assert_eq!([deployed.tenant_id, created.tenant_id, ended.tenant_id], ["hr", "hr", "hr"]);
}
