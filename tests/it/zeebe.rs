//! The client of the gateway, at the wire.

use std::time::Duration;

use servicenow_worker::{
    ports::Subscription,
    zeebe::{Gateway, proto::ActivatedJob},
};

use crate::support::gateway::{ScriptedGateway, Settings};

mod commands;
mod connections;
mod credentials;
mod jobs;
mod tls;
mod token_endpoint;

const JOB_TYPE: &str = "servicenow:record:1";

async fn gateway() -> ScriptedGateway {
    ScriptedGateway::start(Settings::default()).await.unwrap()
}

fn client(gateway: &ScriptedGateway) -> Gateway {
    Gateway::new(&gateway.client()).unwrap()
}

fn subscription() -> Subscription {
    Subscription {
        job_type: JOB_TYPE.to_owned(),
        worker: "worker-1".to_owned(),
        timeout: Duration::from_mins(1),
        fetch_variables: vec!["operation".to_owned(), "table".to_owned()],
        tenants: vec!["<default>".to_owned()],
        lease: false,
    }
}

fn job() -> ActivatedJob {
    ActivatedJob { r#type: JOB_TYPE.to_owned(), retries: 3, ..ActivatedJob::default() }
}
