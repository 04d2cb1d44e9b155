//! What tests share.

use std::time::Duration;

pub(crate) mod bpmn;
pub(crate) mod canary;
pub(crate) mod gateway;

/// Waits until something that goes on at the other end of a socket has happened.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let reached = async {
        let mut looks = tokio::time::interval(Duration::from_millis(1));
        while !condition() {
            looks.tick().await;
        }
    };
    let limit = Duration::from_secs(20);
    assert!(tokio::time::timeout(limit, reached).await.is_ok(), "never happened: {what}");
}
