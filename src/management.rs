//! The operators' listener: `/live`, `/ready`, `/metrics`.
//!
//! Readiness means that the gateway has answered once. It never asks ServiceNow: a dead
//! instance must not take pods down.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, ports::Readiness};

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen; `None` switches it off.
    pub listen: Option<std::net::SocketAddr>,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: Some(([127, 0, 0, 1], 9090).into()) }
    }
}

/// What the listener shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// What is known of the gateway.
    pub gateway: Arc<dyn Readiness>,
    /// Cancelled once the worker stops: no longer ready.
    pub stopping: CancellationToken,
}

/// Serves until `shutdown`.
pub async fn run(
    listener: TcpListener,
    shown: Shown,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/live", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shown);
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

async fn ready(State(shown): State<Shown>) -> (StatusCode, &'static str) {
    if shown.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if shown.gateway.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the gateway has not answered yet\n")
    }
}

async fn metrics(State(shown): State<Shown>) -> axum::response::Response {
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match shown.metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, form)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
