//! What is measured.

use std::{future::Future, pin::Pin, time::Duration};

use serde_json::json;
use servicenow_worker::{
    ports::{CreateInstance, ProcessGateway},
    sandbox::{Fault, Match},
    zeebe::Gateway,
};

use tokio::time::Instant;

use crate::{
    beside,
    process::{WorkerProcess, until},
    soak,
    stage::{self, ServiceNow, create_job, noop_worker, real_broker, scripted_gateway, worker},
};

type Scenario = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// All scenarios by name.
pub(crate) const ALL: [(&str, Scenario); 11] = [
    ("size", || Box::pin(async { size() })),
    ("start", || Box::pin(start())),
    ("idle", || Box::pin(idle())),
    ("held", || Box::pin(held())),
    ("beside", || Box::pin(beside::on_scripted_gateway())),
    ("full", || Box::pin(full())),
    ("latency", || Box::pin(latency())),
    ("throughput", || Box::pin(throughput())),
    ("broker", || Box::pin(broker())),
    ("beside-broker", || Box::pin(beside::on_real_broker())),
    (soak::NAME, || Box::pin(soak::run())),
];

const JOBS: usize = 20_000;

fn size() {
    let bytes = std::fs::metadata(stage::binary()).unwrap().len();
    println!("binary: {:.1} MiB", bytes as f64 / f64::from(1 << 20));
}

/// From exec to the first completed job, which waits for a poll.
async fn start() {
    let mut times = Vec::new();
    for _ in 0..10 {
        let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
        gateway.offer(create_job(0));
        let began = Instant::now();
        let worker = worker(&gateway.address(), &servicenow, 64);
        until("the first job", || gateway.counters().ended.get() == 1).await;
        times.push(began.elapsed());
        worker.kill().await;
    }
    times.sort_unstable();
    println!("exec to first job completed: median {:?}, worst {:?}", times[5], times[9]);
}

async fn idle() {
    let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
    let worker = worker(&gateway.address(), &servicenow, 64);
    gateway.offer(create_job(0));
    until("the first job", || gateway.counters().ended.get() == 1).await;
    let before = worker.usage();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let after = worker.usage();
    println!(
        "idle: RSS {:.1} MiB, CPU {:?} in 30 s",
        after.rss_mib,
        after.cpu.saturating_sub(before.cpu)
    );
}

/// As many large jobs as the worker may hold, with large answers for those that call: the
/// worst that its settings allow for such sizes.
async fn full() {
    const SLOTS: usize = 256;
    const CALLS: usize = 16;
    const KIB: usize = 256;
    let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
    let slow = Fault::Delay { before_ms: 0, after_ms: 200 };
    servicenow.sandbox.faults().push(Match { times: 0, ..Match::on("POST", "incident") }, slow);
    let worker = worker(&gateway.address(), &servicenow, SLOTS);
    until("it is ready", || gateway.counters().streams.get() == 2).await;
    let before = worker.usage().rss_mib;
    for number in 0..4 * SLOTS {
        gateway.offer(stage::large_job(number, KIB * 1024));
    }
    until("all jobs", || gateway.counters().ended.get() == 4 * SLOTS).await;
    let peak = worker.usage().peak_mib;
    println!(
        "{SLOTS} jobs held of {KIB} KiB each, {CALLS} answers of {KIB} KiB at once: peak RSS \
         {peak:.0} MiB, {:.0} above idle, for {} MiB of data",
        peak - before,
        (SLOTS + CALLS) * KIB / 1024
    );
    worker.kill().await;
}

/// A thousand jobs held at once, by a ServiceNow that takes two seconds.
async fn held() {
    let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
    let slow = Fault::Delay { before_ms: 0, after_ms: 2_000 };
    let always = Match { times: 0, ..Match::on("POST", "incident") };
    servicenow.sandbox.faults().push(always, slow);
    // An eighth of the slots is kept for polls; a few jobs end while others still come.
    let worker = worker(&gateway.address(), &servicenow, 1_300);
    for number in 0..1_100 {
        gateway.offer(create_job(number));
    }
    until("a thousand are held", || gateway.locked_jobs() >= 1_000).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let usage = worker.usage();
    println!("1,000 jobs held: RSS {:.1} MiB, peak {:.1} MiB", usage.rss_mib, usage.peak_mib);
}

/// Job received to command sent, one job at a time: without any call, and with one.
async fn latency() {
    let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
    let noop = noop_worker(&gateway.address());
    one_by_one("without a call", &gateway).await;
    noop.kill().await;
    let worker = worker(&gateway.address(), &servicenow, 64);
    one_by_one("with the sandbox's answer", &gateway).await;
    worker.kill().await;
}

async fn one_by_one(what: &str, gateway: &crate::gateway::ScriptedGateway) {
    let mut times = Vec::new();
    until("streams are open", || gateway.open_streams() >= 2).await;
    for number in 0..2_100 {
        let target = gateway.counters().ended.get() + 1;
        let began = Instant::now();
        gateway.offer(create_job(number));
        while gateway.counters().ended.get() < target {
            tokio::task::yield_now().await;
        }
        times.push(began.elapsed());
    }
    let mut times = times.split_off(100);
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    println!("{what}: p50 {:?}, p90 {:?}, p99 {:?}", at(50), at(90), at(99));
}

/// As fast as it goes, against the scripted gateway: the worker and its yardstick in turn.
async fn throughput() {
    for _ in 0..3 {
        let gateway = scripted_gateway().await;
        let noop = noop_worker(&gateway.address());
        run_through("no call", &gateway, noop, 0).await;
        for servicenow in [ServiceNow::plain().await, ServiceNow::tls().await] {
            let gateway = scripted_gateway().await;
            let what = if servicenow.authority.is_some() { "https" } else { "http " };
            let worker = worker(&gateway.address(), &servicenow, 64);
            let worker = run_through(what, &gateway, worker, 2_000).await;
            let connections = servicenow.sandbox.connections();
            println!("  connections to ServiceNow: {connections}");
            worker.kill().await;
        }
    }
}

async fn run_through(
    what: &str,
    gateway: &crate::gateway::ScriptedGateway,
    worker: WorkerProcess,
    warm_up: usize,
) -> WorkerProcess {
    for number in 0..warm_up {
        gateway.offer(create_job(number));
    }
    until("warm", || gateway.counters().ended.get() >= warm_up).await;
    let (cpu, began) = (worker.usage().cpu, Instant::now());
    for number in 0..JOBS {
        gateway.offer(create_job(number));
    }
    until("all are done", || gateway.counters().ended.get() >= warm_up + JOBS).await;
    let (took, usage) = (began.elapsed(), worker.usage());
    println!(
        "{what}: {:.0} jobs/s, {:.3} CPU-s per 1,000 jobs, RSS {:.1} MiB, pushed {}, polled {}",
        JOBS as f64 / took.as_secs_f64(),
        usage.cpu.saturating_sub(cpu).as_secs_f64() * 1_000.0 / JOBS as f64,
        usage.rss_mib,
        gateway.counters().pushed.get(),
        gateway.counters().polled.get(),
    );
    worker
}

/// Against a real broker at `ZEEBE_ADDRESS`: the worker and its yardstick in turn.
async fn broker() {
    let Some((address, client)) = real_broker().await else { return };
    for _ in 0..3 {
        let noop = noop_worker(&address);
        on_broker("no call", &client, noop).await;
        let servicenow = ServiceNow::plain().await;
        on_broker("http   ", &client, worker(&address, &servicenow, 64)).await;
    }
}

const INSTANCES: usize = 1_500;
const AT_ONCE: usize = 32;

async fn on_broker(what: &str, client: &Gateway, worker: WorkerProcess) {
    start_and_finish(client, 200).await;
    let (cpu, began) = (worker.usage().cpu, Instant::now());
    start_and_finish(client, INSTANCES).await;
    println!(
        "{what}: {:.0} instances/s, {:.3} CPU-s per 1,000 jobs",
        INSTANCES as f64 / began.elapsed().as_secs_f64(),
        worker.usage().cpu.saturating_sub(cpu).as_secs_f64() * 1_000.0 / INSTANCES as f64,
    );
    worker.kill().await;
}

/// Starts instances, so many at once, and waits for the end of each.
async fn start_and_finish(client: &Gateway, instances: usize) {
    use futures_util::{StreamExt, stream};
    stream::iter(0..instances)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let variables = json!({
                "operation": "create", "table": "incident",
                "fields": {"short_description": format!("benchmark {number}")},
            });
            let instance = CreateInstance::latest("record", variables.as_object().unwrap().clone());
            let wait = Duration::from_mins(1);
            while client.create_instance_with_result(&instance, wait, &[]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
}
