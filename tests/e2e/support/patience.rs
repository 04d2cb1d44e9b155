//! Waiting for what real engines do in their own time, never longer than a limit.

use std::time::Duration;

use tokio::time::Instant;

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within `limit`.
pub(crate) async fn eventually<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Seconds as a limit.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
