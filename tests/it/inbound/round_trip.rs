//! Once around: the process makes a record, people change it in ServiceNow, a business rule
//! there calls the endpoint, and the process goes on.

use serde_json::json;
use servicenow_worker::sandbox::{BusinessRule, Config, Sandbox};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::program::Program;
use crate::support::{
    eventually,
    gateway::{ScriptedGateway, Settings},
};

const PROCESS: &str = include_str!("../../../examples/catalog-task.bpmn");

/// Worker and endpoint in one program, between this engine and this instance.
fn settings(gateway: &str, instance: &str) -> String {
    format!(
        r#"
        [zeebe]
        grpc_address = "{gateway}"
        [management]
        listen = "off"
        [connections.default]
        instance = "{instance}"
        auth = {{ type = "basic", username = "itil", password = "itil" }}
        [inbound]
        listen = "127.0.0.1:0"
        [[inbound.credentials]]
        name = "servicenow"
        basic = {{ username = "servicenow", password = "{{{{secrets.KEY}}}}" }}
        allow = ["publish:servicenow.catalog_task.closed"]
        "#
    )
}

/// Tells the waiting process that its task is closed.
fn rule(endpoint: &str) -> BusinessRule {
    serde_json::from_value(json!({
        "name": "catalog task closed", "table": "sc_task", "when": ["update"],
        "condition": "state=3", "changes": ["state"], "unlessUser": "itil",
        "url": format!("{endpoint}/v2/messages/publication"),
        "body": {
            "name": "servicenow.catalog_task.closed", "correlationKey": "${sys_id}",
            "messageId": "${event.key}", "timeToLive": 600_000,
            "variables": {"close_notes": "${close_notes}"},
        },
        "authentication": {"basic": {"user": "servicenow", "password": "the-secret-key"}},
        "retry": {"tries": 3, "delaysMs": [50]},
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_people_close_lets_its_process_go_on() {
    let sandbox = Sandbox::new(Config::demo().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let instance = format!("http://{}", listener.local_addr().unwrap());
    let (served, stop) = (sandbox.clone(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    tokio::spawn(async move { served.run(listener, stop).await });
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    gateway.engine().deploy("catalog-task.bpmn", PROCESS.as_bytes()).unwrap();
    let program = Program::start(&[], &settings(&gateway.address(), &instance));
    let endpoint = format!("http://{}", program.address().await);
    sandbox.business_rules().push(rule(&endpoint)).unwrap();

    let new = servicenow_worker::devengine::record::NewInstance {
        process: servicenow_worker::devengine::record::ProcessRef::Latest("catalog-task".into()),
        variables: json!({"person": "Beth"}).as_object().cloned().unwrap(),
        business_id: None,
    };
    gateway.engine().create_instance(new).unwrap();
    let task = || {
        let tasks = sandbox.records("sc_task").into_iter();
        tasks.rev().find(|task| task["short_description"] == "Prepare a laptop for Beth")
    };
    eventually("the task is there", || task().is_some()).await;
    let sys_id = task().unwrap()["sys_id"].as_str().unwrap().to_owned();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(servicenow_worker::tls::client_config(None).unwrap())
        .build()
        .unwrap();
    let closed = client
        .patch(format!("{instance}/api/now/table/sc_task/{sys_id}"))
        .basic_auth("admin", Some("admin"))
        .header("content-type", "application/json")
        .body(json!({"state": "3", "close_notes": "at the reception"}).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(closed.status(), 200, "{}", closed.text().await.unwrap());
    eventually("the process ends", || gateway.engine().instances().is_empty()).await;
    assert!(gateway.engine().incidents().is_empty());
    sandbox.business_rules().settled().await;
    let deliveries = sandbox.business_rules().deliveries();
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    assert_eq!(deliveries[0].status, Some(200), "{deliveries:?}");
}
