//! How jobs reach the worker.

use serde_json::json;

use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

#[tokio::test]
async fn waiting_jobs_are_polled_and_new_ones_are_pushed() {
    let stage = Stage::on_the_broker().await;
    // The broker pushes only what is created while a stream is open.
    for _ in 0..3 {
        stage.client.start("batch", &json!({"title": "waited", "reportType": "e2e:waited"})).await;
    }
    let mut worker = stage.worker();
    let mut waited = 0;
    eventually("the waiting jobs are done", seconds(20), async || {
        for job in stage.client.take("e2e:waited", 3).await {
            stage.client.complete(&job).await;
            waited += 1;
        }
        (waited == 3).then_some(())
    })
    .await;

    let polled = worker.figures().await.sum("snc_jobs_activated_total", &["source=\"poll\""]);
    assert!(polled >= 3.0, "{polled} polled");
    eventually("a job is pushed", seconds(30), async || {
        stage
            .client
            .run("record", &json!({"operation": "count", "table": "incident", "query": ""}))
            .await;
        let pushed = worker.figures().await.sum("snc_jobs_activated_total", &["source=\"push\""]);
        (pushed >= 1.0).then_some(())
    })
    .await;
    let pushed = stage.engine.figures().await.sum("zeebe_broker_jobs_pushed_count_total", &[]);
    assert!(pushed >= 1.0, "the broker has pushed {pushed}");
}
