//! The answer to a call that does not go out: why, and when to come again.

use std::time::Duration;

use tokio::time::Instant;

use super::circuit::Blocked;
use crate::servicenow::{NoAnswer, NoAnswerCause, Reason};

/// The connection is blocked; the job stays away for so long.
pub(super) fn blocked(
    connection: &str,
    blocked: Blocked,
    now: Instant,
    stay: Duration,
) -> NoAnswer {
    let Blocked { reason, since, until, .. } = blocked;
    let since = in_words(now.saturating_duration_since(since));
    let left = in_words(until.saturating_duration_since(now));
    held_back(
        reason,
        Some(stay),
        &format!("{connection} has met {reason} for {since} and is tried again after {left}"),
    )
}

/// Too many calls of the connection fail.
pub(super) fn no_budget(connection: &str) -> NoAnswer {
    let why = format!("calls of {connection} fail too often for all jobs to try again at once");
    held_back(Reason::Busy, None, &why)
}

fn held_back(reason: Reason, retry_after: Option<Duration>, why: &str) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::HeldBack { reason, retry_after },
        may_have_acted: false,
        message: format!("no call was made: {why}"),
    }
}

/// Whole seconds, one at least.
fn in_words(duration: Duration) -> String {
    format!("{} s", duration.as_secs().max(1))
}
