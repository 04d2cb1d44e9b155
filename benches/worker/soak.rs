//! An hour with all slots full: what grows?

use std::time::Duration;

use serde_json::json;
use servicenow_worker::{
    sandbox::{Fault, Match},
    zeebe::proto::ActivatedJob,
};
use tokio::time::{Instant, interval};

use crate::{
    process::{WorkerProcess, figures, free_port, sum},
    stage::{ServiceNow, create_job, scripted_gateway, worker_with},
};

pub(crate) const NAME: &str = "soak";

/// Jobs offered beyond those that ended: more than the worker's slots, always.
const WAITING: u64 = 400;
const SLOTS: usize = 128;
/// What comes before is growing up, not growing.
const WARM_UP: f64 = 600.0;
const SAMPLES_APART: Duration = Duration::from_secs(10);

/// One look at the worker.
#[derive(Clone, Copy)]
struct Sample {
    seconds: f64,
    rss_mib: f64,
    descriptors: f64,
    tasks: f64,
    threads: f64,
}

type Figure = fn(&Sample) -> f64;

pub(crate) async fn run() {
    let minutes = minutes();
    let (gateway, servicenow) = (scripted_gateway().await, ServiceNow::plain().await);
    let faults = servicenow.sandbox.faults();
    let always = Match { times: 0, ..Match::default() };
    faults.push(always.clone(), Fault::Delay { before_ms: 0, after_ms: 50 });
    let unwell =
        Fault::Status { code: 503, headers: vec![], body: json!(null), after_commit: true };
    faults.push(Match { every: 200, method: Some("POST".to_owned()), ..always }, unwell);
    let port = free_port().await;
    let listen = [("MANAGEMENT_LISTEN", format!("127.0.0.1:{port}"))];
    let worker = worker_with(&gateway.address(), &servicenow, SLOTS, "", &listen);
    let record = some_record(&servicenow);
    let ended = || u64::try_from(gateway.counters().ended.get()).unwrap();
    let (began, end) = (Instant::now(), Duration::from_mins(minutes));
    let (mut offered, mut samples, mut due) = (0, Vec::new(), Duration::ZERO);
    let mut rounds = interval(Duration::from_millis(20));
    while began.elapsed() < end {
        rounds.tick().await;
        while offered < ended() + WAITING {
            gateway.offer(job(offered, &record));
            offered += 1;
        }
        if began.elapsed() >= due {
            let sample = look(&worker, began.elapsed().as_secs_f64(), port).await;
            if samples.len() % 30 == 0 {
                tell(sample, ended());
            }
            samples.push(sample);
            due += SAMPLES_APART;
        }
    }
    summary(&samples, ended(), began.elapsed());
}

#[expect(clippy::disallowed_methods, reason = "a benchmark's own setting")]
fn minutes() -> u64 {
    std::env::var("SOAK_MINUTES").map_or(60, |text| text.parse().unwrap())
}

fn some_record(servicenow: &ServiceNow) -> String {
    let records = servicenow.sandbox.records("incident");
    records[0]["sys_id"].as_str().unwrap().to_owned()
}

/// Mostly reads and changes, so that the sandbox does not fill up: one in ten creates.
fn job(number: u64, record: &str) -> ActivatedJob {
    let variables = match number % 10 {
        0 => return create_job(usize::try_from(number).unwrap()),
        1 | 2 => json!({"operation": "update", "table": "incident", "sysId": record,
                        "fields": {"short_description": format!("soak {number}")}}),
        3 => json!({"operation": "find", "table": "sys_user", "query": "active=true", "limit": 20}),
        _ => json!({"operation": "get", "table": "incident", "sysId": record}),
    };
    let headers = json!({"resultExpression": "={answer: response.status}"});
    ActivatedJob {
        variables: variables.to_string(),
        custom_headers: headers.to_string(),
        ..create_job(0)
    }
}

async fn look(worker: &WorkerProcess, seconds: f64, port: u16) -> Sample {
    let usage = worker.usage();
    let count = |name: &str| std::fs::read_dir(worker.folder(name)).unwrap().count() as f64;
    Sample {
        seconds,
        rss_mib: usage.rss_mib,
        descriptors: count("fd"),
        threads: count("task"),
        tasks: sum(&figures(port).await, "snc_tasks "),
    }
}

fn tell(sample: Sample, ended: u64) {
    println!(
        "{:>5.0} s: RSS {:.1} MiB, {} descriptors, {} tasks, {} threads, {ended} jobs",
        sample.seconds, sample.rss_mib, sample.descriptors, sample.tasks, sample.threads
    );
}

fn summary(samples: &[Sample], ended: u64, took: Duration) {
    let warm: Vec<_> = samples.iter().copied().filter(|s| s.seconds >= WARM_UP).collect();
    println!("{ended} jobs in {took:.0?}, {:.0}/s", ended as f64 / took.as_secs_f64());
    let figures: [(&str, Figure); 4] = [
        ("RSS, MiB", |s| s.rss_mib),
        ("descriptors", |s| s.descriptors),
        ("tasks", |s| s.tasks),
        ("threads", |s| s.threads),
    ];
    for (name, figure) in figures {
        let values = warm.iter().map(figure);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(l, m), v| (l.min(v), m.max(v)));
        let slope = slope_by_hour(&warm, figure);
        println!("{name}: {least:.1} to {most:.1}, slope {slope:+.2} an hour");
    }
}

/// The slope of the line that fits best.
fn slope_by_hour(samples: &[Sample], figure: Figure) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: Figure| samples.iter().map(of).sum::<f64>() / count;
    let (middle, level) = (mean(|s| s.seconds), mean(figure));
    let rise: f64 = samples.iter().map(|s| (s.seconds - middle) * (figure(s) - level)).sum();
    let run: f64 = samples.iter().map(|s| (s.seconds - middle).powi(2)).sum();
    rise / run * 3_600.0
}
