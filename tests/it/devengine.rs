//! The dev engine, through the worker's own client at the wire.

use std::time::Duration;

use servicenow_worker::{
    devengine::{DevEngine, Settings},
    job::Variables,
    ports::{CreateInstance, Subscription},
    zeebe::{self, Gateway, proto::ActivatedJob},
};

use crate::support::bpmn;

mod events;
mod faults;
mod incidents;
mod jobs;
mod life;
mod processes;

const LONG: Option<Duration> = Some(Duration::from_secs(20));

async fn engine() -> DevEngine {
    DevEngine::start(Settings::default()).await.unwrap()
}

fn config(engine: &DevEngine) -> zeebe::Config {
    zeebe::Config { address: engine.address(), ..zeebe::Config::default() }
}

fn client(engine: &DevEngine) -> Gateway {
    Gateway::new(&config(engine)).unwrap()
}

/// An engine that knows the process `order`, which waits for a worker, and a client of it.
async fn with_order() -> (DevEngine, Gateway) {
    let engine = engine().await;
    engine.deploy("order.bpmn", bpmn::one_task("order").as_bytes()).unwrap();
    let client = client(&engine);
    (engine, client)
}

fn subscription() -> Subscription {
    Subscription {
        job_type: "work".to_owned(),
        worker: "worker-1".to_owned(),
        timeout: Duration::from_mins(1),
        fetch_variables: Vec::new(),
        tenants: Vec::new(),
        lease: false,
    }
}

fn order(variables: Variables) -> CreateInstance {
    CreateInstance::latest("order", variables)
}

fn job() -> ActivatedJob {
    ActivatedJob {
        r#type: "work".to_owned(),
        element_id: "task".to_owned(),
        process_instance_key: 7,
        retries: 3,
        ..ActivatedJob::default()
    }
}
