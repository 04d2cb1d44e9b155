//! Orders from a second command: a small HTTP listener of the running `dev`, and its client.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::order::Order;
use crate::{cli::local_client, devengine::DevEngine};

/// A header that no web page can send unasked, so that none can give orders.
const MARK: &str = "x-servicenow-worker-dev";

/// No `dev` runs there.
#[derive(Debug, thiserror::Error)]
#[error(
    "--control {address}: no running `servicenow-worker dev` answers there: start one, or name its --control address"
)]
pub(in crate::cli) struct NotRunning {
    address: String,
}

/// Takes orders until the end.
pub(super) async fn serve(
    listener: TcpListener,
    engine: Arc<DevEngine>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new().route("/orders", post(take)).with_state(engine);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

async fn take(
    State(engine): State<Arc<DevEngine>>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> (StatusCode, String) {
    if !headers.contains_key(MARK) {
        return (StatusCode::FORBIDDEN, format!("the header {MARK} is missing"));
    }
    match order.carry_out(&engine) {
        Ok(text) => (StatusCode::OK, text),
        Err(refused) => (StatusCode::UNPROCESSABLE_ENTITY, refused),
    }
}

/// Gives an order to the `dev` at that address; the inner result is its answer.
pub(super) async fn order(
    address: &str,
    order: &Order,
) -> Result<Result<String, String>, anyhow::Error> {
    let request = local_client()?
        .post(format!("http://{address}/orders"))
        .header(MARK, "1")
        .header("content-type", "application/json")
        .body(serde_json::to_vec(order)?);
    let answer = request.send().await.map_err(|_| NotRunning { address: address.to_owned() })?;
    let done = answer.status().is_success();
    let text = answer.text().await?;
    Ok(if done { Ok(text) } else { Err(text) })
}
