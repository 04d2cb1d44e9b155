//! What a dead instance costs a healthy one: jobs of the latter in 30 s, alone and beside as
//! many of the former.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use servicenow_worker::{
    job::Variables,
    ports::{CreateInstance, DEFAULT_TENANT, Message, ProcessGateway},
    sandbox::{Fault, Match},
    zeebe::Gateway,
};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    process::{WorkerProcess, figures, free_port, sum},
    stage::{self, ServiceNow, create_job, real_broker, scripted_gateway},
};

const PERIOD: Duration = Duration::from_secs(30);
/// More than the healthy instance can take in that time.
const JOBS: usize = 6_000;
const SLOTS: usize = 64;
/// Pause between two looks at how quick the broker is.
const LOOKS_APART: Duration = Duration::from_millis(500);
/// How many commands are under way at the broker at once.
const AT_ONCE: usize = 32;

/// Two ways to be dead.
struct Dead {
    refusing: SocketAddr,
    /// Takes connections, as the system does for it, and says nothing.
    silent: TcpListener,
}

impl Dead {
    async fn new() -> Self {
        let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self { refusing, silent: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn ways(&self) -> [(&'static str, SocketAddr); 2] {
        [("refusing", self.refusing), ("silent", self.silent.local_addr().unwrap())]
    }
}

pub(crate) async fn on_scripted_gateway() {
    let (dead, alone) = (Dead::new().await, scripted(None).await);
    for (way, address) in dead.ways() {
        tell(alone, &format!("beside a {way} one"), scripted(Some(address)).await);
    }
}

/// Jobs come and go here too while others wait, as the broker gives them out.
pub(crate) async fn on_real_broker() {
    let Some((address, client)) = real_broker().await else { return };
    let (dead, alone) = (Dead::new().await, on_broker(&client, &address, None).await);
    for (way, instance) in dead.ways() {
        tell(
            alone,
            &format!("beside a {way} one"),
            on_broker(&client, &address, Some(instance)).await,
        );
    }
    // What the broker lost of its speed meanwhile is not the dead ones' doing.
    tell(alone, "alone again", on_broker(&client, &address, None).await);
}

fn tell(alone: usize, how: &str, done: usize) {
    let percent = done as f64 * 100.0 / alone as f64;
    println!("healthy instance: {alone} jobs in {PERIOD:?} alone, {done} {how}, {percent:.1} %");
}

async fn scripted(dead: Option<SocketAddr>) -> usize {
    let (gateway, servicenow) = (scripted_gateway().await, healthy().await);
    let worker = worker(&gateway.address(), &servicenow, dead, &[]);
    let before = servicenow.sandbox.records("incident").len();
    for number in 0..JOBS {
        gateway.offer(create_job(number));
        if dead.is_some() {
            gateway.offer(stage::job_over("dead", number));
        }
    }
    tokio::time::sleep(PERIOD).await;
    worker.kill().await;
    servicenow.sandbox.records("incident").len() - before
}

async fn on_broker(client: &Gateway, address: &str, dead: Option<SocketAddr>) -> usize {
    let connections: &[_] = if dead.is_some() { &["default", "dead"] } else { &["default"] };
    let starts = (0..JOBS).flat_map(|_| connections).map(|name| start(client, name));
    let instances: Vec<i64> = stream::iter(starts).buffer_unordered(AT_ONCE).collect().await;
    let servicenow = healthy().await;
    let before = servicenow.sandbox.records("incident").len();
    let port = free_port().await;
    let listen = [("MANAGEMENT_LISTEN", format!("127.0.0.1:{port}"))];
    let worker = worker(address, &servicenow, dead, &listen);
    let mut round_trips = Vec::new();
    let end = Instant::now() + PERIOD;
    while Instant::now() + LOOKS_APART < end {
        tokio::time::sleep(LOOKS_APART).await;
        round_trips.push(round_trip(client).await);
    }
    tokio::time::sleep_until(end).await;
    let done = servicenow.sandbox.records("incident").len() - before;
    round_trips.sort_unstable();
    let (figures, taken) = (figures(port).await, "snc_jobs_activated_total{");
    println!(
        "  {done} jobs, {} taken, {} sent back; a command took the broker {:.0?}, p90 {:.0?}",
        sum(&figures, taken),
        sum(&figures, "snc_jobs_handed_back_total") + sum(&figures, "snc_jobs_failed_total"),
        round_trips[round_trips.len() / 2],
        round_trips[round_trips.len() * 9 / 10],
    );
    worker.kill().await;
    // What is left would be the next round's work. Most have ended.
    let cancel = async |key| drop(client.cancel_instance(key, None).await);
    stream::iter(instances).for_each_concurrent(AT_ONCE, cancel).await;
    done
}

/// How long the broker takes now for a command that does nothing.
async fn round_trip(client: &Gateway) -> Duration {
    let message = Message {
        name: "nobody-waits".to_owned(),
        correlation_key: String::new(),
        time_to_live: Duration::ZERO,
        message_id: String::new(),
        variables: Variables::new(),
        tenant_id: DEFAULT_TENANT.to_owned(),
        business_id: None,
    };
    let began = Instant::now();
    drop(client.publish_message(&message).await);
    began.elapsed()
}

/// Starts an instance with one job, however long the broker takes for it.
async fn start(client: &Gateway, connection: &str) -> i64 {
    let variables = json!({
        "connection": connection, "operation": "create", "table": "incident",
        "fields": {"short_description": "benchmark"},
    });
    let Value::Object(variables) = variables else { unreachable!() };
    let instance = CreateInstance::latest("record", variables);
    loop {
        match client.create_instance(&instance).await {
            Ok(created) => return created.process_instance_key,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// One that takes its time.
async fn healthy() -> ServiceNow {
    let servicenow = ServiceNow::plain().await;
    let slow = Fault::Delay { before_ms: 0, after_ms: 100 };
    servicenow.sandbox.faults().push(Match { times: 0, ..Match::default() }, slow);
    servicenow
}

fn worker(
    gateway: &str,
    servicenow: &ServiceNow,
    dead: Option<SocketAddr>,
    environment: &[(&str, String)],
) -> WorkerProcess {
    let settings = dead.map_or_else(String::new, |address| {
        format!(
            "[connections.dead]\ninstance = \"http://{address}\"\n\
             auth = {{ type = \"bearer\", token = \"t\" }}\n"
        )
    });
    stage::worker_with(gateway, servicenow, SLOTS, &settings, environment)
}
