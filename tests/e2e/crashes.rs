//! Crashes in the middle of work: one record and one completed instance per start, always.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

const INSTANCES: usize = 200;

/// Instances of one test: all create a record with the same title and report to it.
struct Batch<'s> {
    stage: &'s Stage,
    title: &'static str,
    started: BTreeSet<i64>,
}

impl<'s> Batch<'s> {
    async fn start(stage: &'s Stage, title: &'static str) -> Self {
        let variables = json!({"title": title, "reportType": report_type(title)});
        let starts = stream::iter(0..INSTANCES)
            .map(|_| stage.client.start("batch", &variables))
            .buffer_unordered(16);
        let started: BTreeSet<i64> = starts.collect().await;
        assert_eq!(started.len(), INSTANCES);
        Self { stage, title, started }
    }

    /// How many records there are.
    fn records(&self) -> usize {
        self.stage.sandbox.incidents("short_description", self.title).len()
    }

    /// Waits until a good part is done, but not all.
    async fn reach_the_middle(&self) {
        let count = eventually("a part of the records is there", seconds(60), async || {
            let count = self.records();
            (count >= INSTANCES / 5).then_some(count)
        })
        .await;
        assert!(count < INSTANCES, "all {count} records are there before the crash");
    }

    /// Takes and completes all reports: which record each instance ended with.
    async fn finish(&self) -> BTreeMap<i64, String> {
        let mut reports = BTreeMap::new();
        eventually("every instance reports", seconds(180), async || {
            for job in self.stage.client.take(&report_type(self.title), 50).await {
                let sys_id = job.variables["result"]["sysId"].as_str().unwrap().to_owned();
                let earlier = reports.insert(job.process_instance_key, sys_id);
                assert_eq!(earlier, None, "instance {} reports twice", job.process_instance_key);
                self.stage.client.complete(&job).await;
            }
            (reports.len() >= INSTANCES).then_some(())
        })
        .await;
        reports
    }

    /// Every instance has ended with a record of its own, and there are no others.
    async fn assert_one_record_each(&self) {
        let reports = self.finish().await;
        assert!(reports.keys().eq(&self.started), "other instances than were started");
        let ids: BTreeSet<_> = reports.values().collect();
        assert_eq!(ids.len(), INSTANCES, "two instances share a record");
        assert_eq!(self.records(), INSTANCES);
    }
}

fn report_type(title: &str) -> String {
    format!("e2e:{title}")
}

/// Root instances that the broker has seen end since it started.
async fn completed(stage: &Stage) -> f64 {
    let labels = &["type=\"ROOT_PROCESS_INSTANCE\"", "action=\"completed\""];
    stage.engine.figures().await.sum("zeebe_executed_instances_total", labels)
}

#[tokio::test]
async fn a_worker_killed_among_200_jobs_leaves_200_records_and_200_completed_instances() {
    let stage = Stage::on_the_broker().await;
    stage.sandbox.answer_inserts_late();
    let before = completed(&stage).await;
    let batch = Batch::start(&stage, "killed").await;
    let mut worker = stage.worker();
    batch.reach_the_middle().await;

    worker.crash_and_restart().await;

    batch.assert_one_record_each().await;
    eventually("the broker counts 200 completed instances", seconds(10), async || {
        let count = completed(&stage).await - before;
        (count >= 200.0).then(|| assert!(count <= 200.0, "{count} instances"))
    })
    .await;
    let figures = worker.figures().await;
    let adopted = figures.sum("snc_effects_total", &["kind=\"adopted\""]);
    assert!(adopted >= 1.0, "the crash came between jobs: {:?}", figures.names());
}

#[tokio::test]
async fn a_worker_stopped_among_200_jobs_finishes_what_it_began_and_leaves_nothing_in_doubt() {
    let stage = Stage::on_the_broker().await;
    stage.sandbox.answer_inserts_late();
    let batch = Batch::start(&stage, "stopped").await;
    let mut worker = stage.worker();
    batch.reach_the_middle().await;

    assert_eq!(worker.terminate().await, Some(0));

    assert!(batch.records() < INSTANCES, "it was to stop, not to finish all");
    let mut next = stage.worker();
    batch.assert_one_record_each().await;
    let adopted = next.figures().await.sum("snc_effects_total", &["kind=\"adopted\""]);
    assert!(adopted < 1.0, "{adopted} records whose insert was not reported");
}

#[tokio::test]
async fn a_broker_stopped_and_started_among_200_jobs_loses_and_doubles_none() {
    let stage = Stage::on_the_broker().await;
    stage.sandbox.answer_inserts_late();
    let batch = Batch::start(&stage, "restarted").await;
    let _worker = stage.worker();
    batch.reach_the_middle().await;

    stage.engine.restart().await;

    batch.assert_one_record_each().await;
}

#[tokio::test]
async fn a_broker_killed_among_200_jobs_loses_and_doubles_none() {
    let stage = Stage::on_the_broker().await;
    stage.sandbox.answer_inserts_late();
    let batch = Batch::start(&stage, "broker-killed").await;
    let _worker = stage.worker();
    batch.reach_the_middle().await;

    stage.engine.crash_and_restart().await;

    batch.assert_one_record_each().await;
}

#[tokio::test]
async fn a_worker_that_stood_still_for_longer_than_a_lock_starts_nothing_pushed_meanwhile() {
    let stage = Stage::on_the_broker().await;
    let mut still = stage.worker();
    // A job of its own, so that its stream is open and known to work.
    stage
        .client
        .run("record", &json!({"operation": "count", "table": "incident", "query": ""}))
        .await;
    still.stop().await;
    let title = "stood-still";
    let variables = json!({"title": title, "reportType": report_type(title)});
    stage.client.start("batch", &variables).await;
    let mut other = stage.worker();
    // The broker pushes to one of the two open streams, as it likes: each time that it takes the
    // wrong one costs a lock of 10 s.
    let report = eventually("the other worker does it", seconds(180), async || {
        stage.client.take(&report_type(title), 1).await.pop()
    })
    .await;
    stage.client.complete(&report).await;
    assert_eq!(stage.sandbox.inserts(), 1);
    assert!(!other.log().contains("the job's lock ended"), "it is worked on when it comes");

    still.go_on().await;

    eventually("the job is seen to be somebody else's", seconds(20), async || {
        still.log().contains("the job's lock ended").then_some(())
    })
    .await;
    assert_eq!(still.terminate().await, Some(0));
    assert_eq!(other.terminate().await, Some(0));
    assert_eq!(stage.sandbox.inserts(), 1, "{report:?}");
}
